"""Convolutions whose rows end with a single pixel: exact, as fast as stated, refused where all pixels are pairs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kits.conv_layers import conv_corners
from kits.kernel_checks import M4, ON_M4, rng_for
from kits.kernel_layers import Pair, Rng
from ops.conv_2d import conv_layer, relu_layer
from tinyedge.kernels.armv7em.conv_4x2 import Conv2D4x2
from tinyedge.kernels.armv7em.conv_4x2_odd import KERNELS, Conv2D4x2Odd
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

BY_NAME: dict[str, Kernel] = {kernel.name: kernel for kernel in KERNELS}
POINTWISE: dict[str, Any] = {"kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "padding": "valid"}


def special_layers(rng: Rng) -> list[Layer]:
    """Odd rows of one pixel and more, every remainder of channels, loops that begin in each of their steps."""
    makers = (conv_layer, relu_layer)
    return [
        *(conv_layer(rng, size=(1, 3), input_channels=8, output_channels=n, **POINTWISE) for n in range(4, 10)),
        *(makers[n % 2](rng, size=(1, 5), input_channels=n, output_channels=5, **POINTWISE) for n in range(1, 37, 3)),
        *(make(rng, size=(1, 1), input_channels=16, output_channels=4, **POINTWISE) for make in makers),
        *conv_corners(rng, conv_layer, relu_layer),
    ]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * ("unrolled" in name)) for name in BY_NAME]
)
def test_is_exact(name: str, tmp_path: Path) -> None:
    rng = rng_for(name)
    layers = ON_M4.fitting(BY_NAME[name], special_layers(rng), 18)
    ON_M4.check_kernel(BY_NAME[name], layers, tmp_path, rng)


def five_pixels(rng: Rng) -> list[Layer]:
    sizes: list[tuple[Pair, int, int]] = [((1, 5), 64, 64), ((1, 5), 57, 30), ((1, 1), 36, 64), ((3, 3), 60, 34)]
    return [relu_layer(rng, size=s, input_channels=i, output_channels=o, **POINTWISE) for s, i, o in sizes]


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    for kernel in KERNELS:
        layers = ON_M4.fitting(kernel, five_pixels(rng), 4)
        ON_M4.check_costs(kernel, layers, tmp_path, rng)
        ON_M4.check_code_bytes(kernel, layers[:1], tmp_path)


def test_a_row_of_five_pixels_costs_little_more_than_pairs(tmp_path: Path) -> None:
    """By 64 to 64 channels: 1.06 times what two pairs and a half would."""
    rng = rng_for("five")
    six, five = (
        relu_layer(rng, size=(1, width), input_channels=64, output_channels=64, **POINTWISE) for width in (6, 5)
    )
    pairs = ON_M4.counts(Conv2D4x2(), [six], tmp_path, rng)[0][0]
    odd = ON_M4.counts(Conv2D4x2Odd(), [five], tmp_path, rng)[0][0]
    assert odd < 1.09 * pairs * 5 / 6


def test_refuses_rows_of_pairs() -> None:
    layer = conv_layer(rng_for("even"), size=(1, 6), input_channels=8, output_channels=8, **POINTWISE)
    for kernel in KERNELS:
        assert kernel.fits(layer, M4) == "6 pixels of a row are pairs"

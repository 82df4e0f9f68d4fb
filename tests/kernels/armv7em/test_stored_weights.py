"""Weights that are compressed in flash, of few values or many zeros: exact, within their bounds of time and bytes,
refused where that gains nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.conv_layers import conv_corners
from kits.kernel_checks import M4, ON_M4, rng_for
from kits.kernel_layers import Rng
from kits.stored_weights import Draw, bits, dense, pruned, shared, with_weights
from ops.conv_2d import conv_layer, relu_layer
from tinyedge.kernels.armv7em.conv_4x2 import Conv2D4x2
from tinyedge.kernels.armv7em.conv_nonzeros import Conv2DNonzeros, list_nonzeros
from tinyedge.kernels.armv7em.conv_tiles import (
    Conv2D4x2Bitmap,
    Conv2D4x2BitmapTiled,
    Conv2D4x2Clusters,
    Conv2D4x2ClustersTiled,
)
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

POINTWISE: dict[str, Any] = {"kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "padding": "valid"}
TILES = (Conv2D4x2Clusters(), Conv2D4x2ClustersTiled(), Conv2D4x2Bitmap(), Conv2D4x2BitmapTiled())
DRAWS: tuple[Draw, ...] = (shared(16), shared(8), shared(4), pruned(0.8))
SHAPES: list[dict[str, Any]] = [
    {"size": (25, 5), "kernel": (1, 1), "input_channels": 64, "output_channels": 64},
    {"size": (32, 32), "kernel": (3, 3), "input_channels": 16, "output_channels": 16},
]


def tile_layers(rng: Rng) -> list[Layer]:
    """Corners of conv_2d_4x2 with each number of steps, then layers of several tiles, the last of them smaller."""
    four = {"output_channels": 8}
    layers = [
        *(
            conv_layer(rng, size=(4, 5), input_channels=n, output_channels=8, **POINTWISE)
            for n in (1, 3, 4, 12, 20, 28)
        ),
        *conv_corners(
            rng, lambda r, **w: conv_layer(r, **{**w, **four}), lambda r, **w: relu_layer(r, **{**w, **four})
        ),
        relu_layer(rng, size=(5, 5), input_channels=64, output_channels=44, **POINTWISE),
        relu_layer(
            rng, **SHAPES[1] | {"size": (6, 5), "output_channels": 20}, stride=(1, 1), dilation=(1, 1), padding="same"
        ),
    ]
    return [with_weights(rng, layer, draw) for layer in layers for draw in DRAWS]


@pytest.mark.slow
def test_tiles_are_exact(tmp_path: Path) -> None:
    rng = rng_for("tiles")
    layers = tile_layers(rng)
    for kernel, least in zip(TILES, (30, 4, 10, 1), strict=True):
        assert len(ON_M4.fitting(kernel, layers, least)) >= least
    ON_M4.check_kernels(TILES, layers, tmp_path, rng, "zig")


def nonzero_layers(rng: Rng) -> list[Layer]:
    """Pixels that come out even and do not, both requantizations, empty channels, weights far apart."""
    sizes = ((2, 4), (3, 3), (4, 4), (5, 5), (1, 17))
    makers = (conv_layer, relu_layer)
    layers = [
        make(rng, size=size, input_channels=inputs, output_channels=outputs, **POINTWISE)
        for size, make in zip(sizes * 4, makers * 10, strict=True)
        for inputs, outputs in ((12, 6), (32, 20))
    ]
    found = [with_weights(rng, layer, pruned(zeros)) for layer in layers for zeros in (0.7, 0.9)]
    far = relu_layer(rng, size=(3, 3), input_channels=560, output_channels=4, **POINTWISE)
    weights = np.zeros_like(far.params.weights)
    weights[0, 0, 0, 559] = weights[1, 0, 0, 255] = weights[2, 0, 0, 256] = 77
    return [*found, dataclasses.replace(far, params=dataclasses.replace(far.params, weights=weights))]


@pytest.mark.slow
def test_nonzeros_are_exact(tmp_path: Path) -> None:
    rng = rng_for("nonzeros")
    layers = ON_M4.fitting(Conv2DNonzeros(), nonzero_layers(rng), 50)
    ON_M4.check_kernel(Conv2DNonzeros(), layers, tmp_path, rng)


def test_far_weights_are_reached_by_zeros() -> None:
    row = np.zeros(600, np.int8)
    row[[254, 599]] = 3, -4
    assert list_nonzeros(row) == bytes((255, 3, 255, 0, 90, 252, 0))


BARS: list[tuple[Kernel, Draw, dict[str, Any], float, float]] = [
    # stored, weights, layer; at most so many times the instructions and the constants of int8
    (TILES[0], shared(16), SHAPES[0], 1.03, 0.60),
    (TILES[0], shared(8), SHAPES[0], 1.03, 0.50),
    (TILES[0], shared(4), SHAPES[0], 1.03, 0.40),
    (TILES[0], shared(16), SHAPES[1], 1.03, 0.60),
    (TILES[1], shared(16), SHAPES[0], 1.10, 0.60),
    (TILES[1], shared(16), SHAPES[1], 1.10, 0.60),
    (TILES[2], pruned(0.75), SHAPES[1], 1.03, 0.55),
    (TILES[2], pruned(0.9), SHAPES[1], 1.03, 0.36),
    (Conv2DNonzeros(), pruned(0.75), SHAPES[0], 0.66, 0.60),
    (Conv2DNonzeros(), pruned(0.9), SHAPES[0], 0.36, 0.36),
]


@pytest.mark.slow
def test_cost_against_int8(tmp_path: Path) -> None:
    rng = rng_for("bars")
    geometry: dict[str, Any] = {"stride": (1, 1), "dilation": (1, 1), "padding": "same"}
    base = [relu_layer(rng, **shape, **geometry) for shape in SHAPES]
    plain = [with_weights(rng, layer, dense, healthy=True) for layer in base]
    before = ON_M4.counts(Conv2D4x2(), plain, tmp_path, rng)
    for kernel, draw, shape, instructions, constants in BARS:
        at = SHAPES.index(shape)
        layer = with_weights(rng, base[at], draw, healthy=True)
        (after,) = ON_M4.check_costs(kernel, [layer], tmp_path, rng, percent=4)
        stated = kernel.cost(layer, M4).constant_bytes / Conv2D4x2().cost(plain[at], M4).constant_bytes
        assert after.instructions <= instructions * before[at].instructions, (kernel.name, after, before[at])
        assert stated <= constants, (kernel.name, stated)
        ON_M4.check_code_bytes(kernel, [layer], tmp_path)


def test_a_tile_takes_about_2_kilobytes() -> None:
    rng = rng_for("scratch")
    for shape in SHAPES:
        layer = with_weights(rng, relu_layer(rng, **shape, stride=(1, 1), dilation=(1, 1), padding="same"), shared(16))
        plain = Conv2D4x2().scratch_bytes(layer, M4)
        assert TILES[1].scratch_bytes(layer, M4) - plain <= 2048 + 512
        assert TILES[0].scratch_bytes(layer, M4) - plain > 2048 + 512


REFUSED: list[tuple[Kernel, dict[str, Any], Draw, str]] = [
    (TILES[0], {}, dense, "different values, more than 16"),
    (TILES[0], {"output_channels": 6}, shared(4), "6 output channels are no multiple of the 4"),
    (TILES[0], {"size": (3, 5)}, shared(4), "15 pixels are fewer than the 16"),
    (TILES[1], {}, shared(4), "no more than a tile of 2,048 B"),
    (TILES[2], {}, dense, "0 % of the weights are 0"),
    (TILES[2], {}, pruned(0.1), "no less than the 64 B"),
    (Conv2DNonzeros(), {}, bits(4), "of the weights are 0: lists of the others would take"),
    (Conv2DNonzeros(), {}, pruned(0.375), "38 % of the weights are 0"),
    (Conv2DNonzeros(), {"kernel": (3, 3)}, pruned(0.9), "windows are 3x3"),
    (Conv2DNonzeros(), {"size": (1, 7)}, pruned(0.9), "7 pixels are fewer than the 8"),
    (Conv2DNonzeros(), {"input_channels": 6}, pruned(0.9), "6 input channels are no multiple of 4"),
]


@pytest.mark.parametrize(("kernel", "wanted", "draw", "reason"), REFUSED)
def test_refuses(kernel: Kernel, wanted: dict[str, Any], draw: Draw, reason: str) -> None:
    rng = rng_for("refused")
    shape = {"size": (4, 4), "input_channels": 8, "output_channels": 8, **POINTWISE, **wanted}
    assert reason in kernel.fits(with_weights(rng, relu_layer(rng, **shape), draw), M4)

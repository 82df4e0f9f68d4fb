"""Depthwise convolutions through a plane: exact in place, as fast and as small as stated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kits.conv_layers import depthwise_layer
from kits.kernel_checks import M0, ON_M0, model_layers, rng_for
from kits.kernel_layers import Rng
from tinyedge.boards import CORES
from tinyedge.kernels.armv6m.depthwise import MOST_OUTPUTS, MOST_STRIDE, Depthwise, Form, code_assembly
from tinyedge.kernels.armv6m.requantize import LineForm
from tinyedge.kernels.contract import ExactOffset
from tinyedge.ops.contract import Layer

KERNEL = Depthwise()
UNFUSED: dict[str, Any] = {"output_zero_point": 3, "limits": (-128, 127)}


def special_layers(rng: Rng) -> list[Layer]:
    """Widths with and without divisors, strides, filters, borders, clamps, ReLU or not."""
    return [
        *(
            depthwise_layer(rng, folded=True, size=(3, w), padding="same", stride=(1, 1))
            for w in (1, 2, 3, 5, 13, 16, 17)
        ),
        *(depthwise_layer(rng, folded=True, size=(7, w), padding="same", stride=(2, 2)) for w in (1, 2, 5, 6)),
        *(
            depthwise_layer(rng, folded=True, size=(7, 6), padding="same", kernel=(h, w), stride=(1, s))
            for h, w, s in ((1, 1, 1), (1, 3, 1), (2, 2, 1), (3, 1, 3), (2, 3, 2), (3, 2, 2), (3, 3, 3), (1, 1, 2))
        ),
        *(depthwise_layer(rng, folded=True, size=(9, 8), padding="valid", stride=s) for s in ((1, 1), (2, 1), (3, 4))),
        *(depthwise_layer(rng, folded=True, size=(5, 6), padding=(2, 2), stride=(2, 2)) for _ in range(2)),
        *(depthwise_layer(rng, folded=True, size=(5, 6), padding="same", **UNFUSED) for _ in range(6)),
        *(depthwise_layer(rng, folded=True, size=(5, 6), limits=limits) for limits in ((-128, 50), (-120, 127))),
        *(depthwise_layer(rng, folded=True, size=(2, 3), input_channels=n) for n in (1, 2, 4, 64, 300)),
    ]


def test_is_exact(compiler: str, tmp_path: Path) -> None:
    rng = rng_for("depthwise")
    layers = ON_M0.fitting(KERNEL, special_layers(rng), 25)
    layers += ON_M0.fitting(KERNEL, [depthwise_layer(rng) for _ in range(15)], 1)
    ON_M0.check_kernel(KERNEL, layers if compiler == "zig" else layers[::9], tmp_path, rng, compiler)


@pytest.mark.parametrize("model", ["kws_ref_model", "vww_96_int8"])
def test_is_exact_on_layers_of(model: str, shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, model, "depthwise_conv_2d")
    assert all(not KERNEL.fits(layer, M0) for layer in layers)
    ON_M0.check_kernel(KERNEL, [layer for layer in layers if layer.macs < 80_000], tmp_path, rng_for(model))


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    layers = [
        depthwise_layer(rng, folded=True, size=size, stride=stride, padding="same", input_channels=channels)
        for size, stride, channels in (((25, 5), (1, 1), 16), ((12, 12), (1, 1), 8), ((12, 12), (2, 2), 8))
    ]
    counts = ON_M0.check_costs(KERNEL, ON_M0.fitting(KERNEL, layers, len(layers)), tmp_path, rng)
    ON_M0.check_code_bytes(KERNEL, layers, tmp_path)
    for layer, (_, cycles, _), most in zip(layers, counts, (8.9, 8.4, 13.0), strict=True):
        assert cycles / layer.macs < most


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"stride": (1, 5)}, "windows lie 5 columns apart"),
    ({"depth_multiplier": 2}, "the depth multiplier is 2"),
    ({"kernel": (5, 3)}, "the filter is 5x3"),
    ({"dilation": (2, 1)}, "the filter is dilated by 2x1"),
    ({"padding": (6, 6), "stride": (1, 1)}, "the output does not fit over the input"),
]


@pytest.mark.parametrize(("wanted", "reason"), REFUSED)
def test_refuses(wanted: dict[str, Any], reason: str) -> None:
    layer = depthwise_layer(rng_for("refused"), folded=True, **{"size": (8, 8), **wanted})
    assert reason in KERNEL.fits(layer, M0)


def test_branches_reach_over_the_largest_function() -> None:
    line = LineForm(digit_bits=9, fraction=18, digits=3, bent=True, low=-120, high=100)
    form = Form(line, kernel_h=3, kernel_w=3, stride=MOST_STRIDE, outputs=MOST_OUTPUTS, copied=MOST_OUTPUTS)
    assert code_assembly(form).code_bytes < 2040


def test_is_for_armv6m() -> None:
    layer = depthwise_layer(rng_for("core"), folded=True)
    assert KERNEL.fits(layer, CORES["cortex-m4f"]).startswith("made for Armv6-M")
    assert isinstance(KERNEL.in_place_offset(layer, M0, 0), ExactOffset)

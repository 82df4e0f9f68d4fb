"""Convolutions with Helium: every geometry, quantization and clamp against the numpy reference, and what they take."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.kernel_checks import M55, ON_M55, model_layers, rng_for
from kits.kernel_layers import Rng
from ops.conv_2d import conv_2d_layer, conv_layer, relu_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv81m.conv_2d import KERNELS, Conv2DColumns, Conv2DRows, Conv2DRowsLooped
from tinyedge.kernels.armv81m.layout import layout_in_place, rows_layout, tile_form
from tinyedge.kernels.armv81m.tile import Ties, requantization_of
from tinyedge.ops.contract import Layer

pytestmark = pytest.mark.toolchain

ROWS: dict[str, Any] = {"stride": (1, 1), "dilation": (1, 1)}
PLAIN: dict[str, Any] = {**ROWS, "kernel": (1, 1), "padding": "valid"}


def special_layers(rng: Rng) -> list[Layer]:
    """Every way through the input, tails of channels, pixels and vectors, clamps, scales that shift left."""
    same: dict[str, Any] = {**ROWS, "padding": "same", "kernel": (3, 3)}
    return [
        *(conv_layer(rng, size=(3, 3), input_channels=16, output_channels=n, **PLAIN) for n in (1, 2, 3, 4, 5, 130)),
        *(conv_layer(rng, size=(2, 3), input_channels=n, output_channels=4, **PLAIN) for n in (3, 4, 12, 20, 48, 80)),
        *(conv_layer(rng, size=(1, 1), input_channels=n, output_channels=11, **PLAIN) for n in (4, 16, 144)),
        *(relu_layer(rng, size=(5, 6), input_channels=n, output_channels=8, **same) for n in (3, 8, 16, 32, 48, 64)),
        relu_layer(rng, size=(4, 9), input_channels=16, output_channels=8, **{**same, "kernel": (2, 5)}),
        relu_layer(rng, size=(4, 7), input_channels=32, output_channels=8, **{**same, "kernel": (1, 4)}),
        relu_layer(rng, size=(6, 6), input_channels=16, output_channels=8, **{**same, "stride": (2, 2)}),
        relu_layer(rng, size=(6, 5), input_channels=16, output_channels=8, **{**same, "padding": "valid"}),
        conv_layer(rng, size=(13, 10), kernel=(10, 4), stride=(2, 2), padding="same", input_channels=1),
        conv_layer(rng, size=(7, 8), kernel=(2, 3), padding="same", dilation=(1, 2), input_channels=20),
        conv_layer(rng, size=(8, 8), kernel=(3, 3), padding="same", dilation=(2, 1), stride=(1, 1), input_channels=8),
        conv_layer(rng, size=(8, 9), kernel=(1, 1), stride=(3, 2), padding="same", input_channels=16),
        conv_layer(rng, size=(6, 6), kernel=(3, 3), padding=(3, 4), dilation=(1, 1), stride=(2, 1), input_channels=4),
        *(conv_layer(rng, size=(3, 4), limits=limits) for limits in ((-128, 50), (-40, 127), (-7, 9), (5, 5))),
        *(relu_layer(rng, size=(3, 4), output_zero_point=z, limits=(z, 127)) for z in (-128, -100, 0, 127)),
        *(conv_2d_layer(rng, groups=1) for _ in range(30)),
    ]


def test_are_exact(compiler: str, tmp_path: Path) -> None:
    rng = rng_for(f"helium {compiler}")
    ON_M55.check_kernels(KERNELS, special_layers(rng), tmp_path, rng, compiler)


@pytest.mark.parametrize("model", ["kws_ref_model", "pretrainedResnet_quant", "vww_96_int8"])
def test_are_exact_on_layers_of(model: str, shared_models: Path, tmp_path: Path) -> None:
    layers = [layer for layer in model_layers(shared_models, model, "conv_2d") if layer.macs < 1_200_000]
    ON_M55.check_kernels(KERNELS[:3], layers[-10:], tmp_path, rng_for(model), "zig")


def test_in_place_offsets_are_not_larger_than_needed(tmp_path: Path) -> None:
    rng = rng_for("in-place offsets")
    layers = [
        conv_layer(
            rng, size=(int(rng.integers(2, 7)), int(rng.integers(2, 7))), kernel=kernel, padding=padding,
            input_channels=16, output_channels=outputs, corners=False, **ROWS,
        )
        for kernel in ((1, 1), (3, 3))
        for padding in ("same", "valid")
        for outputs in (4, 16, 32)
    ]  # fmt: skip

    def counts_bytes(layer: Layer) -> bool:
        layout = rows_layout(layer.params)
        return (
            layout.width > 1
            and layout_in_place(layer.params, layout, tile_form(layer.params, layout, looped=False)) > 0
        )

    layers = [layer for layer in ON_M55.fitting(Conv2DRows(), layers, 6) if counts_bytes(layer)]
    ON_M55.check_offsets_are_tight(Conv2DRows(), layers, tmp_path, rng)


SPEEDS = [
    # size, kernel, stride, channels; products an instruction
    ((25, 5), (1, 1), (1, 1), (64, 64), 7.9),
    ((16, 16), (3, 3), (1, 1), (16, 16), 9.7),
    ((16, 16), (3, 3), (1, 1), (32, 32), 11.2),
    ((8, 8), (3, 3), (1, 1), (64, 64), 11.6),
    ((16, 16), (3, 3), (2, 2), (32, 64), 10.7),
]


def speed_layers(rng: Rng) -> list[Layer]:
    return [
        relu_layer(rng, size=size, kernel=kernel, stride=stride, padding="same", dilation=(1, 1),
                   input_channels=channels[0], output_channels=channels[1])
        for size, kernel, stride, channels, _ in SPEEDS
    ]  # fmt: skip


def test_products_per_instruction(tmp_path: Path) -> None:
    rng = rng_for("speed")
    layers = speed_layers(rng)
    for layer, row, (instructions, _, _) in zip(
        layers, SPEEDS, ON_M55.counts(Conv2DRows(), layers, tmp_path, rng), strict=True
    ):
        assert layer.macs / instructions > row[-1], (row, instructions)


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    layers = speed_layers(rng)
    ON_M55.check_costs(Conv2DRows(), layers, tmp_path, rng, percent=5)
    ON_M55.check_costs(Conv2DRowsLooped(), layers[1:], tmp_path, rng, percent=5)
    short = {"padding": "same", "dilation": (1, 1)}
    layers = [
        relu_layer(rng, size=(32, 32), kernel=(3, 3), stride=(1, 1), input_channels=3, output_channels=16, **short),
        relu_layer(rng, size=(49, 10), kernel=(10, 4), stride=(2, 2), input_channels=1, output_channels=64, **short),
        relu_layer(rng, size=(8, 8), kernel=(3, 3), stride=(1, 1), input_channels=16, output_channels=16, **short),
    ]
    ON_M55.check_costs(Conv2DColumns(), layers, tmp_path, rng, percent=12)


def test_ties_are_treated_where_they_show() -> None:
    rng = rng_for("ties")
    layer = relu_layer(rng)
    assert requantization_of(layer.params).ties is Ties.CLAMPED
    linear = dataclasses.replace(layer.params, output_zero_point=3)
    assert requantization_of(linear).ties is Ties.LOWERED
    some = np.where(np.arange(linear.output_channels) == 0, 2, linear.shift).astype(np.int32)
    assert requantization_of(dataclasses.replace(linear, shift=some)).ties is Ties.MASKED
    assert requantization_of(dataclasses.replace(linear, shift=some)).left


def test_refuse_other_cores_and_groups() -> None:
    rng = rng_for("refused")
    grouped = conv_2d_layer(rng, groups=2, input_channels=4, output_channels=8)
    assert all(kernel.fits(grouped, M55) == "the convolution has 2 groups" for kernel in KERNELS)
    assert all("no Helium" in kernel.fits(relu_layer(rng), CORES["cortex-m33f"]) for kernel in KERNELS)

"""Depthwise in little code: exact for any filter, one function for all sizes, in place, costs as stated."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from kits.conv_layers import depthwise_layer
from kits.kernel_checks import M4, ON_M4, loop_lines, model_layers, rng_for
from kits.kernel_layers import Rng
from tinyedge.kernels.armv7em.depthwise_compact import (
    KERNELS,
    DepthwiseAny,
    DepthwiseCompact3x3,
    bytes_3x3,
    pairs_of_any,
)
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

BY_NAME = {kernel.name: kernel for kernel in KERNELS}
SIZES = ((1, 1), (1, 2), (2, 1), (3, 3), (4, 7), (5, 25), (25, 5), (6, 6), (9, 8), (3, 40), (40, 3))


def layers_3x3(rng: Rng) -> list[Layer]:
    layers = [
        depthwise_layer(rng, size=size, stride=(s, s), padding="same", input_channels=4 + size[0] % 4)
        for size in SIZES
        for s in (1, 2)
    ]
    return layers + [
        depthwise_layer(rng, size=(5, 4), stride=stride, padding=padding, input_channels=6)
        for stride in ((1, 1), (2, 2), (1, 2), (2, 1), (3, 1))
        for padding in ("same", "valid", (2, 1), (3, 3), (0, 2))
    ]


def layers_any(rng: Rng) -> list[Layer]:
    kernels = ((1, 1), (1, 2), (2, 1), (5, 5), (7, 7), (10, 1), (1, 10), (4, 6), (2, 3), (3, 9))
    layers = [
        depthwise_layer(rng, kernel=kernel, size=(9, 11), stride=(s, s), padding=padding, input_channels=4 + s)
        for kernel in kernels
        for s in (1, 2)
        for padding in ("same", "valid", (1, 2))
    ]
    layers += [depthwise_layer(rng, kernel=(5, 4), size=(7, w), stride=(1, 1), input_channels=5) for w in range(4, 13)]
    return layers + [
        depthwise_layer(rng, size=(25, 1), kernel=(10, 1), stride=(1, 1), limits=(-9, 70)) for _ in range(2)
    ]


LAYERS = {kernel: layers_3x3 if "3x3" in kernel else layers_any for kernel in BY_NAME}


@pytest.mark.parametrize("name", BY_NAME)
def test_is_exact(name: str, tmp_path: Path) -> None:
    rng = rng_for(name)
    ON_M4.check_kernel(BY_NAME[name], ON_M4.fitting(BY_NAME[name], LAYERS[name](rng), 25), tmp_path, rng)


@pytest.mark.parametrize("model", ["kws_ref_model", pytest.param("vww_96_int8", marks=pytest.mark.slow)])
def test_is_exact_on_layers_of(model: str, shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, model, "depthwise_conv_2d")[-6:]
    ON_M4.check_kernel(DepthwiseCompact3x3(transposed=False), layers, tmp_path, rng_for(model))
    ON_M4.check_kernel(DepthwiseAny(transposed=False), layers[:1], tmp_path, rng_for(model))


def test_one_function_serves_all_sizes() -> None:
    rng = rng_for("shared")
    kernel = DepthwiseCompact3x3(transposed=False)
    names = {
        kernel.cost(depthwise_layer(rng, folded=True, size=size, stride=(1, 1), input_channels=c), M4).shared_code
        for size, c in (((5, 5), 8), ((25, 5), 64), ((48, 48), 7))
    }
    assert len(names) == 1


def sizes_for_costs(kernel: Kernel, rng: Rng) -> list[Layer]:
    filters = ((3, 3),) if "3x3" in kernel.name else ((5, 5), (3, 3), (10, 1), (7, 4))
    return [
        depthwise_layer(
            rng, folded=True, kernel=k, size=size, stride=(s, s), padding="same", input_channels=c, corners=False
        )
        for size, c in (((25, 5), 64), ((24, 24), 16), ((6, 6), 57)) for s in (1, 2) for k in filters
    ]  # fmt: skip


@pytest.mark.parametrize("name", BY_NAME)
def test_costs_are_honest(name: str, tmp_path: Path) -> None:
    rng = rng_for(name)
    kernel = BY_NAME[name]
    layers = [layer for layer in sizes_for_costs(kernel, rng) if not kernel.fits(layer, M4)]
    ON_M4.check_costs(kernel, layers, tmp_path, rng)
    ON_M4.check_code_bytes(kernel, layers[:1], tmp_path)


FIGURES = [
    ("armv7em/depthwise_3x3_compact", (3, 3), (24, 24), 1, 2.45),
    ("armv7em/depthwise_3x3_compact", (3, 3), (24, 24), 2, 3.45),
    ("armv7em/depthwise_any", (5, 5), (24, 24), 1, 1.75),
    ("armv7em/depthwise_any", (7, 7), (24, 24), 1, 1.45),
    ("armv7em/depthwise_any_transposed", (10, 1), (48, 2), 1, 2.60),
]


@pytest.mark.parametrize(("name", "kernel", "size", "stride", "most"), FIGURES)
def test_instructions_per_mac(
    name: str, kernel: tuple[int, int], size: tuple[int, int], stride: int, most: float, tmp_path: Path
) -> None:
    layer = depthwise_layer(
        rng_for(name), folded=True, kernel=kernel, size=size, stride=(stride, stride), padding="same", input_channels=32
    )
    counted, _, _ = ON_M4.counts(BY_NAME[name], [layer], tmp_path, rng_for(name))[0]
    assert counted / layer.macs < most


def test_loops_keep_everything_in_registers() -> None:
    rng = rng_for("loop")
    for kernel, comment in (
        (DepthwiseCompact3x3(transposed=False), "two outputs"),
        (DepthwiseAny(transposed=False), "four outputs"),
    ):
        lines = loop_lines(kernel, depthwise_layer(rng, folded=True, size=(9, 9), stride=(1, 1)), comment)
        assert not [line for line in lines if "[sp" in line]


def test_weights_of_any_filter_in_pairs() -> None:
    taps = np.array([[1, 2, 3]])
    assert [hex(word) for word in pairs_of_any(taps, 1)] == ["0x20001", "0x10000", "0x3", "0x30002"]
    assert [hex(word) for word in pairs_of_any(taps, 2)] == ["0x20001", "0x3"]


def test_weights_of_3x3_in_bytes() -> None:
    taps = np.array([[1, 2, 3], [4, 5, -6], [7, 8, 9]])
    assert [hex(word) for word in bytes_3x3(taps, 1)] == ["0x3020201", "0xfa050504", "0x9080807"]
    assert [hex(word) for word in bytes_3x3(taps, 2)] == ["0xfa020301", "0x50904", "0x80007"]


def test_refuses() -> None:
    rng = rng_for("refused")
    any_filter = DepthwiseAny(transposed=False)
    strides = depthwise_layer(rng, kernel=(5, 5), size=(9, 9), stride=(3, 3), padding="same")
    assert "the stride along pairs of pixels is 3" in any_filter.fits(strides, M4)
    gaps = depthwise_layer(rng, kernel=(2, 5), size=(9, 9), stride=(3, 1), padding="same")
    assert "rows between windows are not read" in any_filter.fits(gaps, M4)
    square = depthwise_layer(rng, kernel=(5, 5), size=(9, 9), stride=(1, 1), padding="same")
    compact = DepthwiseCompact3x3(transposed=False)
    assert "the kernel computes 3x3" in compact.fits(square, M4)
    layer = depthwise_layer(rng, size=(9, 9), stride=(1, 1), padding="same")
    biased = dataclasses.replace(layer.params, bias=np.full_like(layer.params.bias, 1 << 27))
    assert "the kernel has room for less than 67,108,864" in compact.fits(dataclasses.replace(layer, params=biased), M4)
    assert "all is square" in DepthwiseAny(transposed=True).fits(square, M4)

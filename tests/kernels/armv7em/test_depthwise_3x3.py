"""Depthwise 3x3: exact for every geometry it takes, in place, as fast as stated, and refused otherwise."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.conv_layers import depthwise_layer
from kits.core_kernels import CoreRunner
from kits.kernel_cases import count_mismatches, make_case
from kits.kernel_checks import M4, ON_M4, loop_lines, model_layers, rng_for
from kits.kernel_layers import Rng
from tinyedge.arithmetic.quantization import requantize
from tinyedge.boards import Core, Isa
from tinyedge.kernels.armv7em.depthwise_3x3 import KERNELS, Depthwise3x3
from tinyedge.kernels.armv7em.depthwise_constants import FRACTION, can_fold, fold_bits, short_scales
from tinyedge.kernels.contract import ExactOffset
from tinyedge.ops.contract import Layer

BY_NAME = {kernel.name: kernel for kernel in KERNELS}


def special_layers(rng: Rng) -> list[Layer]:
    """Sizes around those of blocks and bands, every remainder of channels, borders of any width, both strides."""
    layers = [
        depthwise_layer(rng, folded=True, size=(h, w), stride=(s, s), padding="same", input_channels=4 + h % 4)
        for h, w in ((1, 1), (1, 2), (2, 1), (3, 3), (4, 7), (5, 25), (25, 5), (6, 6), (9, 8), (3, 48), (48, 3))
        for s in (1, 2)
    ]
    layers += [depthwise_layer(rng, folded=True, size=(7, 9), input_channels=c) for c in (4, 5, 6, 7, 8, 9, 10, 11)]
    layers += [
        depthwise_layer(rng, size=(5, 4), stride=stride, padding=padding, input_channels=6)
        for stride in ((1, 1), (2, 2), (1, 2), (2, 1))
        for padding in ("same", "valid", (2, 1), (3, 3), (0, 2))
    ]
    layers += [
        depthwise_layer(rng, size=(8, 8), padding="same", limits=limits) for limits in ((-20, 60), (-128, 5), (0, 127))
    ]
    return layers


@pytest.mark.parametrize("name", BY_NAME)
def test_is_exact(name: str, tmp_path: Path) -> None:
    rng = rng_for(name)
    kernel = BY_NAME[name]
    drawn = special_layers(rng) + [depthwise_layer(rng, folded=bool(at % 2)) for at in range(30)]
    layers = ON_M4.fitting(kernel, drawn, 25)
    assert {can_fold(layer.params) for layer in layers} == {True, False}
    ON_M4.check_kernel(kernel, layers, tmp_path, rng)


def test_is_exact_when_built_by_gcc(tmp_path: Path) -> None:
    if not shutil.which("arm-none-eabi-gcc"):
        pytest.skip("no arm-none-eabi-gcc on PATH: install gcc-arm-none-eabi")
    rng = rng_for("gcc")
    for kernel in KERNELS[:3:2]:
        layers = ON_M4.fitting(kernel, [depthwise_layer(rng, folded=bool(at % 2)) for at in range(8)], 4)
        ON_M4.check_kernel(kernel, layers, tmp_path, rng, "gcc")


@pytest.mark.parametrize("model", ["kws_ref_model", pytest.param("vww_96_int8", marks=pytest.mark.slow)])
def test_is_exact_on_layers_of(model: str, shared_models: Path, tmp_path: Path) -> None:
    layers = model_layers(shared_models, model, "depthwise_conv_2d")
    for kernel in KERNELS:
        fit = [layer for layer in layers if not kernel.fits(layer, M4)]
        if fit:
            ON_M4.check_kernel(kernel, fit, tmp_path, rng_for(model))
    assert all(any(not kernel.fits(layer, M4) for kernel in KERNELS) for layer in layers)


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    sizes = [((25, 5), 64, 1), ((24, 24), 16, 1), ((24, 24), 16, 2), ((6, 6), 57, 1), ((3, 3), 30, 1), ((13, 7), 9, 2)]
    layers = [
        depthwise_layer(
            rng, folded=bool(at % 2), size=size, stride=(s, s), padding="same", input_channels=c, corners=False
        )
        for at, (size, c, s) in enumerate(sizes)
    ]
    for kernel in KERNELS:
        fit = [layer for layer in layers if not kernel.fits(layer, M4)]
        ON_M4.check_costs(kernel, fit, tmp_path, rng)
        ON_M4.check_code_bytes(kernel, fit[:1], tmp_path)


FIGURES = [
    ("armv7em/depthwise_3x3_transposed_fixed", (25, 5), 64, 1, 1.60, 2.00),
    ("armv7em/depthwise_3x3_fixed", (24, 24), 32, 1, 1.52, 1.92),
    ("armv7em/depthwise_3x3_fixed", (48, 48), 8, 1, 1.52, 1.96),
    ("armv7em/depthwise_3x3_fixed", (24, 24), 32, 2, 2.40, 3.10),
    ("armv7em/depthwise_3x3", (24, 24), 32, 1, 1.72, 2.36),
]


@pytest.mark.parametrize(("name", "size", "channels", "stride", "instructions", "cycles"), FIGURES)
def test_figures_per_mac(
    name: str, size: tuple[int, int], channels: int, stride: int, instructions: float, cycles: float, tmp_path: Path
) -> None:
    rng = rng_for(name)
    layer = depthwise_layer(
        rng, folded=True, size=size, stride=(stride, stride), padding="same", input_channels=channels
    )
    counted, modelled, _ = ON_M4.counts(BY_NAME[name], [layer], tmp_path, rng)[0]
    assert counted / layer.macs < instructions
    assert modelled / layer.macs < cycles


@pytest.mark.parametrize("shift", range(-10, -3))
def test_short_requantization_is_exact(shift: int) -> None:
    """Over small sums one by one and large ones at random, for multipliers at both ends and between."""
    rng = rng_for("short")
    bound = (1 << 31) >> fold_bits(shift)
    sums = np.concatenate([np.arange(-20000, 20000), rng.integers(1 - bound, bound, 50000), [1 - bound, bound - 1]])
    for multiplier in (1 << 30, (1 << 30) + 1, 1518500250, (1 << 31) - 1):
        factor, addend = short_scales(multiplier, shift)
        shifted = ((sums << fold_bits(shift)) * factor + (addend << 32)) >> 32
        expected = requantize(sums, multiplier, shift, -128, -128, 127)
        assert np.array_equal(np.clip(shifted >> FRACTION, -128, 127), expected)
        assert np.abs(shifted).max() < 1 << 31


@pytest.mark.parametrize("stride", [1, 2])
def test_blocks_keep_everything_in_registers(stride: int) -> None:
    layer = depthwise_layer(rng_for("loop"), folded=True, size=(16, 17), stride=(stride, stride), padding="same")
    for kernel in KERNELS[::2]:
        lines = loop_lines(kernel, layer, "2x2 outputs")
        assert sum(line.startswith("smla") for line in lines) % 24 == 0
        assert not [line for line in lines if "[sp" in line]


def test_an_output_below_the_input_would_be_wrong(tmp_path: Path) -> None:
    """So the in-place offset is exact: the planner may not put the output further down, where it seems to be free."""
    rng = rng_for("exact")
    kernel = Depthwise3x3(transposed=False, fixed=False)
    layer = depthwise_layer(
        rng, folded=True, size=(6, 6), stride=(1, 1), padding="same", input_channels=8, corners=False
    )
    assert isinstance(kernel.in_place_offset(layer, M4, 0), ExactOffset)
    cases = [make_case(layer, kernel, M4, overlap=below) for below in (0, 4)]
    mismatches = count_mismatches(cases, CoreRunner(tmp_path, M4), rng, samples=6)
    assert mismatches[0] == 0
    assert mismatches[1] > 0


def test_in_bands_by_columns_a_stride_of_two_is_not_for_one_address() -> None:
    layer = depthwise_layer(rng_for("bands"), size=(60, 40), stride=(2, 2), padding="same", input_channels=8)
    assert Depthwise3x3(transposed=False, fixed=False).in_place_offset(layer, M4, 0) == 0
    assert Depthwise3x3(transposed=True, fixed=False).in_place_offset(layer, M4, 0) is None


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"kernel": (3, 5)}, "the filter is 3x5"),
    ({"depth_multiplier": 2}, "the depth multiplier is 2"),
    ({"input_channels": 3}, "there are 3 channels"),
    ({"dilation": (2, 2), "size": (9, 9)}, "dilated"),
    ({"stride": (3, 3), "size": (9, 9)}, "strides are 3x3"),
    ({"size": (4, 300), "stride": (1, 1)}, "a row of 300 columns is too long"),
]


@pytest.mark.parametrize(("wanted", "reason"), REFUSED)
def test_refuses(wanted: dict[str, Any], reason: str) -> None:
    layer = depthwise_layer(rng_for("refused"), **{"padding": "same", **wanted})
    assert reason in Depthwise3x3(transposed=False, fixed=False).fits(layer, M4)


def test_refuses_more() -> None:
    rng = rng_for("more")
    shared, fixed = Depthwise3x3(transposed=False, fixed=False), Depthwise3x3(transposed=False, fixed=True)
    wide = depthwise_layer(rng, size=(4, 4), padding="same", input_channels=500)
    assert "too far from each other" in fixed.fits(wide, M4)
    assert shared.fits(wide, M4) == ""
    assert "no floating point registers" in shared.fits(wide, Core("test", Isa.ARMV7EM))
    assert "all is square" in Depthwise3x3(transposed=True, fixed=False).fits(wide, M4)
    left = dataclasses.replace(
        wide.params, shift=np.zeros_like(wide.params.shift), multiplier=wide.params.multiplier | 1
    )
    assert "shifted left by 0" in shared.fits(dataclasses.replace(wide, params=left), M4)

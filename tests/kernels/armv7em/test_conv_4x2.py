"""Convolutions of four channels by two pixels: exact, as fast and as small as stated, refused where sums could mix."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.conv_layers import conv_corners
from kits.core_kernels import CoreRunner
from kits.kernel_cases import check_exact, make_case
from kits.kernel_checks import M4, ON_M4, loop_lines, model_layers, rng_for
from kits.kernel_layers import Pair, Rng, random_inputs
from ops.conv_2d import conv_layer, relu_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv7em.conv_4x2 import Conv2D4x2, Conv2D4x2Compact, Conv2D4x2Unrolled
from tinyedge.kernels.armv7em.conv_4x2_layout import find_layout, layout_in_place
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

KERNELS: dict[str, Kernel] = {
    kernel.name.removeprefix("armv7em/conv_2d_"): kernel
    for kernel in (Conv2D4x2(), Conv2D4x2Compact(), Conv2D4x2Unrolled())
}


def special_layers(rng: Rng) -> list[Layer]:
    """Shapes of real models; every remainder of channels; odd sizes; borders wider than the input; all clamps."""
    plain: dict[str, Any] = {"kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "padding": "valid"}
    return [
        *(conv_layer(rng, size=(3, 3), input_channels=8, output_channels=n, **plain) for n in (4, 5, 6, 7, 8, 9)),
        *(conv_layer(rng, size=(2, 3), input_channels=n, output_channels=4, **plain) for n in range(1, 18)),
        *(relu_layer(rng, size=(4, 5), input_channels=n, output_channels=6, **plain) for n in (3, 4, 8, 12, 60, 64)),
        relu_layer(rng, size=(1, 1), input_channels=16, output_channels=4, **plain),
        *conv_corners(rng, conv_layer, relu_layer),
    ]


@pytest.mark.parametrize("name", KERNELS)
def test_is_exact(name: str, compiler: str, tmp_path: Path) -> None:
    rng = rng_for(name)
    layers = ON_M4.fitting(KERNELS[name], special_layers(rng), 30) if compiler == "zig" else []
    layers += ON_M4.fitting(KERNELS[name], [conv_layer(rng) for _ in range(50)], 25)
    ON_M4.check_kernel(KERNELS[name], layers, tmp_path, rng, compiler)


@pytest.mark.parametrize(
    "model", ["kws_ref_model", "pretrainedResnet_quant", pytest.param("vww_96_int8", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("name", KERNELS)
def test_is_exact_on_layers_of(model: str, name: str, shared_models: Path, tmp_path: Path) -> None:
    layers = [layer for layer in model_layers(shared_models, model, "conv_2d") if layer.macs < 600_000]
    ON_M4.check_kernel(KERNELS[name], ON_M4.fitting(KERNELS[name], layers, 3), tmp_path, rng_for(model))


@pytest.mark.parametrize("core", ["cortex-m33f", "cortex-m7f"])
def test_is_exact_on_other_cores(core: str, tmp_path: Path) -> None:
    rng = rng_for(core)
    layers = special_layers(rng)[-30:]
    cases = [make_case(layer, Conv2D4x2(), CORES[core]) for layer in layers if not Conv2D4x2().fits(layer, CORES[core])]
    assert len(cases) > 15
    check_exact(cases, CoreRunner(tmp_path, CORES[core]), rng)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_in_place_offsets_are_not_larger_than_needed(padding: str, tmp_path: Path) -> None:
    rng = rng_for("in-place offsets")
    layers = [
        conv_layer(
            rng, size=(int(rng.integers(2, 7)), int(rng.integers(2, 7))), kernel=kernel, padding=padding,
            stride=(1, 1), dilation=(1, 1), input_channels=4, output_channels=outputs, corners=False,
        )
        for kernel in ((1, 1), (3, 3), (1, 3))
        for outputs in (4, 8, 12)
    ]  # fmt: skip
    layers = [layer for layer in layers if layout_in_place(layer.params, find_layout(layer.params)) % 4 == 0]
    ON_M4.check_offsets_are_tight(Conv2D4x2(), ON_M4.fitting(Conv2D4x2(), layers, 6), tmp_path, rng)


def test_reads_as_far_behind_the_input_as_it_says(tmp_path: Path) -> None:
    """No further, and the furthest of them as far."""
    rng = rng_for("behind")
    plain: dict[str, Any] = {"stride": (1, 1), "dilation": (1, 1), "padding": "valid", "output_channels": 4}
    layers = [
        *(conv_layer(rng, size=(2, 3), kernel=(1, 1), input_channels=n, **plain) for n in range(1, 9)),
        conv_layer(rng, size=(4, 4), kernel=(3, 3), input_channels=3, **plain),
        conv_layer(rng, size=(4, 3), kernel=(3, 3), input_channels=3, **{**plain, "padding": "same"}),
    ]
    cases = [make_case(layer, Conv2D4x2(), M4) for layer in layers]
    trials = [(number, case.arena(random_inputs(rng, case.layer))) for number, case in enumerate(cases)]
    found = CoreRunner(tmp_path, M4).reads_behind(cases, trials)
    assert found == [case.kernel.reads_behind(case.layer, M4) for case in cases]
    assert set(found) == {0, 1, 2, 3}


SPEEDS = [
    # size, kernel, stride, channels; instructions and cycles per product of conv_2d_4x2
    ((25, 5), (1, 1), (1, 1), (64, 64), 0.91, 1.23),
    ((16, 16), (3, 3), (1, 1), (16, 16), 0.92, 1.26),
    ((8, 8), (3, 3), (1, 1), (64, 64), 0.82, 1.11),
    ((16, 16), (3, 3), (2, 2), (32, 64), 0.84, 1.13),
    ((32, 32), (3, 3), (1, 1), (3, 16), 1.46, 1.98),
    ((49, 10), (10, 4), (2, 2), (1, 64), 1.22, 1.65),
]


def speed_layers(rng: Rng) -> list[Layer]:
    return [
        relu_layer(rng, size=size, kernel=kernel, stride=stride, padding="same", dilation=(1, 1),
                   input_channels=channels[0], output_channels=channels[1])
        for size, kernel, stride, channels, _, _ in SPEEDS
    ]  # fmt: skip


def test_instructions_per_product(tmp_path: Path) -> None:
    rng = rng_for("speed")
    layers = speed_layers(rng)
    found = ON_M4.counts(Conv2D4x2(), layers, tmp_path, rng)
    for layer, row, (instructions, cycles, _) in zip(layers, SPEEDS, found, strict=True):
        assert instructions / layer.macs < row[-2], row
        assert cycles / layer.macs < row[-1], row


def test_pairs_of_loads_pay_on_a_core_with_dual_issue(tmp_path: Path) -> None:
    """The order for the Cortex-M7 against the Cortex-M4's, both on a Cortex-M7, in modelled cycles."""
    rng = rng_for("pairs")
    layers = speed_layers(rng)[:4]
    cycles = {}
    for core in ("cortex-m4f", "cortex-m7f"):
        cases = [make_case(layer, Conv2D4x2(), CORES[core]) for layer in layers]
        runner = CoreRunner(tmp_path, CORES["cortex-m7f"])
        check_exact(cases, runner, rng, samples=1)
        cycles[core] = [count.cycles for count in runner.counts]
    for plain, paired in zip(cycles["cortex-m4f"], cycles["cortex-m7f"], strict=True):
        assert paired < 0.88 * plain


@pytest.mark.parametrize("name", KERNELS)
def test_costs_are_honest(name: str, tmp_path: Path) -> None:
    rng = rng_for("costs")
    plain = {"kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "padding": "valid"}
    sizes: list[tuple[Pair, int, int]] = [((6, 6), 57, 30), ((3, 3), 25, 31), ((12, 12), 8, 16), ((6, 6), 60, 106)]
    layers = [relu_layer(rng, size=s, input_channels=i, output_channels=o, **plain) for s, i, o in sizes]
    layers += speed_layers(rng)
    ON_M4.check_costs(KERNELS[name], ON_M4.fitting(KERNELS[name], layers, 6), tmp_path, rng)
    ON_M4.check_code_bytes(KERNELS[name], layers[:1], tmp_path)


def test_compact_code_is_small() -> None:
    """Relu or not, all clamps that are the type's own share one function of two thirds of a kilobyte."""
    rng = rng_for("compact")
    layers = [relu_layer(rng), conv_layer(rng, limits=(-128, 127)), *speed_layers(rng)]
    shared = {part for layer in layers for part in Conv2D4x2Compact().cost(layer, M4).shared_code}
    assert sum(size for _, size in shared) < 1500
    assert len(shared) == 2


@pytest.mark.parametrize("name", KERNELS)
def test_the_loop_keeps_everything_in_registers(name: str) -> None:
    layer = relu_layer(rng_for("loop"), size=(4, 4), kernel=(1, 1), input_channels=32, output_channels=8)
    lines = loop_lines(KERNELS[name], layer, "biases of a + 256 b, a, c + 256 d, c")
    products = [line for line in lines if line.startswith("smlad")]
    loads = [line for line in lines if line.startswith(("ldr", "ldm", "str", "stm", "push", "pop"))]
    assert not [line for line in lines if "sp" in line]
    assert len(products) == 4 * (len(loads) - 1)


def with_values(layer: Layer, **values: Any) -> Layer:
    """The layer with some of its parameters replaced; numbers fill their arrays."""
    p: Conv2D = layer.params
    filled = {
        name: np.full_like(getattr(p, name), value) if isinstance(getattr(p, name), np.ndarray) else value
        for name, value in values.items()
    }
    return dataclasses.replace(layer, params=dataclasses.replace(p, **filled))


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"output_channels": 3}, {}, "3 output channels are fewer"),
    ({"groups": 2, "input_channels": 4, "output_channels": 8}, {}, "2 groups"),
    ({}, {"shift": 5}, "a shift of 5"),
    ({}, {"multiplier": 0}, "a multiplier of 0"),
    ({}, {"weights": -128}, "a weight of -128"),
    ({}, {"bias": 1 << 23}, "kept apart up to 8,388,607"),
    ({"size": (300, 1), "kernel": (260, 1), "padding": "same"}, {}, "260 rows"),
]


@pytest.mark.parametrize(("wanted", "changed", "reason"), REFUSED)
def test_refuses(wanted: dict[str, Any], changed: dict[str, Any], reason: str) -> None:
    sized = {"size": (4, 4), "kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "input_channels": 4}
    layer = with_values(relu_layer(rng_for("refused"), **{**sized, **wanted}), **changed)
    for kernel in KERNELS.values():
        assert reason in kernel.fits(layer, M4)


def test_shifts_of_0_are_linear(tmp_path: Path) -> None:
    """Without a second rounding a line follows all values, whatever is clamped; double rounding has no such form."""
    rng = rng_for("shift 0")
    sized = {"kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "input_channels": 4, "output_zero_point": 3}
    layer = with_values(conv_layer(rng, **sized, limits=(-128, 127), corners=False), shift=0)
    assert "a shift of 0" in Conv2D4x2Compact().fits(layer, M4)
    ON_M4.check_kernel(Conv2D4x2(), [layer], tmp_path, rng)


def test_unrolled_code_is_limited() -> None:
    layer = relu_layer(rng_for("unrolled"), size=(4, 4), kernel=(1, 1), input_channels=260)
    assert Conv2D4x2Unrolled().fits(layer, M4) == "260 taps are more than the 128 it unrolls"


def test_needs_the_dsp_extension() -> None:
    layer = relu_layer(rng_for("core"))
    for kernel in KERNELS.values():
        assert kernel.fits(layer, CORES["cortex-m3"]).startswith("the core lacks the DSP extension")

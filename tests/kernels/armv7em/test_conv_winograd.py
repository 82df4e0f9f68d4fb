"""Winograd's 3x3 convolutions in integers: exact at the ends of all ranges, as fast as stated, refused elsewhere."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.core_kernels import CoreRunner
from kits.kernel_cases import make_case
from kits.kernel_checks import M4, ON_M4, loop_lines, model_layers, rng_for
from kits.kernel_layers import Rng
from ops.conv_2d import conv_layer, relu_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv7em.conv_winograd import Conv2DWinograd, transform_weights
from tinyedge.ops.contract import Layer
from tinyedge.ops.reference import run_layer

KERNEL = Conv2DWinograd()
GEOMETRY: dict[str, Any] = {"kernel": (3, 3), "stride": (1, 1), "dilation": (1, 1)}


def layer_of(rng: Rng, *, relu: bool | None = None, **wanted: Any) -> Layer:
    """A layer of a size that fits."""
    drawn = {
        "size": (int(rng.integers(4, 8)), int(rng.integers(10, 21))),
        "padding": str(rng.choice(["same", "valid"])),
        "input_channels": 4 * int(rng.integers(1, 4)),
        "output_channels": 2 * int(rng.integers(2, 6)),
    }
    relu = bool(rng.random() < 0.5) if relu is None else relu
    make = relu_layer if relu else conv_layer
    return make(rng, **{**GEOMETRY, **drawn, **wanted})


def special_layers(rng: Rng) -> list[Layer]:
    """Odd sizes, the smallest, borders of more than one, all clamps, a row of outputs beyond 4095 bytes."""
    return [
        *(layer_of(rng, size=size, padding="same") for size in ((2, 8), (3, 8), (2, 9), (5, 15), (4, 17), (7, 23))),
        layer_of(rng, size=(4, 10), padding="valid"),
        layer_of(rng, size=(3, 6), padding=(2, 3)),
        layer_of(rng, size=(1, 8), padding=(3, 1)),
        layer_of(rng, size=(3, 70), padding="same", output_channels=64, input_channels=4),
        layer_of(rng, size=(3, 8), padding="same", input_channels=128, output_channels=2, corners=False),
        *(layer_of(rng, relu=False, limits=limits) for limits in ((-128, 50), (-40, 127), (-7, 9))),
        *(layer_of(rng, relu=True, output_zero_point=z, limits=(z, 127)) for z in (-128, -100, 127)),
    ]


def test_is_exact(compiler: str, tmp_path: Path) -> None:
    rng = rng_for("winograd")
    layers = ON_M4.fitting(KERNEL, special_layers(rng), 16) if compiler == "zig" else []
    layers += ON_M4.fitting(KERNEL, [layer_of(rng) for _ in range(24)], 12)
    ON_M4.check_kernel(KERNEL, layers, tmp_path, rng, compiler)


def test_is_exact_at_the_ends_of_all_ranges(tmp_path: Path) -> None:
    """Filters of one sign, -128 among them, and the inputs that make transformed tiles and products largest."""
    rng = rng_for("ends")
    cases = []
    for value in (-128, 127):
        layer = layer_of(rng, relu=False, size=(4, 8), padding="same", input_channels=16, output_channels=4)
        weights = np.full_like(layer.params.weights, value)
        weights[1, :, 1, :] = -127
        scale = {"shift": np.full_like(layer.params.shift, -12), "bias": np.zeros_like(layer.params.bias)}
        params = dataclasses.replace(layer.params, weights=weights, **scale)
        cases.append(make_case(dataclasses.replace(layer, params=params), KERNEL, M4))
    inputs = [np.full((1, 4, 8, 16), value, np.int8) for value in (-128, 127)]
    stripes = np.where(np.indices((4, 8)).sum(axis=0) // 2 % 2 == 0, -128, 127).astype(np.int8)
    inputs += [np.repeat(stripes[None, :, :, None], 16, axis=3), np.repeat(stripes[None, :, ::-1, None], 16, axis=3)]
    trials = [(number, array) for number in range(len(cases)) for array in inputs]
    arenas = CoreRunner(tmp_path, M4)(cases, [(number, cases[number].arena([array])) for number, array in trials])
    for (number, array), arena in zip(trials, arenas, strict=True):
        expected = run_layer(cases[number].layer, (array,))
        assert np.array_equal(cases[number].outputs(arena)[0], expected[0])


def test_transformed_weights_fit_16_bits() -> None:
    rng = rng_for("bounds")
    signs = rng.choice(np.array([-128, 127], np.int8), (4000, 3, 3, 1))
    ends = np.stack([np.full((3, 3, 1), value, np.int8) for value in (-128, 127)])
    assert np.abs(transform_weights(np.concatenate([signs, ends]))).max() == 9 * 128


def test_leads_are_not_larger_than_needed(tmp_path: Path) -> None:
    rng = rng_for("in-place offsets")
    layers = [
        layer_of(rng, relu=False, size=(6, width), padding="same", input_channels=4, output_channels=8, corners=False)
        for width in (8, 9, 12)
    ]
    ON_M4.check_offsets_are_tight(KERNEL, ON_M4.fitting(KERNEL, layers, 3), tmp_path, rng)


def test_is_exact_on_a_real_layer(shared_models: Path, tmp_path: Path) -> None:
    layers = ON_M4.fitting(KERNEL, model_layers(shared_models, "pretrainedResnet_quant", "conv_2d"), 4)
    ON_M4.check_kernel(KERNEL, layers[-1:], tmp_path, rng_for("real"))


def speed_layers(rng: Rng) -> list[Layer]:
    sizes = ((16, 16), 16), ((16, 16), 32), ((8, 8), 64)
    return [
        relu_layer(rng, size=size, padding="same", input_channels=channels, output_channels=channels, **GEOMETRY)
        for size, channels in sizes
    ]


def test_instructions_per_product(tmp_path: Path) -> None:
    rng = rng_for("speed")
    layers = speed_layers(rng)
    limits = (0.56, 0.82), (0.44, 0.66), (0.38, 0.57)
    for layer, limit, found in zip(layers, limits, ON_M4.counts(KERNEL, layers, tmp_path, rng), strict=True):
        assert found[0] / layer.macs < limit[0]
        assert found[1] / layer.macs < limit[1]


def test_costs_are_honest(tmp_path: Path) -> None:
    rng = rng_for("costs")
    layers = [*speed_layers(rng), layer_of(rng, relu=False, size=(7, 19), padding="same", output_channels=8)]
    ON_M4.check_costs(KERNEL, layers, tmp_path, rng)
    ON_M4.check_code_bytes(KERNEL, layers[:1], tmp_path)


@pytest.mark.parametrize("comment", ["two channels of ten columns", "one point: eight sums"])
def test_the_loops_keep_everything_in_registers(comment: str) -> None:
    lines = loop_lines(KERNEL, layer_of(rng_for("loop"), input_channels=16), comment)
    assert len(lines) > 60
    assert not [line for line in lines if "sp" in line]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"kernel": (3, 1)}, "not 3x3"),
    ({"stride": (1, 2)}, "not 3x3 with stride 1"),
    ({"dilation": (2, 1), "size": (9, 12)}, "without dilation"),
    ({"size": (8, 7)}, "8x7 outputs are fewer than the 2x8"),
    ({"size": (1, 9)}, "1x9 outputs"),
    ({"input_channels": 6}, "6 to 8 channels"),
    ({"output_channels": 7}, "8 to 7 channels"),
    ({"input_channels": 132}, "132 channels are more than 128"),
]


@pytest.mark.parametrize(("wanted", "reason"), REFUSED)
def test_refuses(wanted: dict[str, Any], reason: str) -> None:
    channels = {"input_channels": 8, "output_channels": 8, "size": (8, 8), "padding": "same", "relu": True}
    assert reason in KERNEL.fits(layer_of(rng_for("refused"), **{**channels, **wanted}), M4)


def test_needs_the_dsp_extension() -> None:
    assert KERNEL.fits(layer_of(rng_for("core")), CORES["cortex-m0plus"]).startswith("the core lacks the DSP extension")

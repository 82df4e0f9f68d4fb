"""Convolutions of some pixels at a time: exact, as fast and as small as stated, refused where they would not be."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.conv_layers import conv_corners
from kits.core_kernels import CoreRunner
from kits.kernel_cases import count_mismatches, make_case
from kits.kernel_checks import M0, ON_M0, model_layers, rng_for
from kits.kernel_layers import Rng
from ops.conv_2d import conv_layer, relu_layer
from tinyedge.boards import CORES
from tinyedge.kernels.armv6m.conv_immediate import MOST_CHANNELS, MOST_WEIGHTS, Conv2DImmediate
from tinyedge.kernels.armv6m.conv_stream import Conv2DStream
from tinyedge.kernels.contract import Kernel
from tinyedge.ops.contract import Layer

KERNELS: dict[str, Kernel] = {
    kernel.name.removeprefix("armv6m/conv_2d_"): kernel for kernel in (Conv2DStream(), Conv2DImmediate())
}


def scaled(layer: Layer, rng: Rng) -> Layer:
    """With the scales of real layers: random weights give sums that go as far, or twice as far, as outputs do."""
    p = layer.params
    exponent = (p.weights.size // p.output_channels).bit_length() // 2
    shift = rng.integers(-8 - exponent, -5 - exponent, p.output_channels)
    multiplier = rng.integers(1 << 30, 1 << 31, p.output_channels)
    bias = rng.integers(-(1 << 14), 1 << 14, p.output_channels)
    given = {"shift": shift, "multiplier": multiplier, "bias": bias}
    params = dataclasses.replace(p, **{name: values.astype(np.int32) for name, values in given.items()})
    return dataclasses.replace(layer, params=params)


def usual(rng: Rng, **wanted: Any) -> Layer:
    """A layer as in real models, without a fused activation."""
    return scaled(conv_layer(rng, **{"corners": False, "limits": (-128, 127), **wanted}), rng)


def rectified(rng: Rng, **wanted: Any) -> Layer:
    """A layer as in real models, with a fused ReLU."""
    return scaled(relu_layer(rng, **wanted), rng)


def special_layers(rng: Rng) -> list[Layer]:
    """Every remainder of pixels and channels; odd sizes; borders wider than the input; all clamps."""
    plain: dict[str, Any] = {"kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "padding": "valid"}
    rows: dict[str, Any] = {"stride": (1, 1), "dilation": (1, 1)}
    return [
        *(rectified(rng, size=(1, n), input_channels=8, output_channels=3, **plain) for n in range(1, 10)),
        *(
            usual(rng, size=(2, 3), input_channels=n, output_channels=1 + n % 4, **plain)
            for n in (1, 2, 3, 4, 7, 16, 17, 35)
        ),
        *(usual(rng, size=(4, n), kernel=(3, 3), padding="same", input_channels=2, **rows) for n in range(1, 7)),
        *conv_corners(rng, usual, rectified),
    ]


@pytest.mark.parametrize("name", KERNELS)
def test_is_exact(name: str, compiler: str, tmp_path: Path) -> None:
    rng = rng_for(name)
    layers = ON_M0.fitting(KERNELS[name], special_layers(rng), 40) if compiler == "zig" else []
    layers += ON_M0.fitting(KERNELS[name], [conv_layer(rng) for _ in range(30)], 8)[:8]
    # Code of immediates takes long to compile.
    ON_M0.check_kernel(KERNELS[name], layers[:: 4 if name == "immediate" else 1], tmp_path, rng, compiler)


@pytest.mark.parametrize(
    ("model", "most_macs"), [("kws_ref_model", 400_000), ("pretrainedResnet_quant", 150_000), ("vww_96_int8", 100_000)]
)
def test_is_exact_on_layers_of(model: str, most_macs: int, shared_models: Path, tmp_path: Path) -> None:
    """Large ones are run as whole models elsewhere."""
    layers = [layer for layer in model_layers(shared_models, model, "conv_2d") if layer.macs < most_macs]
    ON_M0.check_kernel(Conv2DStream(), ON_M0.fitting(Conv2DStream(), layers[:4], 1), tmp_path, rng_for(model))
    smallest = min(layers, key=lambda layer: layer.params.weights.size)
    ON_M0.check_kernel(Conv2DImmediate(), [smallest], tmp_path, rng_for(model))


@pytest.mark.parametrize("model", ["kws_ref_model", "pretrainedResnet_quant", "vww_96_int8"])
def test_fits_all_layers_of(model: str, shared_models: Path) -> None:
    for layer in model_layers(shared_models, model, "conv_2d"):
        assert not Conv2DStream().fits(layer, M0)


SPEEDS = [
    # size, kernel, stride, channels; cycles per product with random weights, which are larger than those of models
    ((2, 8), (1, 1), (1, 1), (64, 18), {"stream": 5.0, "immediate": 3.7}),
    ((4, 8), (3, 3), (1, 1), (16, 12), {"stream": 5.6, "immediate": 3.9}),
    ((6, 6), (3, 3), (1, 1), (10, 18), {"stream": 5.6, "immediate": 3.9}),
    ((8, 8), (3, 3), (1, 1), (3, 16), {"stream": 6.6, "immediate": 5.4}),
]


@pytest.mark.parametrize("name", KERNELS)
def test_costs_are_honest(name: str, tmp_path: Path) -> None:
    rng = rng_for("costs")
    layers = [
        rectified(rng, size=size, kernel=kernel, stride=stride, padding="same", dilation=(1, 1),
                  input_channels=channels[0], output_channels=channels[1])
        for size, kernel, stride, channels, _ in SPEEDS
    ]  # fmt: skip
    layers = ON_M0.fitting(KERNELS[name], layers, len(SPEEDS))
    counts = ON_M0.check_costs(KERNELS[name], layers, tmp_path, rng)
    ON_M0.check_code_bytes(KERNELS[name], layers, tmp_path)
    for layer, row, (_, cycles, _) in zip(layers, SPEEDS, counts, strict=True):
        assert cycles / layer.macs < row[-1][name], row


def sparse(rng: Rng, **wanted: Any) -> Layer:
    """Weights of which most are 0, 1 or powers of two, some channels without any, one that starts with -128."""
    layer = usual(rng, **wanted)
    p = layer.params
    signs = rng.choice([-1, 0, 1], p.weights.shape)
    weights = np.where(rng.random(p.weights.shape) < 0.2, p.weights, signs << rng.integers(0, 7, p.weights.shape))
    weights[0] = 0
    weights[-1, 0, 0, 0] = -128
    return dataclasses.replace(layer, params=dataclasses.replace(p, weights=weights.astype(np.int8)))


@pytest.mark.parametrize("name", KERNELS)
def test_is_exact_for_special_weights(name: str, tmp_path: Path) -> None:
    rng = rng_for("sparse")
    shapes = [{"input_channels": n, "output_channels": 5} for n in (1, 3, 30, 64)]
    layers = [
        sparse(rng, size=(3, 3), kernel=(1, 1), stride=(1, 1), dilation=(1, 1), padding="valid", **shape)
        for shape in shapes
    ]
    ON_M0.check_kernel(KERNELS[name], ON_M0.fitting(KERNELS[name], layers, len(shapes)), tmp_path, rng)


def test_large_layers_do_not_become_code() -> None:
    rng = rng_for("large")
    plain: dict[str, Any] = {"size": (2, 2), "kernel": (1, 1), "stride": (1, 1), "padding": "valid"}
    layer = rectified(rng, input_channels=1, output_channels=MOST_CHANNELS + 1, **plain)
    assert "output channels are more than 256" in Conv2DImmediate().fits(layer, M0)
    layer = rectified(rng, input_channels=MOST_WEIGHTS // 64 + 1, output_channels=64, **plain)
    assert f"weights are more than the {MOST_WEIGHTS:,}" in Conv2DImmediate().fits(layer, M0)


REFUSED: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"groups": 2, "input_channels": 4, "output_channels": 8}, {}, "2 groups"),
    ({}, {"shift": 8}, "no constants of the short requantization"),
]


@pytest.mark.parametrize(("wanted", "changed", "reason"), REFUSED)
def test_refuses(wanted: dict[str, Any], changed: dict[str, Any], reason: str) -> None:
    sized = {"size": (4, 4), "kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "input_channels": 4}
    layer = relu_layer(rng_for("refused"), **{**sized, **wanted})
    p = layer.params
    changed = {key: np.full_like(getattr(p, key), value) for key, value in changed.items()}
    layer = dataclasses.replace(layer, params=dataclasses.replace(p, **changed))
    for kernel in KERNELS.values():
        assert reason in kernel.fits(layer, M0)


@pytest.mark.parametrize("core", ["cortex-m3", "cortex-m4f"])
def test_is_for_armv6m(core: str) -> None:
    for kernel in KERNELS.values():
        assert kernel.fits(relu_layer(rng_for("core")), CORES[core]).startswith("made for Armv6-M")


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_leads_are_not_larger_than_needed(padding: str, tmp_path: Path) -> None:
    """A word closer, and the last inputs are overwritten before they are read."""
    rng = rng_for("in-place offsets")
    kernel = Conv2DStream()
    layers = [
        rectified(rng, size=size, kernel=window, padding=padding, stride=(1, 1), dilation=(1, 1), input_channels=4,
                  output_channels=outputs)
        for window in ((1, 1), (3, 3), (1, 3))
        for outputs in (4, 8, 12)
        for size in ((4, 4), (5, 6))
    ]  # fmt: skip
    cases = [
        make_case(layer, kernel, M0, overlap=in_place - 4, alignment=4)
        for layer in ON_M0.fitting(kernel, layers, 12)
        if (in_place := kernel.in_place_offset(layer, M0, 0)) and in_place % 4 == 0
    ]
    assert len(cases) > 4
    assert all(count_mismatches(cases, CoreRunner(tmp_path, M0), rng, samples=6))

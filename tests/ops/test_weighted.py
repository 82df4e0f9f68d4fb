"""Layers with int16 activations, and with weights of int4, against TensorFlow Lite Micro; refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from kits import tflm
from kits.tflite_builder import TfliteBuilder
from kits.weighted_models import MODELS, OPERATORS, S4, S16, Kind, weighted_model
from tinyedge.arithmetic.quantization import multiply_wide, quantize_multiplier
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.reference import run_graph


@pytest.mark.parametrize("operator", MODELS)
@settings(max_examples=80, deadline=None)
@given(seed=tflm.seeds)
def test_equals_tflm(operator: str, seed: int) -> None:
    tflm.assert_bit_exact(MODELS[operator](np.random.default_rng(seed)), seed)


def dense(kind: Kind = S16, inputs: int = 6, **arguments: Any) -> bytes:
    rng = np.random.default_rng(3)
    shapes = (2, inputs), (4, inputs), (2, 4)
    return weighted_model(rng, kind, "fully_connected", *shapes, axis=0, per_channel=False, **arguments)


@pytest.mark.parametrize("spread", [3e-5, 1e-4, 0.01, 1.0, 1e5, 1e12])
def test_every_size_of_multiplier(spread: float) -> None:
    """Multipliers far above one, where sums saturate, and so far below that nothing is left."""
    tflite = dense(spread=spread, inputs=70, bias="none")
    (layer,) = parse_graph(read_model(tflite, "m"))
    assert layer.params.bias.dtype == np.int64
    for seed in range(8):
        tflm.assert_bit_exact(tflite, seed)


def test_sums_beyond_32_bits() -> None:
    """40,000 products of the largest values are 2**37, which the interpreter and the reference both hold."""
    inputs = 40_000
    builder = TfliteBuilder()
    x = builder.tensor((1, inputs), "int16", scale=0.5)
    weights = np.stack([np.full(inputs, -128, np.int8), np.full(inputs, 127, np.int8)])
    w = builder.tensor((2, inputs), scale=[0.25, 0.25], data=weights)
    b = builder.tensor((2,), "int64", scale=[0.125, 0.125], data=np.array([1 << 40, -(1 << 40)]))
    y = builder.tensor((1, 2), "int16", scale=2.0**24)
    builder.operator("fully_connected", [x, w, b], [y], fused_activation_function="none")
    tflite = builder.build([x], [y])
    graph = read_model(tflite, "m")
    for value in (-32768, 32767, 77):
        values = np.full((1, inputs), value, np.int16)
        ours = run_graph(graph, [values])[graph.outputs[0]]
        np.testing.assert_array_equal(ours, tflm.interpret(tflite, [values])[0])
        sums = weights.astype(np.int64).sum(axis=1) * value + np.array([1 << 40, -(1 << 40)])
        assert np.abs(ours - np.clip(sums / 2.0**27, -32768, 32767)).max() <= 1


def test_wide_multiplication_rounds_once_with_16_bits() -> None:
    multiplier, shift = quantize_multiplier(0.3)
    shortened = (multiplier + (1 << 15)) >> 16
    values = np.array([-(1 << 47), (1 << 47) - 1, -3, -1, 0, 1, 2, 12345])
    wide = [int(value) * shortened for value in values]
    right = 15 - shift
    expected = [((product + (1 << (right - 1))) >> right) + (1 << 31) & 0xFFFFFFFF for product in wide]
    assert (multiply_wide(values, multiplier, shift) + (1 << 31)).tolist() == expected
    assert multiply_wide(1 << 20, (1 << 31) - 1, 0) == (((1 << 20) * 0x7FFF + (1 << 14)) >> 15)


def test_parameters() -> None:
    (layer,) = parse_graph(read_model(OPERATORS["conv_2d"](np.random.default_rng(1), S4), "m"))
    assert layer.params.weight_bits == 4
    assert layer.params.weights.dtype == np.int8
    assert (layer.params.weights.min(), layer.params.weights.max()) == (-8, 7)
    assert layer.params.bias.dtype == np.int32


@pytest.mark.parametrize(
    ("tflite", "rule"),
    [
        (dense(Kind("int16", "int4")), "int8, or with int8 activations int4"),
        (dense(bias="int32"), "int64 for int16"),
        (dense(S4, bias="int64"), "int64 for int16"),
        (dense(bias="none", quantized_bias_type=2), "quantized_bias_type does not say int32"),
        (dense(spread=1e-9, bias="none"), "2\\*\\*7 times for int16"),
    ],
)
def test_refusals(tflite: bytes, rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(tflite, "m"))


def _mixed(zero_points: tuple[int, int], weights_zero_point: int = 0, bias: int = 0) -> bytes:
    builder = TfliteBuilder()
    x = builder.tensor((1, 2), "int16", scale=0.1, zero_point=zero_points[0])
    w = builder.tensor((1, 2), scale=0.1, zero_point=weights_zero_point, data=np.ones((1, 2), np.int8))
    b = builder.tensor((1,), "int64", scale=0.01, data=np.array([bias]))
    y = builder.tensor((1, 1), "int16", scale=0.1, zero_point=zero_points[1])
    builder.operator("fully_connected", [x, w, b], [y], fused_activation_function="none")
    return builder.build([x], [y])


@pytest.mark.parametrize(
    ("tflite", "rule"),
    [
        (_mixed((1, 0)), "which is 0 for int16"),
        (_mixed((0, 1)), "which is 0 for int16"),
        (_mixed((0, 0), weights_zero_point=1), "for int16, have zero points 0"),
        (_mixed((0, 0), bias=1 << 47), "2\\*\\*47 for int16"),
        (_mixed((0, 0), bias=-(1 << 63)), "2\\*\\*47 for int16"),
    ],
)
def test_what_int16_asks_for(tflite: bytes, rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(tflite, "m"))

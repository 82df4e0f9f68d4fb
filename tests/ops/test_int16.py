"""Operators in int16 against TensorFlow Lite Micro, and their refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from kits import tflm
from kits.operator_models import MODELS, Operand, one_to_one
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.reference import run_graph

EXACT = ("average_pool_2d_s16", "logistic_s16", "max_pool_2d_s16", "softmax_s16", "tanh_s16")
UNIT = Operand("int16", 2.0**-15)


@pytest.mark.parametrize("operator", EXACT)
@settings(max_examples=60, deadline=None)
@given(seed=tflm.seeds)
def test_equals_tflm(operator: str, seed: int) -> None:
    tflm.assert_bit_exact(MODELS[operator](np.random.default_rng(seed)), seed)


def assert_same(tflite: bytes, values: tflm.Array) -> tflm.Array:
    graph = read_model(tflite, "m")
    ours = run_graph(graph, [values])[graph.outputs[0]]
    np.testing.assert_array_equal(ours, tflm.interpret(tflite, [values])[0])
    return ours


def model(name: str, shape: tuple[int, ...], source: Operand, target: Operand, **options: Any) -> bytes:
    return one_to_one(np.random.default_rng(0), name, shape, source, target, **options)


@pytest.mark.parametrize("operator", ["logistic", "tanh"])
@pytest.mark.parametrize("scale", [2.0, 0.01, 2.0**-10, 2.0**-11, 2.0**-12, 2.0**-13, 1.0005 * 2.0**-12, 2.0**-28])
def test_logistic_and_tanh_at_every_value(operator: str, scale: float) -> None:
    values = np.arange(-32768, 32768).astype(np.int16).reshape(1, -1)
    output = assert_same(model(operator, values.shape, Operand("int16", scale), UNIT), values)
    real = np.clip(np.float32(scale) * values.astype(np.float64), -50, 50)
    exact = np.tanh(real) if operator == "tanh" else 1 / (1 + np.exp(-real))
    assert np.abs(output / 32768 - exact).max() < 3e-4


def test_softmax_at_every_difference() -> None:
    """So every point of the table of exponentials is used; and sums of many sizes use the one of reciprocals."""
    differences = np.arange(-65535, 1).reshape(64, 1024)
    rows = np.insert(differences + 32767, 0, 32767, axis=1).astype(np.int16)
    tflite = model("softmax", rows.shape, Operand("int16", 10 / 65535), UNIT, beta=1.0)
    assert_same(tflite, rows)


def test_softmax_adds_up_to_one() -> None:
    values = np.random.default_rng(4).integers(-32768, 32768, (8, 20)).astype(np.int16)
    output = assert_same(model("softmax", (8, 20), Operand("int16", 2.0**-13), UNIT, beta=1.0), values)
    real = 2.0**-13 * values.astype(np.float64)
    exact = np.exp(real) / np.exp(real).sum(axis=1, keepdims=True)
    assert np.abs(output / 32768 - exact).max() < 1e-3


def test_parameters() -> None:
    (exact,) = parse_graph(read_model(model("tanh", (2, 4), Operand("int16", 2.0**-11), UNIT), "m"))
    assert (exact.params.multiplier, exact.params.left_shift) == (6, 0)
    (cut,) = parse_graph(read_model(model("logistic", (2, 4), Operand("int16", 2.0**-11), UNIT), "m"))
    assert (cut.params.multiplier, cut.params.left_shift) == (24576, 12)


def pool(size: int, kernel: int, *, types: tuple[str, str] = ("int16", "int16")) -> bytes:
    builder = TfliteBuilder()
    x = builder.tensor((1, size, size, 1), types[0], scale=0.1)
    y = builder.tensor((1, size - kernel + 1, size - kernel + 1, 1), types[1], scale=0.1)
    window = {"stride_h": 1, "stride_w": 1, "filter_height": kernel, "filter_width": kernel}
    builder.operator("average_pool_2d", [x], [y], padding="valid", fused_activation_function="none", **window)
    return builder.build([x], [y])


def test_the_largest_window_that_cannot_overflow() -> None:
    assert assert_same(pool(255, 255), np.full((1, 255, 255, 1), -32768, np.int16)).item() == -32768
    with pytest.raises(ModelError, match="at most 65535 cells"):
        check(read_model(pool(256, 256), "m"))


@pytest.mark.parametrize(
    ("tflite", "rule"),
    [
        (pool(3, 2, types=("int8", "int16")), "both int8 or both int16"),
        (model("logistic", (2, 4), Operand("int16", 0.01, 1), UNIT), "zero points are 0"),
        (
            model("logistic", (2, 4), Operand("int16", 0.01), Operand("int16", 2.0**-14)),
            "an int16 output scale 1/32768",
        ),
        (model("tanh", (2, 4), Operand("int16", 2.1), UNIT), "2\\*\\*-28 and 2 for int16"),
        (model("tanh", (2, 4), Operand("int8", 0.1), UNIT), "both int8 or both int16"),
        (model("softmax", (2, 4), Operand("int8", 0.1), UNIT, beta=1.0), "both int8 or both int16"),
        (model("softmax", (2, 4), Operand("int16", 1.0), UNIT, beta=2.0), "between 0 and 2 for int16"),
        (model("softmax", (2, 4), Operand("int16", 1.0), UNIT, beta=-1.0), "between 0 and 2 for int16"),
        (model("softmax", (2, 4), UNIT, Operand("int16", 0.1), beta=1.0), "an int16 output scale 1/32768"),
    ],
)
def test_refusals(tflite: bytes, rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(tflite, "m"))

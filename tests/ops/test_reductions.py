"""Reductions, normalizations and cast against TensorFlow Lite Micro, and their refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from kits import tflm
from kits.operator_models import MODELS, Operand, Shape, one_to_one
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.reference import run_graph

EXACT = ("arg_max", "arg_min", "cast", "l2_normalization", "log_softmax", "reduce_max", "reduce_min", "sum")


@pytest.mark.parametrize("operator", EXACT)
@settings(max_examples=60, deadline=None)
@given(seed=tflm.seeds)
def test_equals_tflm(operator: str, seed: int) -> None:
    tflm.assert_bit_exact(MODELS[operator](np.random.default_rng(seed)), seed)


def assert_same(tflite: bytes, *inputs: tflm.Array) -> tflm.Array:
    graph = read_model(tflite, "m")
    ours = run_graph(graph, inputs)[graph.outputs[0]]
    np.testing.assert_array_equal(ours, tflm.interpret(tflite, inputs)[0])
    return ours


def row(name: str, depth: int, source: Operand, target: Operand, rows: int = 1, **options: Any) -> bytes:
    return one_to_one(np.random.default_rng(0), name, (rows, depth), source, target, **options)


UNIT = Operand("int8", 1 / 128)
LOGS = Operand("int8", 1 / 16, 127)
FUSED = {"fused_activation_function": "none"}


def test_l2_normalization_of_zeros_and_of_ends() -> None:
    tflite = row("l2_normalization", 4, Operand("int8", 0.1, -128), UNIT, rows=4, **FUSED)
    values = np.array([[-128] * 4, [127] * 4, [-127, -128, -128, -128], [-126, -128, -128, -128]], np.int8)
    output = assert_same(tflite, values)
    assert output[0].tolist() == [0] * 4
    assert output[1].tolist() == [64] * 4
    assert output[2].tolist() == [127, 0, 0, 0]


def test_l2_normalization_of_the_longest_row() -> None:
    assert_same(
        row("l2_normalization", 33025, Operand("int8", 0.1, -128), UNIT, **FUSED), np.full((1, 33025), 127, np.int8)
    )


@pytest.mark.parametrize("scale", [2.0**-24, 0.001, 0.05, 1.0, 31.0, 1e6])
def test_log_softmax_from_fine_to_coarse(scale: float) -> None:
    rng = np.random.default_rng(3)
    for depth in (1, 2, 700, 4095):
        tflite = row("log_softmax", depth, Operand("int8", scale, 5), LOGS)
        assert_same(tflite, rng.integers(-128, 128, (1, depth)).astype(np.int8))
        assert_same(tflite, np.full((1, depth), 9, np.int8))


def test_log_softmax_is_the_logarithm_of_softmax() -> None:
    values = np.arange(-128, 128, 16).astype(np.int8).reshape(1, 16)
    output = assert_same(row("log_softmax", 16, Operand("int8", 0.05), LOGS), values)
    real = 0.05 * values.astype(np.float64)
    exact = real - np.log(np.exp(real).sum())
    assert np.abs((output.astype(np.float64) - 127) / 16 - exact).max() <= 1 / 32 + 1e-3


def test_the_first_of_equals_is_found() -> None:
    builder = TfliteBuilder()
    x, y = builder.tensor((6,), scale=0.1), builder.tensor((), "int32")
    builder.operator("arg_max", [x, builder.tensor((1,), "int32", data=np.array([0], np.int32))], [y])
    assert assert_same(builder.build([x], [y]), np.array([3, 7, -2, 7, 7, 0], np.int8)) == 1


def test_table_of_exponentials_ends_where_they_vanish() -> None:
    (layer,) = parse_graph(read_model(row("log_softmax", 16, Operand("int8", 0.5), LOGS), "m"))
    assert layer.params.exponentials[0] == 1 << 19
    assert 20 < len(layer.params.exponentials) < 40
    assert (layer.params.exponentials > 0).all()


def reduction(
    name: str, output: Shape, target: Operand, *, axes: tuple[int, ...] = (1,), dtype: str = "int8", **options: Any
) -> bytes:
    builder = TfliteBuilder()
    x = builder.tensor((2, 3, 4), dtype, scale=0.1)
    y = builder.tensor(output, target.dtype, scale=target.scale, zero_point=target.zero_point)
    named = builder.tensor((len(axes),), "int32", data=np.array(axes, np.int32))
    builder.operator(name, [x, named], [y], **options)
    return builder.build([x], [y])


SAME = Operand("int8", 0.1)
KEPT = {"keep_dims": False}


@pytest.mark.parametrize(
    ("tflite", "rule"),
    [
        (reduction("sum", (2, 4), Operand("int8", 1e-12), **KEPT), "less than 2\\*\\*30 times"),
        (reduction("sum", (2, 4), Operand("int16", 0.1), dtype="int16", **KEPT), "are int8"),
        (reduction("reduce_max", (2, 4), Operand("int8", 0.1, 1), **KEPT), "exactly the same scale"),
        (reduction("reduce_min", (2, 1, 4), SAME, **KEPT), "remains without the axes"),
        (reduction("arg_max", (2, 4), SAME), "its output int32"),
        (reduction("arg_max", (2,), Operand("int32"), axes=(1, 2)), "a single one"),
        (reduction("arg_min", (2, 1, 4), Operand("int32")), "remains without the axis"),
        (row("cast", 4, Operand("int8"), Operand("bool")), "to int8, int16 or int32"),
        (row("l2_normalization", 4, SAME, SAME, **FUSED), "output has scale 1/128"),
        (row("l2_normalization", 4, SAME, UNIT, fused_activation_function="relu"), "no fused activation"),
        (row("l2_normalization", 33026, SAME, UNIT, **FUSED), "at most 33025 values"),
        (row("log_softmax", 4, SAME, SAME), "output has scale 1/16"),
        (row("log_softmax", 4096, SAME, LOGS), "1 to 4095 values"),
        (row("log_softmax", 4, Operand("int8", 2.0**-25), LOGS), "more than 2\\*\\*-25"),
    ],
)
def test_refusals(tflite: bytes, rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(tflite, "m"))

"""Operators that move elements move integers: borders in float32 go behind them, or in front."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from kits import tflm
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.optimize.move_borders import move_borders


class Island:
    """A model of one input int8 [1, 4, 6], dequantized."""

    def __init__(self, dtype: str = "int8") -> None:
        self.builder = TfliteBuilder()
        zero_point = 3 if dtype == "int8" else 0
        self.source = self.builder.tensor((1, 4, 6), dtype, scale=0.05, zero_point=zero_point)
        self.real = self.put("dequantize", [self.source], (1, 4, 6))
        self.outputs: list[int] = []

    def numbers(self, *values: int) -> int:
        return self.builder.tensor((len(values),), "int32", data=np.array(values, np.int32))

    def put(self, operator: str, inputs: Sequence[int], shape: Sequence[int], **options: Any) -> int:
        key = self.builder.tensor(shape, "float32")
        self.builder.operator(operator, inputs, [key], **options)
        return key

    def quantize(self, key: int, shape: Sequence[int], scale: float = 0.05, zero_point: int = 3) -> None:
        target = self.builder.tensor(shape, scale=scale, zero_point=zero_point)
        self.builder.operator("quantize", [key], [target])
        self.outputs.append(target)

    def build(self) -> bytes:
        return self.builder.build([self.source], self.outputs)


def _transposed(island: Island) -> tuple[int, tuple[int, ...]]:
    return island.put("transpose", [island.real, island.numbers(0, 2, 1)], (1, 6, 4)), (1, 6, 4)


def _padded(island: Island) -> tuple[int, tuple[int, ...]]:
    pairs = island.builder.tensor((3, 2), "int32", data=np.array([[0, 0], [1, 2], [0, 1]], np.int32))
    return island.put("pad", [island.real, pairs], (1, 7, 7)), (1, 7, 7)


def _gathered(island: Island) -> tuple[int, tuple[int, ...]]:
    return island.put("gather", [island.real, island.numbers(2, 0, 2)], (1, 3, 6), axis=1), (1, 3, 6)


def _reshaped(island: Island) -> tuple[int, tuple[int, ...]]:
    return island.put("reshape", [island.real, island.numbers(4, 6)], (4, 6)), (4, 6)


def _sliced(island: Island) -> tuple[int, tuple[int, ...]]:
    return island.put("slice", [island.real, island.numbers(0, 1, 2), island.numbers(1, 2, 3)], (1, 2, 3)), (1, 2, 3)


def _joined(island: Island) -> tuple[int, tuple[int, ...]]:
    negative = island.put("neg", [island.real], (1, 4, 6))
    fused = {"axis": 1, "fused_activation_function": "none"}
    return island.put("concatenation", [island.real, negative], (1, 8, 6), **fused), (1, 8, 6)


def _packed(island: Island) -> tuple[int, tuple[int, ...]]:
    data = np.linspace(-1, 1, 24, dtype=np.float32).reshape(1, 4, 6)
    constant = island.builder.tensor((1, 4, 6), "float32", data=data)
    fused = {"axis": 2, "values_count": 3}
    return island.put("pack", [constant, island.real, constant], (1, 4, 3, 6), **fused), (1, 4, 3, 6)


MOVES = (_transposed, _padded, _gathered, _reshaped, _sliced, _joined, _packed)


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("scale", [0.05, 0.02])
def test_moved_in_int8(move: Callable[[Island], tuple[int, tuple[int, ...]]], scale: float) -> None:
    island = Island()
    island.quantize(*move(island), scale=scale)
    tflite = island.build()
    for seed in range(3):
        tflm.assert_bit_exact(tflite, seed)
    for operator in (graph := settle_graph(read_model(tflite, "m"))).operators:
        if operator.name not in ("dequantize", "quantize"):
            assert graph.tensors[operator.outputs[0]].dtype is DType.INT8, operator


def test_a_split_in_float32_between_equal_scales_leaves_nothing_but_the_split() -> None:
    """As the converter leaves it in an unrolled GRU."""
    island = Island()
    axis = island.builder.tensor((), "int32", data=np.int32(2))
    parts = [island.builder.tensor((1, 4, 2), "float32") for _ in range(3)]
    island.builder.operator("split", [axis, island.real], parts, num_splits=3)
    island.quantize(parts[2], (1, 4, 2))
    island.quantize(parts[0], (1, 4, 2))
    tflite = island.build()
    tflm.assert_bit_exact(tflite, 5)
    layers = parse_graph(optimize_graph(settle_graph(read_model(tflite, "m"))))
    assert [layer.name for layer in layers][:1] == ["split"]
    assert all(tensor.dtype is DType.INT8 for layer in layers for tensor in (*layer.inputs, *layer.outputs))


@pytest.mark.parametrize("move", MOVES[:5])
def test_moved_in_int8_behind_an_operator_in_float32(move: Callable[[Island], tuple[int, tuple[int, ...]]]) -> None:
    """Those that have no kernel in float32, too: they are quantized before."""
    island = Island()
    data = np.linspace(-2, 2, 24, dtype=np.float32).reshape(1, 4, 6)
    second = island.builder.tensor((1, 4, 6), "float32", data=data)
    island.real = island.put("mul", [island.real, second], (1, 4, 6), fused_activation_function="relu6")
    island.quantize(*move(island))
    tflite = island.build()
    for seed in range(3):
        tflm.assert_bit_exact(tflite, seed)
    graph = settle_graph(read_model(tflite, "m"))
    assert [operator.name for operator in graph.operators][:3] == ["dequantize", "mul_f32", "quantize"]
    indices = [operator.index for operator in graph.operators]
    assert len(set(indices)) == len(indices)


def test_int16_is_moved_as_int16_or_float32() -> None:
    for move in (_transposed, _padded, _sliced, _joined):
        island = Island("int16")
        island.quantize(*move(island))
        tflm.assert_bit_exact(island.build(), 3)


def test_a_graph_without_islands_is_left() -> None:
    builder = TfliteBuilder()
    source, target = (builder.tensor((1, 4), scale=0.1) for _ in range(2))
    builder.operator("reshape", [source], [target], new_shape=[1, 4])
    graph = read_model(builder.build([source], [target]), "m")
    assert move_borders(graph) is graph


@pytest.mark.parametrize("operator", ["add", "concatenation", "dequantize", "exp", "less", "pad", "quantize", "split"])
@pytest.mark.parametrize("inputs", ["", "r", "rr", "i", "ir", "-", "-r", "c", "crr"])
def test_operators_without_their_tensors_are_refused_as_such(operator: str, inputs: str) -> None:
    """The passes run in front of the checks: r is float32, i int8, c a constant, - an input that is absent."""
    for outputs in (0, 1, 2):
        builder = TfliteBuilder()
        source, target = (builder.tensor((1, 4), scale=0.1) for _ in range(2))
        constant = builder.tensor((1, 4), scale=0.1, data=np.zeros((1, 4), np.int8))
        reals = [builder.tensor((1, 4), "float32") for _ in range(1 + outputs)]
        builder.operator("dequantize", [source], reals[:1])
        keys = {"r": reals[0], "i": source, "c": constant, "-": -1}
        builder.operator(operator, [keys[letter] for letter in inputs], reals[1:])
        builder.operator("quantize", [reals[-1]], [target])
        with contextlib.suppress(ModelError):
            check(settle_graph(read_model(builder.build([source], [target]), "m")))

"""Holds tinyedge's reference against TensorFlow Lite Micro's interpreter, in this process for speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st

from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.reference import initial_state, run_graph
from tinyedge.optimize import settle_graph

Array = npt.NDArray[Any]


def interpret(tflite: bytes, inputs: Sequence[Array], outputs: int = 1) -> list[Array]:
    """What TensorFlow Lite Micro computes. Only for models that `check` accepted: it aborts on some others."""
    runtime = pytest.importorskip(
        "tflite_micro", reason="needs the oracle: pip install --pre tflite-micro (Linux x86_64)"
    ).runtime
    interpreter = runtime.Interpreter.from_bytes(tflite, arena_size=1 << 20)
    for index, value in enumerate(inputs):
        interpreter.set_input(value, index)
    interpreter.invoke()
    return [np.array(interpreter.get_output(index)) for index in range(outputs)]


def assert_exact_over_time(tflite: bytes, samples: Sequence[Sequence[Array]]) -> list[list[Array]]:
    """The outputs of several inferences one after the other, after they were found equal to the interpreter's."""
    runtime = pytest.importorskip(
        "tflite_micro", reason="needs the oracle: pip install --pre tflite-micro (Linux x86_64)"
    ).runtime
    graph = settle_graph(read_model(tflite, "test"))
    layers, state = parse_graph(graph), initial_state(graph)
    interpreter = runtime.Interpreter.from_bytes(tflite, arena_size=1 << 20)
    outputs = []
    for sample in samples:
        values = run_graph(graph, sample, layers, state)
        for index, value in enumerate(sample):
            interpreter.set_input(value, index)
        interpreter.invoke()
        for index, tensor in enumerate(graph.output_tensors()):
            theirs = np.asarray(interpreter.get_output(index))
            np.testing.assert_array_equal(values[tensor.index], theirs.reshape(tensor.shape))
        outputs.append([values[key] for key in graph.outputs])
    return outputs


def random_inputs(graph: Graph, seed: int) -> list[Array]:
    """Random values over the whole range; every fourth seed uses the two ends of the range only."""
    rng = np.random.default_rng(seed)
    values = []
    for tensor in graph.input_tensors():
        if tensor.dtype.value == "float32":
            values.append(rng.normal(0, 50, tensor.shape).astype(np.float32))
            continue
        if tensor.dtype.value == "bool":
            values.append(rng.random(tensor.shape) < 0.5)
            continue
        info = np.iinfo(tensor.dtype.numpy)
        drawn = np.uint64 if info.max > np.iinfo(np.int64).max else np.int64
        ends = rng.choice(np.array([info.min, info.max], drawn), tensor.shape)
        inner = rng.integers(info.min, info.max, tensor.shape, drawn, endpoint=True)
        values.append(np.asarray(ends if seed % 4 == 0 else inner).astype(tensor.dtype.numpy))
    return values


def assert_bit_exact(tflite: bytes, seed: int) -> list[Array]:
    """The outputs, after they were found equal to TensorFlow Lite Micro's."""
    graph = settle_graph(read_model(tflite, "test"))
    layers = parse_graph(graph)
    inputs = random_inputs(graph, seed)
    values = run_graph(graph, inputs, layers)
    ours = [values[key] for key in graph.outputs]
    theirs = interpret(tflite, inputs, len(ours))
    for mine, other, tensor in zip(ours, theirs, graph.output_tensors(), strict=True):
        assert mine.dtype == tensor.dtype.numpy
        assert mine.shape == tensor.shape
        np.testing.assert_array_equal(mine, other.reshape(mine.shape))
    return ours


def assert_same(tflite: bytes, *inputs: Array) -> Array:
    """The only output for these inputs, after it was found equal to TensorFlow Lite Micro's."""
    graph = settle_graph(read_model(tflite, "test"))
    ours = run_graph(graph, inputs)[graph.outputs[0]]
    np.testing.assert_array_equal(ours, interpret(tflite, inputs)[0])
    return ours


# -- strategies ------------------------------------------------------------------------------------------------------

seeds = st.integers(0, 1 << 20)
zero_points = st.one_of(st.sampled_from([-128, 0, 127]), st.integers(-128, 127))
scales = st.floats(-12, 1).map(lambda exponent: float(np.float32(2.0**exponent)))
activations = st.sampled_from(["none", "relu", "relu_n1_to_1", "relu6"])
paddings = st.sampled_from(["same", "valid"])


def output_size(size: int, kernel: int, stride: int, dilation: int, padding: str) -> int:
    """Output size along one axis, as TensorFlow documents it; below 1 when no window fits."""
    if padding == "same":
        return (size + stride - 1) // stride
    return (size - (kernel - 1) * dilation + stride - 1) // stride


def window_fits(case: Mapping[str, Any]) -> bool:
    """Whether a case (size, kernel, stride, padding, maybe dilation; rows first) has an output at all."""
    dilation = case.get("dilation", (1, 1))
    axes = zip(case["size"], case["kernel"], case["stride"], dilation, strict=True)
    return all(output_size(*axis, case["padding"]) >= 1 for axis in axes)

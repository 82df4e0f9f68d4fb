"""Checks that a graph is sound: run after reading and after every pass that rewrites it."""

from __future__ import annotations

import math

from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Graph, Operator, Quantization, Tensor, integer_range

_WIDE = (DType.INT32, DType.INT64)
_Values = tuple[int, int, DType, bool]
"""identities of the scales and the zero points, and what they are for: type, constant or not; tensors share them"""


def verify(graph: Graph) -> None:
    """Raise ModelError unless every tensor exists, is sound, and is written once before it is read."""
    if not graph.operators:
        raise ModelError(f"model `{graph.name}` has no operators", hint="export the model again")
    if not graph.inputs or not graph.outputs:
        raise _fail(graph, f"it has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs")
    verify_part(graph)


def verify_part(graph: Graph) -> None:
    """The same for a subgraph, which may have no operators, inputs or outputs."""
    _verify_graph(graph, set())


def _verify_graph(graph: Graph, done: set[int]) -> None:
    """Verify a graph and what it runs; `done` holds the identities of subgraphs that were verified."""
    for key in (*graph.inputs, *graph.outputs):
        if key not in graph.tensors:
            raise ModelError(
                f"model `{graph.name}`: the inputs or outputs name tensor {key}, which does not exist", hint=_BROKEN
            )
    sound: set[_Values] = set()
    for key, tensor in graph.tensors.items():
        _verify_tensor(graph, key, tensor, sound)
    _verify_order(graph)
    for subgraph in (inner for operator in graph.operators for inner in operator.subgraphs):
        if id(subgraph) not in done:
            done.add(id(subgraph))
            _verify_graph(subgraph, done)


_BROKEN = "the file is damaged, or a tool wrote it wrongly: export it again"


def _name(key: int, tensor: Tensor) -> str:
    return f"tensor {key} `{tensor.name}` {tensor.dtype.value} {list(tensor.shape)}"


def _fail(graph: Graph, what: str) -> ModelError:
    return ModelError(f"model `{graph.name}`: {what}", hint=_BROKEN)


def _empty(graph: Graph, what: str) -> ModelError:
    return ModelError(
        f"model `{graph.name}`: {what} has no elements, so there is nothing to compute",
        hint="leave it out of the model, or give each of its dimensions a size of 1 or more, and convert again",
    )


def _verify_tensor(graph: Graph, key: int, tensor: Tensor, sound: set[_Values]) -> None:
    if tensor.index != key:
        raise _fail(graph, f"{_name(key, tensor)} carries the index {tensor.index}")
    if tensor.data is not None:
        if tensor.data.shape != tensor.shape:
            raise _fail(graph, f"{_name(key, tensor)} has data of shape {list(tensor.data.shape)}")
        if tensor.data.dtype != tensor.dtype.numpy:
            raise _fail(graph, f"{_name(key, tensor)} has data of type {tensor.data.dtype}")
    if tensor.quantization is not None:
        quantization = tensor.quantization
        values = (id(quantization.scale), id(quantization.zero_point), tensor.dtype, tensor.is_constant)
        wrong = _wrong_axis(tensor, quantization)
        if not wrong and values not in sound:
            wrong = _wrong_values(tensor, quantization)
            sound.add(values)
        if wrong:
            raise _fail(graph, f"{_name(key, tensor)}: {wrong}")


def _wrong_axis(tensor: Tensor, quantization: Quantization) -> str:
    """What is wrong with the number of scales of a tensor; empty when nothing is."""
    scales, zero_points = quantization.scale, quantization.zero_point
    if len(scales) != len(zero_points):
        return f"it has {len(scales)} scales and {len(zero_points)} zero points"
    if len(scales) > 1:
        if not 0 <= quantization.axis < len(tensor.shape):
            return f"it is quantized along axis {quantization.axis}, its axes are 0 to {len(tensor.shape) - 1}"
        if len(scales) != tensor.shape[quantization.axis]:
            length = tensor.shape[quantization.axis]
            return f"it has {len(scales)} scales along axis {quantization.axis} of length {length}"
    return ""


def _wrong_values(tensor: Tensor, quantization: Quantization) -> str:
    """What is wrong with the scales and zero points themselves; empty when nothing is."""
    # Weights of a channel that is all zero have scale 0, and so has its bias: whatever they are multiplied by is 0.
    dtype = tensor.dtype
    smallest = 0.0 if dtype in _WIDE or tensor.is_constant else math.ulp(0.0)
    for channel, scale in enumerate(quantization.scale):
        if not math.isfinite(scale) or scale < smallest:
            return f"scale {scale:g} (channel {channel}) is not a positive number"
    if dtype is not DType.FLOAT32 and dtype is not DType.BOOL:
        low, high = integer_range(dtype)
        for channel, zero_point in enumerate(quantization.zero_point):
            if not low <= zero_point <= high:
                return f"zero point {zero_point} (channel {channel}) lies outside {low} to {high}"
    return ""


def _verify_order(graph: Graph) -> None:
    """Every tensor is written at most once, before it is read, and what leaves the model was written.

    Variables may be written any number of times, and read before.
    """
    known = {key for key, tensor in graph.tensors.items() if tensor.is_constant or tensor.is_variable}
    for key in graph.inputs:
        if graph.tensors[key].elements == 0:
            raise _empty(graph, f"input {_name(key, graph.tensors[key])}")
        if graph.tensors[key].is_constant:
            raise _fail(graph, f"input {_name(key, graph.tensors[key])} is a constant")
    if len(set(graph.inputs)) != len(graph.inputs):
        raise _fail(graph, f"an input is listed twice: {list(graph.inputs)}")
    known.update(graph.inputs)
    for operator in graph.operators:
        _verify_operator(graph, operator, known)
        known.update(operator.outputs)
    for key in graph.outputs:
        if key not in known:
            raise _fail(graph, f"output {_name(key, graph.tensors[key])} is never written")


def _verify_operator(graph: Graph, operator: Operator, known: set[int]) -> None:
    title = f"operator {operator.index} `{operator.name}`"
    for key in operator.inputs:
        if key == -1:
            continue
        if key not in graph.tensors:
            raise _fail(graph, f"{title} reads tensor {key}, which does not exist")
        if key not in known:
            raise _fail(graph, f"{title} reads {_name(key, graph.tensors[key])} before it is written")
    if not operator.outputs:
        raise _fail(graph, f"{title} writes nothing")
    written: set[int] = set()
    for key in operator.outputs:
        if key not in graph.tensors:
            raise _fail(graph, f"{title} writes tensor {key}, which does not exist")
        tensor = graph.tensors[key]
        if tensor.elements == 0:
            raise _empty(graph, f"{title} writes {_name(key, tensor)}: it")
        state = tensor.is_variable and not tensor.is_constant and key not in graph.inputs
        if key in written or (key in known and not state):
            raise _fail(graph, f"{title} writes {_name(key, tensor)}, which is an input, a constant or written before")
        written.add(key)

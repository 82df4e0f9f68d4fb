"""Runs a graph in numpy, equal to TensorFlow Lite Micro to the last bit: for self-tests and to compare layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyedge.errors import CheckError
from tinyedge.graph.access import constant
from tinyedge.graph.ir import Array, Graph, Tensor
from tinyedge.ops import OPERATORS, parse_graph
from tinyedge.ops.contract import Layer


def run_layer(layer: Layer, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """The outputs of one layer, with the shapes of its output tensors, from arrays in the order of `Layer.inputs`."""
    results = OPERATORS[layer.name].reference(layer.params, inputs)
    return tuple(result.reshape(tensor.shape) for result, tensor in zip(results, layer.outputs, strict=True))


def initial_state(graph: Graph) -> dict[int, Array]:
    """What the variables of a graph hold before the first inference, by their keys."""
    variables = [
        t for t in graph.tensors.values() if t.is_variable and not t.is_constant and t.index not in graph.inputs
    ]
    return {t.index: _start_values(t) for t in variables}


def _start_values(variable: Tensor) -> Array:
    if variable.start is not None:
        return variable.start
    return np.frombuffer(bytes([variable.start_byte]) * variable.bytes, variable.dtype.numpy).reshape(variable.shape)


def run_graph(
    graph: Graph,
    inputs: Sequence[Array],
    layers: Sequence[Layer] | None = None,
    state: dict[int, Array] | None = None,
) -> dict[int, Array]:
    """Every tensor that exists at run time, inputs included, by its key. `layers` spares parsing the graph again.

    state  what variables hold, from `initial_state`; it is updated, so that the next inference goes on from there.
           Without it the inference is the first.

    Shape:  inputs are of the shapes and types of the graph's inputs, in their order
    Raises: CheckError when they are not; ModelError when the graph cannot be run
    """
    if len(inputs) != len(graph.inputs):
        raise CheckError(f"model `{graph.name}` has {len(graph.inputs)} inputs, {len(inputs)} were given")
    values: dict[int, Array] = initial_state(graph) if state is None else dict(state)
    for tensor, given in zip(graph.input_tensors(), inputs, strict=True):
        value = np.asarray(given)
        if value.shape != tensor.shape or value.dtype != tensor.dtype.numpy:
            raise CheckError(
                f"input `{tensor.name}` is {tensor.dtype.value} {list(tensor.shape)}, "
                f"{value.dtype} {list(value.shape)} was given"
            )
        values[tensor.index] = value
    for layer in parse_graph(graph) if layers is None else layers:
        operands = [constant(t) if t.is_constant else values[t.index] for t in layer.inputs]
        for tensor, result in zip(layer.outputs, run_layer(layer, operands), strict=True):
            values[tensor.index] = result
    if state is not None:
        state.update({key: values[key] for key in state})
    return values

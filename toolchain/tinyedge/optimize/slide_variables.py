"""Make one sliding buffer of a variable that is read, put in front of what is new, cut and assigned."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinyedge.arithmetic.movement import Movement
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops.contract import Layer
from tinyedge.ops.variables import SLIDE
from tinyedge.optimize.rewrite import add_tensors, reference_outputs, remove_operators, replace_operator, try_parse


@dataclass(frozen=True)
class _Window:
    """read_variable, concatenation, slice and assign_variable, and the tensors that stay."""

    read: Operator
    joined: Operator
    cut: Operator
    assign: Operator
    variable: Tensor
    whole: Tensor
    """what was kept and what is new, one behind the other"""
    new: Tensor


def slide_variables(graph: Graph) -> Graph:
    """Let what is kept and what is new lie in one variable: it slides, and the new becomes its end.

    A streaming model reads k rows of a variable, puts n new ones behind them, and assigns the last k of all. The four
    copies become one move of k rows and one copy of n, and what the readers see needs no place in the arena. Lossless:
    the variable of k + n rows begins with those of the old one behind n that nobody reads.
    """
    for operator in graph.operators:
        window = _find_window(graph, operator)
        if window is None:
            continue
        kept = replace(window.whole, is_variable=True)
        if window.variable.start is not None:
            kept = replace(kept, start=_start(window))
        elif kept.start_byte != window.variable.start_byte:
            continue
        slide = Operator(operator.index, SLIDE, (window.new.index,), (window.whole.index,))
        gone = (window.read.index, window.cut.index, window.assign.index)
        graph = remove_operators(replace_operator(add_tensors(graph, [kept]), slide), gone)
    return graph


def _start(window: _Window) -> Array:
    """What the variable of all rows holds before the first inference."""
    assert window.variable.start is not None
    values = np.zeros(window.whole.elements, window.whole.dtype.numpy)
    values[window.new.elements :] = window.variable.start.reshape(-1)
    return values.reshape(window.whole.shape)


def _find_window(graph: Graph, joined: Operator) -> _Window | None:
    """What a concatenation belongs to; None where it is no such window, or somebody else looks at its parts."""
    layer = _movement(graph, joined) if joined.name == "concatenation" else None
    if layer is None or len(layer.inputs) != 2 or any(t.is_constant or t.is_variable for t in layer.inputs):
        return None
    whole, (old, new) = layer.outputs[0], layer.inputs
    read = graph.producer(old.index)
    if read is None or read.name != "read_variable" or not _read_by_one(graph, old, joined):
        return None
    variable = graph.tensors[read.inputs[0]]
    assigns = [op for op in graph.operators if variable.index in op.outputs]
    if len(assigns) != 1 or assigns[0].name != "assign_variable" or not _read_by_one(graph, variable, read):
        return None
    cut = graph.producer(assigns[0].inputs[0])
    if (
        cut is None
        or whole.index not in cut.inputs
        or not _read_by_one(graph, graph.tensors[cut.outputs[0]], assigns[0])
    ):
        return None
    window = _Window(read, joined, cut, assigns[0], variable, whole, new)
    outside = {whole.index, variable.index} & {*graph.inputs, *graph.outputs, *graph.borrowed}
    return window if not outside and not whole.is_variable and _keeps_the_end(graph, window, layer) else None


def _movement(graph: Graph, operator: Operator) -> Layer | None:
    layer = try_parse(graph, operator)
    return layer if layer is not None and isinstance(layer.params, Movement) and len(layer.outputs) == 1 else None


def _read_by_one(graph: Graph, tensor: Tensor, reader: Operator) -> bool:
    return tensor.index not in graph.outputs and [op.index for op in graph.consumers(tensor.index)] == [reader.index]


def _keeps_the_end(graph: Graph, window: _Window, joined: Layer) -> bool:
    """Whether, in order of memory, the old is followed by the new, and the last elements of all are assigned."""
    cut = _movement(graph, window.cut)
    if cut is None or len(cut.inputs) != 1 or cut.outputs[0].dtype is not window.whole.dtype:
        return False
    total, new = window.whole.elements, window.new.elements
    places = np.arange(total, dtype=np.int32)
    behind = _moved(joined, places[: total - new], places[total - new :])
    return np.array_equal(behind, places) and np.array_equal(_moved(cut, places), places[new:])


def _moved(layer: Layer, *places: Array) -> Array:
    """Where the elements of a layer's output come from."""
    params = replace(layer.params, dtype=DType.INT32)
    return reference_outputs(replace(layer, params=params), places)[0]

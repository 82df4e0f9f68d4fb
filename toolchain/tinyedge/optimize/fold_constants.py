"""Compute at compile time what does not depend on the input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tinyedge.arithmetic import movement
from tinyedge.graph.access import constant
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops import OPERATORS
from tinyedge.ops.checks import computed_input
from tinyedge.optimize.rewrite import add_tensors, reference_outputs, remove_operators, try_parse

MOST_BYTES = 16 << 20
"""of constants computed by one pass, kept or not: more than boards have flash, and seconds of work"""
MOST_MACS = 200_000_000
"""of one operator folded: a second's work"""


@dataclass
class _Room:
    """What a pass may still compute, in bytes. What turned out useless is not given back: it took its time."""

    bytes: int = MOST_BYTES

    def take(self, size: int) -> bool:
        """Whether there is room for `size` bytes; takes it."""
        if size > self.bytes:
            return False
        self.bytes -= size
        return True


def fold_constants(graph: Graph) -> Graph:
    """Replace operators that read only constants, or nothing at run time, by their results.

    Lossless: the results come from the same reference that the kernels are held to. An output of the model is never
    folded: it needs memory to be read from, and the operator writes it. Since few operators can run that read nothing
    but constants, one stays as it is when an operator behind it would be left with constants alone and has to stay,
    or would not take a constant in its place.
    """
    return _fold_each(graph, lambda now, operator: _reads_constants(now, operator) or _reads_nothing(now, operator))


def fold_integers(graph: Graph) -> Graph:
    """`fold_constants` without what becomes float32: a graph that computes in float32 is refused as it is."""

    def wanted(now: Graph, operator: Operator) -> bool:
        real = any(now.tensors[key].dtype is DType.FLOAT32 for key in operator.outputs)
        return not real and _reads_constants(now, operator)

    return _fold_each(graph, wanted)


def _fold_each(graph: Graph, wanted: Callable[[Graph, Operator], bool]) -> Graph:
    there = {operator.index for operator in graph.operators}
    room = _Room()
    for operator in graph.operators:
        if operator.index in there and wanted(graph, operator):
            folded = _fold_through(graph, operator, room)
            if folded is not None:
                graph = folded
                there = {left.index for left in graph.operators}
    return graph


def _reads_nothing(graph: Graph, operator: Operator) -> bool:
    """Whether only the shape of its input matters, as that of zeros_like."""
    spec = OPERATORS.get(operator.name)
    if spec is None or spec.reference is not movement.reference:
        return False
    layer = try_parse(graph, operator)
    return layer is not None and not layer.inputs


def _reads_constants(graph: Graph, operator: Operator) -> bool:
    present = list(graph.present_inputs(operator))
    return bool(present) and all(tensor.is_constant for tensor in present)


def _fold_through(graph: Graph, operator: Operator, room: _Room) -> Graph | None:
    """The graph without the operator and those that read only constants then; None when one of them has to stay."""
    pending = {operator.index: operator}
    while pending:
        current = pending.pop(next(iter(pending)))
        folded = _fold(graph, current, room)
        if folded is None:
            return None
        readers = {reader.index: reader for key in current.outputs for reader in folded.consumers(key)}
        for index, reader in readers.items():
            if _reads_constants(folded, reader):
                pending[index] = reader
            elif try_parse(graph, reader) is not None and try_parse(folded, reader) is None:
                return None
        graph = folded
    return graph


def _fold(graph: Graph, operator: Operator, room: _Room) -> Graph | None:
    """The graph with constants instead of one operator; None when it has to stay."""
    outputs = [graph.tensors[key] for key in operator.outputs]
    if len(graph.operators) == 1 or any(t.is_variable or t.index in graph.outputs for t in outputs):
        return None
    layer = try_parse(graph, operator, waived=[computed_input])
    if layer is None or layer.macs > MOST_MACS or not room.take(sum(tensor.bytes for tensor in outputs)):
        return None
    results = reference_outputs(layer, [constant(t) for t in layer.inputs])
    folded = []
    for tensor, result in zip(outputs, results, strict=True):
        data = np.ascontiguousarray(result, tensor.dtype.numpy).reshape(tensor.shape)  # that makes scalars vectors
        data.flags.writeable = False
        folded.append(replace(tensor, data=data))
    return add_tensors(remove_operators(graph, [operator.index]), folded)

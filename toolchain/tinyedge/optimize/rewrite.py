"""Small steps that the passes share: retarget readers, change constants, drop what nobody needs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinyedge.graph.ir import Array, Graph, Operator, Tensor
from tinyedge.ops import OPERATORS
from tinyedge.ops.contract import Constraint, Layer

Pass = Callable[[Graph], Graph]
"""A pure function; returns the very same object when there is nothing to do."""


def try_parse(graph: Graph, operator: Operator, *, waived: Sequence[Constraint] = ()) -> Layer | None:
    """The layer, or None where the operator is refused (a pass leaves such an operator alone; planning reports it).

    waived  constraints that need not hold
    """
    spec = OPERATORS.get(operator.name)
    if spec is None or not all(rule in waived or rule(graph, operator) for rule in spec.constraints):
        return None
    return spec.parse(graph, operator)


def reference_outputs(layer: Layer, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """What a layer computes from arrays for `Layer.inputs`."""
    return OPERATORS[layer.name].reference(layer.params, inputs)


def replace_operator(graph: Graph, new: Operator) -> Graph:
    """The graph with the operator of the same index exchanged."""
    return graph.evolve(operators=tuple(new if op.index == new.index else op for op in graph.operators))


def remove_operators(graph: Graph, gone: Iterable[int]) -> Graph:
    """The graph without the operators of these indices; their tensors stay until `remove_unused`."""
    indices = set(gone)
    return graph.evolve(operators=tuple(op for op in graph.operators if op.index not in indices))


def add_tensors(graph: Graph, tensors: Iterable[Tensor]) -> Graph:
    """The graph with tensors added or exchanged by key."""
    return graph.evolve(tensors={**graph.tensors, **{tensor.index: tensor for tensor in tensors}})


def fresh_key(tensors: Mapping[int, Tensor]) -> int:
    """A tensor key that is not taken."""
    return max(tensors, default=-1) + 1


def read_instead(operator: Operator, old: int, new: int) -> Operator:
    """The operator reading `new` wherever it read `old`."""
    return replace(operator, inputs=tuple(new if key == old else key for key in operator.inputs))


def write_instead(operator: Operator, old: int, new: int) -> Operator:
    """The operator writing `new` where it wrote `old`."""
    return replace(operator, outputs=tuple(new if key == old else key for key in operator.outputs))


def same_layer(before: Layer | None, after: Layer | None) -> bool:
    """Whether two layers compute the same from the same bytes: every parameter is equal, and every constant read."""
    if before is None or after is None or len(before.inputs) != len(after.inputs):
        return False
    constants = zip(before.inputs, after.inputs, strict=True)
    return _same(before.params, after.params) and all(_same(old.data, new.data) for old, new in constants)


def _same(a: Any, b: Any) -> bool:
    if type(a) is not type(b):
        return False
    if dataclasses.is_dataclass(a):
        return all(_same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, tuple | list):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)


def merge_tensors(graph: Graph, operator: Operator, source: int, target: int) -> Graph | None:
    """The graph without `operator`, which copies tensor `source` to `target` byte by byte; None where it must stay.

    Either the readers of `target` read `source`, or the producer of `source` writes `target`; whichever leaves the
    parameters of every layer concerned as they were. Inputs and outputs of the model keep their tensors.
    """
    without = remove_operators(graph, [operator.index])
    if not without.operators:
        return None
    if target not in graph.outputs:
        readers = without.consumers(target)
        changed = [read_instead(reader, target, source) for reader in readers]
        if merged := _exchange(graph, without, changed):
            return merged
    producer = graph.producer(source)
    if producer is None or source in graph.outputs or graph.tensors[source].is_variable:
        return None
    changed = [read_instead(reader, source, target) for reader in without.consumers(source)]
    return _exchange(graph, without, [write_instead(producer, source, target), *changed])


def _exchange(graph: Graph, without: Graph, changed: Iterable[Operator]) -> Graph | None:
    """`without` with operators exchanged, if each still is the same layer."""
    old = {op.index: op for op in graph.operators}
    for new in changed:
        without = replace_operator(without, new)
        if not same_layer(try_parse(graph, old[new.index]), try_parse(without, new)):
            return None
    return without

"""if, while: subgraphs that run as the data decides, a branch once, the body of a loop as long as its condition holds.

What goes in and comes out has fixed shapes. The first inputs of a while are what its body changes, one for each output;
inputs behind them are only read. The body gives new values for the first ones alone. (In a file every input has an
output; `optimize.settle_control_flow` takes away those that no body changes.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np

from tinyedge.errors import ModelError
from tinyedge.graph.access import constant
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops.contract import Layer, OperatorSpec

LOOP_HINT = (
    "build recurrent layers with `unroll=True`, or convert an LSTM with a fixed batch size of 1 so that it becomes one "
    "unidirectional_sequence_lstm: the converter quantizes neither inside of loops and branches"
)
"""what to do with loops and branches that stayed in float32"""
MOST_ROUNDS = 30_000
"""of all loops in one inference, those within loops included: far more than a microcontroller has time for"""
MOST_COUNTED = 1_000
"""rounds up to which a loop is followed to see how often it runs"""
_MOVED = (DType.INT8, DType.INT16, DType.INT32, DType.INT64, DType.BOOL)

_rounds_left: ContextVar[int | None] = ContextVar("_rounds_left", default=None)


@dataclass(frozen=True, eq=False)
class Inner:
    """A subgraph and its layers."""

    graph: Graph
    layers: tuple[Layer, ...]


@dataclass(frozen=True, eq=False)
class If:
    """Parameters. Layer.inputs has the condition, unless that is known, and then what is computed of the operands.

    known     the condition, where it is a constant
    operands  what goes into either branch: constants; None for what is computed
    """

    known: bool | None
    operands: tuple[Array | None, ...]
    then: Inner
    otherwise: Inner


@dataclass(frozen=True, eq=False)
class While:
    """Parameters. Layer.inputs has what is computed of the operands.

    operands  what the loop begins with, what it changes first: constants; None for what is computed
    rounds    how often the body runs, where that follows from constants
    """

    operands: tuple[Array | None, ...]
    condition: Inner
    body: Inner
    rounds: int | None


# -- rules -----------------------------------------------------------------------------------------------------------


def _shaped_alike(tensors: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    return len(tensors) == len(others) and all(
        (a.dtype, a.elements) == (b.dtype, b.elements) for a, b in zip(tensors, others, strict=True)
    )


def _tensors(graph: Graph, keys: Sequence[int]) -> tuple[Tensor, ...]:
    return tuple(graph.tensors[key] for key in keys)


def two_subgraphs(graph: Graph, operator: Operator) -> bool:
    """It names two subgraphs of the file, and all its inputs and at least one output are there."""
    return len(operator.subgraphs) == 2 and bool(operator.outputs) and all(key >= 0 for key in operator.inputs)


def moves_known_types(graph: Graph, operator: Operator) -> bool:
    """What goes in and comes out is int8, int16, int32, int64 or bool."""
    return all(tensor.dtype in _MOVED for tensor in _tensors(graph, (*operator.inputs, *operator.outputs)))


def one_condition(graph: Graph, operator: Operator) -> bool:
    """Its first input is the condition, one bool."""
    first = _tensors(graph, operator.inputs[:1])
    return bool(first) and first[0].dtype is DType.BOOL and first[0].elements == 1


def branches_fit(graph: Graph, operator: Operator) -> bool:
    """Both branches take its other inputs and give its outputs: as many, of the same types and sizes."""
    operands, results = _tensors(graph, operator.inputs[1:]), _tensors(graph, operator.outputs)
    return all(
        _shaped_alike(operands, inner.input_tensors()) and _shaped_alike(results, inner.output_tensors())
        for inner in operator.subgraphs
    )


def loop_fits(graph: Graph, operator: Operator) -> bool:
    """Condition and body take its inputs, the condition gives one bool, the body a new value for each output: as many,
    of the same types and sizes."""
    condition, body = operator.subgraphs
    operands, results = _tensors(graph, operator.inputs), _tensors(graph, operator.outputs)
    holds = condition.output_tensors()
    return (
        all(_shaped_alike(operands, inner.input_tensors()) for inner in operator.subgraphs)
        and _shaped_alike(operands[: len(results)], results)
        and _shaped_alike(results, body.output_tensors())
        and len(holds) == 1
        and holds[0].dtype is DType.BOOL
        and holds[0].elements == 1
    )


# -- layers ----------------------------------------------------------------------------------------------------------


def _inner(graph: Graph) -> Inner:
    from tinyedge.ops import parse_graph  # which finds this file among others

    return Inner(graph, parse_graph(graph))


def _operands(tensors: Sequence[Tensor]) -> tuple[Array | None, ...]:
    return tuple(constant(tensor) if tensor.is_constant else None for tensor in tensors)


def _macs(inner: Inner) -> int:
    return sum(layer.macs for layer in inner.layers)


def _computed(tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    return tuple(tensor for tensor in tensors if not tensor.is_constant)


def parse_if(graph: Graph, operator: Operator) -> Layer:
    condition, *operands = _tensors(graph, operator.inputs)
    known = bool(constant(condition).reshape(-1)[0]) if condition.is_constant else None
    then, otherwise = map(_inner, operator.subgraphs)
    params = If(known, _operands(operands), then, otherwise)
    macs = max(_macs(then), _macs(otherwise))
    inputs = _computed((condition, *operands))
    return Layer(operator, params, inputs, _tensors(graph, operator.outputs), macs)


def parse_while(graph: Graph, operator: Operator) -> Layer:
    condition, body = map(_inner, operator.subgraphs)
    tensors = _tensors(graph, operator.inputs)
    operands = _operands(tensors)
    rounds = _count_rounds(operands, condition, body)
    macs = (1 if rounds is None else rounds) * (_macs(condition) + _macs(body))
    return Layer(
        operator,
        While(operands, condition, body, rounds),
        _computed(tensors),
        _tensors(graph, operator.outputs),
        macs,
    )


def _count_rounds(operands: Sequence[Array | None], condition: Inner, body: Inner) -> int | None:
    """How often the body runs; None where that depends on more than constants, or is more than `MOST_COUNTED`."""
    changed = len(body.graph.outputs)
    asked = _depends_on(condition, condition.graph.outputs)
    while True:
        further = _depends_on(body, [body.graph.outputs[at] for at in asked if at < changed]) | asked
        if further == asked:
            break
        asked = further
    if any(operands[at] is None for at in asked):
        return None
    test = _slice(condition, condition.graph.outputs)
    step = _slice(body, [body.graph.outputs[at] for at in sorted(asked) if at < changed])
    values = [
        np.zeros(tensor.shape, tensor.dtype.numpy) if value is None else value
        for tensor, value in zip(body.graph.input_tensors(), operands, strict=True)
    ]
    with _rounds(), suppress(ModelError):  # of a loop within that does not end
        for rounds in range(MOST_COUNTED + 1):
            if not _run(test, values)[0].reshape(-1)[0]:
                return rounds
            results = iter(_run(step, values))
            values = [next(results) if at in asked and at < changed else value for at, value in enumerate(values)]
    return None


def _depends_on(inner: Inner, keys: Sequence[int]) -> set[int]:
    """Positions of the inputs that tensors of a subgraph depend on."""
    needed = set(keys)
    for layer in reversed(inner.layers):
        if needed.intersection(layer.operator.outputs):
            needed.update(tensor.index for tensor in layer.inputs)
    return {at for at, key in enumerate(inner.graph.inputs) if key in needed}


def _slice(inner: Inner, outputs: Sequence[int]) -> Inner:
    """What of a subgraph some tensors need."""
    needed, kept = set(outputs), []
    for layer in reversed(inner.layers):
        if needed.intersection(layer.operator.outputs):
            kept.append(layer)
            needed.update(tensor.index for tensor in layer.inputs)
    return Inner(inner.graph.evolve(outputs=tuple(outputs)), tuple(reversed(kept)))


# -- references ------------------------------------------------------------------------------------------------------


def _run(inner: Inner, inputs: Sequence[Array]) -> list[Array]:
    from tinyedge.ops.reference import run_graph  # which looks up this file's

    shaped = [value.reshape(tensor.shape) for value, tensor in zip(inputs, inner.graph.input_tensors(), strict=True)]
    values = run_graph(inner.graph, shaped, inner.layers)
    return [constant(t) if t.is_constant else values[t.index] for t in inner.graph.output_tensors()]


def _filled(operands: Sequence[Array | None], computed: Iterator[Array]) -> list[Array]:
    return [next(computed) if value is None else value for value in operands]


def reference_if(params: If, inputs: Sequence[Array]) -> tuple[Array, ...]:
    given = iter(inputs)
    holds = next(given).reshape(-1)[0] if params.known is None else params.known
    return tuple(_run(params.then if holds else params.otherwise, _filled(params.operands, given)))


def reference_while(params: While, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """Raises: ModelError when the loop runs so often that no end is seen."""
    values = _filled(params.operands, iter(inputs))
    changed = len(params.body.graph.outputs)
    with _rounds() as take:
        while _run(params.condition, values)[0].reshape(-1)[0]:
            take(params.body.graph)
            values[:changed] = _run(params.body, values)
    return tuple(values[:changed])


@contextmanager
def _rounds() -> Iterator[Callable[[Graph], None]]:
    """Counts the rounds of a loop and of those within it."""
    outermost = _rounds_left.get() is None
    if outermost:
        _rounds_left.set(MOST_ROUNDS)

    def take(body: Graph) -> None:
        left = _rounds_left.get()
        assert left is not None
        if left == 0:
            raise ModelError(
                f"model `{body.name}`: a while has run {MOST_ROUNDS:,} rounds and its condition still holds",
                hint="count the rounds in the condition, e.g. `i < 49`, and convert again",
            )
        _rounds_left.set(left - 1)

    try:
        yield take
    finally:
        if outermost:
            _rounds_left.set(None)


SPECS = (
    OperatorSpec("if", (two_subgraphs, moves_known_types, one_condition, branches_fit), parse_if, reference_if),
    OperatorSpec("while", (two_subgraphs, moves_known_types, loop_fits), parse_while, reference_while),
)

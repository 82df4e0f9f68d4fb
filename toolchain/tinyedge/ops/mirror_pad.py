"""mirror_pad: a border that repeats the tensor backwards, with its outermost elements or without them."""

from __future__ import annotations

import itertools

from tinyedge.arithmetic.movement import View, make_copies, reference
from tinyedge.graph.access import constant, first_input, first_output, input_tensor
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import element_types
from tinyedge.ops.contract import Layer, OperatorSpec, movement_layer

_MOST_AXES = 5

_Span = tuple[int, int, int, int]
"""beginning in the output, beginning in the input, count, step in the input"""


def _pairs(graph: Graph, operator: Operator) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in constant(graph.tensors[operator.inputs[1]]).reshape(-1, 2)]


def _skipped(operator: Operator) -> int:
    """How many outermost elements the mirror image leaves out."""
    return 1 if operator.options["mode"] == "reflect" else 0


def _spans(length: int, before: int, after: int, skipped: int) -> list[_Span]:
    """One axis in up to three spans: backwards, as it is, backwards.

    >>> _spans(4, 2, 0, 1)
    [(0, 2, 2, -1), (2, 0, 4, 1)]
    """
    spans = [
        (0, before - 1 + skipped, before, -1),
        (before, 0, length, 1),
        (before + length, length - 1 - skipped, after, -1),
    ]
    return [span for span in spans if span[2]]


def small_rank(graph: Graph, operator: Operator) -> bool:
    """The input has one to five dimensions."""
    return 1 <= len(first_input(graph, operator).shape) <= _MOST_AXES


def constant_paddings(graph: Graph, operator: Operator) -> bool:
    """The paddings are a constant of int32 or int64 [dimensions, 2], none negative."""
    paddings = input_tensor(graph, operator, 1)
    if paddings is None or not paddings.is_constant or paddings.dtype not in (DType.INT32, DType.INT64):
        return False
    return paddings.shape == (len(first_input(graph, operator).shape), 2) and bool((constant(paddings) >= 0).all())


def border_is_there(graph: Graph, operator: Operator) -> bool:
    """No border is wider than the input's axis (mode reflect: than the axis less 1)."""
    room = [length - _skipped(operator) for length in first_input(graph, operator).shape]
    return all(max(pair) <= length for pair, length in zip(_pairs(graph, operator), room, strict=True))


def pads_to_output(graph: Graph, operator: Operator) -> bool:
    """The output is larger than the input by the paddings."""
    pairs = _pairs(graph, operator)
    grown = tuple(n + sum(pair) for n, pair in zip(first_input(graph, operator).shape, pairs, strict=True))
    return first_output(graph, operator).shape == grown


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    axes = [
        _spans(length, *pair, _skipped(operator))
        for length, pair in zip(source.shape, _pairs(graph, operator), strict=True)
    ]
    pairs = []
    for box in itertools.product(*axes):
        read, written = View.whole(source.shape), View.whole(target.shape)
        for axis, (to, begin, count, step) in enumerate(box):
            read, written = read.part(axis, begin, count, step), written.part(axis, to, count)
        pairs.append((read, written))
    return movement_layer(operator, [source], [target], make_copies(0, 0, pairs))


SPECS = (
    OperatorSpec(
        name="mirror_pad",
        constraints=(
            checks.arity(2, 2),
            checks.options("mode"),
            element_types(DType.INT8),
            small_rank,
            constant_paddings,
            border_is_there,
            pads_to_output,
        ),
        parse=parse,
        reference=reference,
    ),
)

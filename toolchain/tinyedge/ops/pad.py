"""pad, padv2: a constant border around an int8 or int16 tensor of rank 4 or less."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.graph.access import constant, first_input, first_output, input_tensor, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.contract import Layer, OperatorSpec

Four = tuple[int, int, int, int]


@dataclass(frozen=True)
class Pad:
    """Parameters, all of rank 4 (leading ones added): amounts before and after each axis, and the value."""

    input_shape: Four
    before: Four
    after: Four
    value: int
    dtype: DType = DType.INT8


def _four(values: Sequence[int], filler: int) -> Four:
    """Four values, missing ones filled in front.

    >>> _four((5, 6), 1)
    (1, 1, 5, 6)
    """
    a, b, c, d = (filler,) * (4 - len(values)) + tuple(int(value) for value in values)
    return a, b, c, d


def small_rank(graph: Graph, operator: Operator) -> bool:
    """The input has one to four dimensions."""
    return 1 <= len(first_input(graph, operator).shape) <= 4


def constant_paddings(graph: Graph, operator: Operator) -> bool:
    """The paddings are a constant of int32, a pair per dimension, none negative."""
    paddings = input_tensor(graph, operator, 1)
    if paddings is None or not paddings.is_constant or paddings.dtype is not DType.INT32:
        return False
    return paddings.elements == 2 * len(first_input(graph, operator).shape) and bool((constant(paddings) >= 0).all())


def pads_to_output(graph: Graph, operator: Operator) -> bool:
    """The output is larger than the input by the paddings."""
    pairs = constant(graph.tensors[operator.inputs[1]]).reshape(-1, 2)
    grown = tuple(
        size + int(before) + int(after)
        for size, (before, after) in zip(first_input(graph, operator).shape, pairs, strict=True)
    )
    return first_output(graph, operator).shape == grown


def value_fits(graph: Graph, operator: Operator) -> bool:
    """The value, if it is an input, is one constant of the output's type, scale and zero point."""
    value = input_tensor(graph, operator, 2)
    if value is None:
        return True
    target = first_output(graph, operator)
    if not value.is_constant or value.dtype is not target.dtype or value.elements != 1 or not per_tensor(value):
        return False
    return value.zero_point == target.zero_point and value.scale == target.scale


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    pairs = constant(graph.tensors[operator.inputs[1]]).reshape(-1, 2)
    value = input_tensor(graph, operator, 2)
    params = Pad(
        input_shape=_four(source.shape, 1),
        before=_four(pairs[:, 0].tolist(), 0),
        after=_four(pairs[:, 1].tolist(), 0),
        value=target.zero_point if value is None else int(constant(value).ravel()[0]),
        dtype=target.dtype,
    )
    return Layer(operator, params, (source,), (target,), macs=0)


def reference(params: Pad, inputs: Sequence[Array]) -> tuple[Array, ...]:
    pairs = list(zip(params.before, params.after, strict=True))
    return (np.pad(inputs[0].reshape(params.input_shape), pairs, constant_values=params.value),)


def _spec(name: str, smallest: int, largest: int) -> OperatorSpec:
    constraints = (
        checks.arity(smallest, largest),
        checks.computed_input,
        checks.int8_or_int16,
        small_rank,
        constant_paddings,
        pads_to_output,
        value_fits,
    )
    return OperatorSpec(name, constraints, parse, reference)


SPECS = (_spec("pad", 2, 2), _spec("padv2", 3, 3))

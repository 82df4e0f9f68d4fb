"""Operators that are one function of one value: of int8 a table of 256 entries holds them exactly.

The tables themselves are made in `arithmetic.tables`; any further int8 to int8 function of one value is one more entry
here. Of int16 some are straight on either side of zero. logistic and tanh, which int16 has too, have their rules in
`sigmoid`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import piecewise_s16, tables
from tinyedge.arithmetic.piecewise_s16 import PiecewiseS16
from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.contract import Constraint, Layer, OperatorSpec


@dataclass(frozen=True, eq=False)
class Lookup:
    """Parameters. Shape: table int8 [256]; output = table[input + 128]."""

    elements: int
    table: Array


TABLES: dict[str, tables.Table] = {
    "abs": tables.absolute,
    "elu": tables.elu,
    "hard_swish": tables.hard_swish,
    "leaky_relu": tables.leaky_relu,
    "logistic": tables.logistic,
    "relu": tables.relu,
    "relu6": tables.relu6,
    "rsqrt": tables.rsqrt,
    "tanh": tables.tanh,
}


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """The input scale is less than 2**30 times the output scale."""
    return checks.scalable(tables.scale_quotient(first_input(graph, operator), first_output(graph, operator)))


def slope_fits(graph: Graph, operator: Operator) -> bool:
    """alpha is a number whose product with the input scale is less than 2**30 times the output scale."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    factor = tables.alpha_factor(source, target, operator.options["alpha"])
    return checks.scalable(abs(factor))


def hard_swish_scales_fit(graph: Graph, operator: Operator) -> bool:
    """The input scale is between 2**-20 and 2**20, at least 2**-8 and less than 127 times the output scale."""
    scale = first_input(graph, operator).scale
    quotient = tables.scale_quotient(first_input(graph, operator), first_output(graph, operator))
    return 2.0**-20 <= scale <= 2.0**20 and 2.0**-8 <= quotient < 127


def elu_scales_fit(graph: Graph, operator: Operator) -> bool:
    """The input scale is less than 2**20, the output scale at least 2**-100, and their quotient less than 2**20."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    return source.scale < 1 << 20 and target.scale >= 2.0**-100 and tables.scale_quotient(source, target) < 1 << 20


def never_negative(graph: Graph, operator: Operator) -> bool:
    """Its input cannot be negative: the zero point is -128."""
    return first_input(graph, operator).zero_point == -128


def rsqrt_scales_fit(graph: Graph, operator: Operator) -> bool:
    """The square root of the input scale times the output scale is between 2**-29 and 2**11."""
    factor = tables.rsqrt_factor(first_input(graph, operator), first_output(graph, operator))
    return 2.0**-11 <= factor <= 2.0**29


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    if source.dtype is DType.INT16:
        params = piecewise_s16.MAKERS[operator.name](source, target, operator.options)
        return Layer(operator, params, (source,), (target,), macs=0)
    table = TABLES[operator.name](source, target, operator.options).astype(np.int8)
    return Layer(operator, Lookup(source.elements, table), (source,), (target,), macs=0)


def reference(params: Lookup | PiecewiseS16, inputs: Sequence[Array]) -> tuple[Array, ...]:
    if isinstance(params, PiecewiseS16):
        return (params.of(inputs[0]).astype(np.int16),)
    return (params.table[inputs[0].astype(np.int64) + 128],)


def _spec(name: str, *rules: Constraint) -> OperatorSpec:
    types = checks.int8_or_int16 if name in piecewise_s16.MAKERS else checks.int8_in_and_out
    common = (checks.arity(1, 1), checks.computed_input, types, checks.same_shape)
    return OperatorSpec(name, (*common, *rules), parse, reference)


SPECS = (
    _spec("abs", scales_fit),
    _spec("elu", elu_scales_fit),
    _spec("hard_swish", hard_swish_scales_fit),
    _spec("leaky_relu", checks.options("alpha"), scales_fit, slope_fits),
    _spec("relu", scales_fit),
    _spec("relu6", checks.same_quantization),
    _spec("rsqrt", never_negative, rsqrt_scales_fit),
)

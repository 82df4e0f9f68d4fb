"""Operators that are one function of one int8 value: a table of 256 entries holds them exactly.

relu and relu6 are here; any further int8 to int8 function of one value is one more entry in `_TABLES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.graph.ir import Graph, Operator, Tensor
from tinyedge.graph.quantization import (
    activation_range,
    integer_range,
    quantize_multiplier,
    quantize_real,
    requantize,
)
from tinyedge.ops import checks
from tinyedge.ops.checks import first_input, first_output
from tinyedge.ops.contract import Array, Layer, OperatorSpec

_INPUTS = np.arange(-128, 128, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Lookup:
    """Parameters. Shape: table int8 [256]; output = table[input + 128]."""

    elements: int
    table: Array


def _relu_factor(source: Tensor, target: Tensor) -> float:
    """Its quotient of scales is taken in float32, that of other operators in double precision."""
    with np.errstate(over="ignore", under="ignore"):
        return float(np.float32(source.scale) / np.float32(target.scale))


def _relu(source: Tensor, target: Tensor) -> Array:
    factor = _relu_factor(source, target)
    low, high = activation_range("relu", target.dtype, target.scale, target.zero_point)
    return requantize(_INPUTS - source.zero_point, *quantize_multiplier(factor), target.zero_point, low, high)


def _relu6(source: Tensor, target: Tensor) -> Array:
    # Input and output are taken to have the same quantization: only the input's is looked at.
    smallest, largest = integer_range(source.dtype)
    six = min(max(quantize_real(6.0, source.scale, source.zero_point), smallest), largest)
    return np.clip(_INPUTS, source.zero_point, six)


_TABLES: dict[str, Callable[[Tensor, Tensor], Array]] = {"relu": _relu, "relu6": _relu6}


def same_shape(graph: Graph, operator: Operator) -> bool:
    """Input and output have the same shape."""
    return first_input(graph, operator).shape == first_output(graph, operator).shape


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """The input scale is less than 2**30 times the output scale."""
    return checks.scalable(_relu_factor(first_input(graph, operator), first_output(graph, operator)))


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    table = _TABLES[operator.name](source, target).astype(np.int8)
    return Layer(operator, Lookup(source.elements, table), (source,), (target,), macs=0)


def reference(params: Lookup, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (params.table[inputs[0].astype(np.int64) + 128],)


_CONSTRAINTS = (checks.arity(1, 1), checks.computed_input, checks.int8_in_and_out, same_shape)

SPECS = (
    OperatorSpec("relu", (*_CONSTRAINTS, scales_fit), parse, reference),
    OperatorSpec("relu6", (*_CONSTRAINTS, checks.same_quantization), parse, reference),
)

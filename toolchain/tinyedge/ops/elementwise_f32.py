"""Operators in float32, element by element: what stands between dequantize and quantize and is no table.

No file holds these names: the pass `compute_floats` gives them to operators of float32 in a model that is quantized
otherwise. `add_f32` is TFLite's `add`, and so on. They hold no operator that calls the C library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from tinyedge.arithmetic import broadcast, float_functions
from tinyedge.arithmetic.broadcast import Broadcast
from tinyedge.graph.access import all_inputs, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Constraint, Layer, OperatorSpec, make_layer

SUFFIX = "_f32"
COMPARISONS: Mapping[str, np.ufunc] = MappingProxyType(
    {
        "equal": np.equal,
        "greater": np.greater,
        "greater_equal": np.greater_equal,
        "less": np.less,
        "less_equal": np.less_equal,
        "not_equal": np.not_equal,
    }
)
"""functions of two elements whose results are truth values"""
FUSED = ("add", "div", "mul", "sub")
"""those that may clamp"""
PAIRS = tuple(sorted(float_functions.OF_TWO))
"""functions of two elements"""
SINGLES = tuple(sorted(float_functions.FUNCTIONS.keys() - float_functions.OF_TWO - float_functions.OF_LIBRARY))
"""functions of one element"""


@dataclass(frozen=True, eq=False)
class ElementwiseF32:
    """Parameters: the function, rounded to float32 at every step.

    function   TFLite's name in lower case
    options    of the operator in the file
    broadcast  of the operands, one or two
    """

    function: str
    options: Mapping[str, Any]
    broadcast: Broadcast


def all_floats(graph: Graph, operator: Operator) -> bool:
    """Inputs and output are all float32, in a model that is quantized otherwise."""
    return all(t.dtype is DType.FLOAT32 for t in (*all_inputs(graph, operator), first_output(graph, operator)))


def floats_to_bool(graph: Graph, operator: Operator) -> bool:
    """The inputs are float32, the output is bool, in a model that is quantized otherwise."""
    floats = all(t.dtype is DType.FLOAT32 for t in all_inputs(graph, operator))
    return floats and first_output(graph, operator).dtype is DType.BOOL


def parse(graph: Graph, operator: Operator) -> Layer:
    params = ElementwiseF32(
        function=operator.name.removesuffix(SUFFIX),
        options=operator.options,
        broadcast=broadcast.broadcast_of(graph, operator),
    )
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def reference(params: ElementwiseF32, inputs: Sequence[Array]) -> tuple[Array, ...]:
    operands = params.broadcast.operands(inputs)
    if params.function in COMPARISONS:
        return (COMPARISONS[params.function](*operands),)
    return (float_functions.apply(params.function, params.options, *operands),)


def _spec(name: str) -> OperatorSpec:
    stated: dict[str, Constraint] = {"leaky_relu": checks.options("alpha")}
    rules: list[Constraint] = [checks.arity(1, 1) if name in SINGLES else checks.arity(2, 2)]
    if name in FUSED:
        rules += [checks.options("fused_activation_function"), checks.known_activation]
    rules += [stated[name]] if name in stated else []
    types = floats_to_bool if name in COMPARISONS else all_floats
    return OperatorSpec(name + SUFFIX, (*rules, types, shapes.one_computed, shapes.broadcasts), parse, reference)


SPECS = tuple(_spec(name) for name in (*PAIRS, *SINGLES, *COMPARISONS))

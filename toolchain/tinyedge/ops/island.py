"""island: operators in float32 behind a dequantize that are together one function of one int8 value.

No file holds it: the pass `fold_islands` puts it in the place of such operators up to a quantize, `compute_floats` in
the place of those up to the last that calls the C library, with the table of the 256 results. `tabulate_pairs` puts it
in the place of operators in int8 that are such a function.
"""

from __future__ import annotations

import numpy as np

from tinyedge.graph.access import first_input, first_output, per_tensor
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops import checks, lookup
from tinyedge.ops.contract import Layer, OperatorSpec
from tinyedge.ops.lookup import Lookup

TABLE = "table"
"""the option that holds the results for the inputs -128 to 127"""

OPERATORS = "operators"
"""the option that holds the indices of the operators in float32 that it stands for"""


def int8_to_int8_or_float(graph: Graph, operator: Operator) -> bool:
    """The input is int8 with one scale and zero point; so is the output, or it is float32."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    if source.dtype is not DType.INT8 or not per_tensor(source):
        return False
    return target.dtype is DType.FLOAT32 or (target.dtype is DType.INT8 and per_tensor(target))


def has_table(graph: Graph, operator: Operator) -> bool:
    """The dequantize is of int8, and behind it stand operators that are one function of each element:
    abs, add, ceil, cos, div, elu, exp, floor, hard_swish, leaky_relu, log, logistic, maximum, minimum, mul, neg, prelu,
    relu, relu6, round, rsqrt, sin, sqrt, square, squared_difference, sub or tanh, second operands being single
    constants or functions of the same element, and reshape, expand_dims or squeeze."""
    return TABLE in operator.options


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    table = np.array(operator.options[TABLE], target.dtype.numpy)
    return Layer(operator, Lookup(source.elements, table), (source,), (target,), macs=0)


SPECS = (
    OperatorSpec(
        name="island",
        constraints=(checks.arity(1, 1), checks.computed_input, int8_to_int8_or_float, has_table),
        parse=parse,
        reference=lookup.reference,
    ),
)

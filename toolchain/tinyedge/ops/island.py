"""island: operators in float32 between dequantize and quantize that are together one function of one int8 value.

No file holds it: the pass `fold_islands` puts it in the place of such operators, with the table of its 256 results.
"""

from __future__ import annotations

import numpy as np

from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import Graph, Operator
from tinyedge.ops import checks, lookup
from tinyedge.ops.contract import Layer, OperatorSpec
from tinyedge.ops.lookup import Lookup

TABLE = "table"
"""the option that holds the results for the inputs -128 to 127"""

OPERATORS = "operators"
"""the option that holds the indices of the operators in float32 that it stands for"""


def has_table(graph: Graph, operator: Operator) -> bool:
    """Dequantize and quantize are of int8, and between them stand operators that are one function of each element:
    abs, add, ceil, cos, div, elu, exp, floor, hard_swish, leaky_relu, log, logistic, maximum, minimum, mul, neg, prelu,
    relu, relu6, round, rsqrt, sin, sqrt, square, squared_difference, sub or tanh, second operands being single
    constants or functions of the same element, and reshape, expand_dims or squeeze."""
    return TABLE in operator.options


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    table = np.array(operator.options[TABLE], np.int8)
    return Layer(operator, Lookup(source.elements, table), (source,), (target,), macs=0)


SPECS = (
    OperatorSpec(
        name="island",
        constraints=(checks.arity(1, 1), checks.computed_input, checks.int8_in_and_out, has_table),
        parse=parse,
        reference=lookup.reference,
    ),
)

"""Turn operators of two int8 operands that are a function of one value into tables of its 256 results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from tinyedge.graph.access import constant, per_tensor
from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.ops.island import OPERATORS, TABLE
from tinyedge.optimize.rewrite import reference_outputs, replace_operator, try_parse

_PAIRS = ("add", "sub", "mul", "squared_difference", "div", "maximum", "minimum", "prelu")
_FEWEST = 32
"""elements, for fewer a table is not worth its bytes"""
_VALUES = np.arange(-128, 128).astype(np.int8)


def tabulate_pairs(graph: Graph) -> Graph:
    """Put an `island` in the place of operators whose second operand is a single constant, or the first once more.

    Lossless: the table holds what the operator gives for each of the 256 values.
    """
    for operator in graph.operators:
        if operator.name in _PAIRS and len(operator.inputs) == 2:
            source = _only_source(graph.tensors, operator)
            if source is not None and (table := _table(graph, operator, source)) is not None:
                options = MappingProxyType({TABLE: table, OPERATORS: ()})
                graph = replace_operator(graph, replace(operator, name="island", inputs=(source,), options=options))
    return graph


def _only_source(tensors: Mapping[int, Tensor], operator: Operator) -> int | None:
    """The tensor whose elements decide those of the output, one each; None where there is no such tensor."""
    computed = {key for key in operator.inputs if not tensors[key].is_constant}
    constants = [tensors[key] for key in operator.inputs if tensors[key].is_constant]
    target = tensors[operator.outputs[0]]
    if len(computed) != 1 or any(tensor.elements != 1 for tensor in constants):
        return None
    (source,) = computed
    plain = all(tensor.dtype is DType.INT8 and per_tensor(tensor) for tensor in (tensors[source], target))
    return source if plain and tensors[source].elements == target.elements >= _FEWEST else None


def _table(graph: Graph, operator: Operator, source: int) -> tuple[int, ...] | None:
    """What the operator gives for each value of its source; None where it is refused."""
    keys, tensors = operator.inputs, dict(graph.tensors)
    for key in {source, *operator.outputs}:
        tensors[key] = replace(tensors[key], shape=(256,))
    for key in keys:
        if tensors[key].is_constant:
            tensors[key] = replace(tensors[key], shape=(1,), data=constant(tensors[key]).reshape(1))
    if try_parse(graph, operator) is None:
        return None
    layer = try_parse(graph.evolve(tensors=tensors), operator)
    if layer is None:
        return None
    (results,) = reference_outputs(layer, [_VALUES] * len(layer.inputs))
    return tuple(int(value) for value in results.reshape(-1))

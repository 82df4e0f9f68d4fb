"""Let reductions read what was transposed for them as it was before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyedge.arithmetic.axes import axes_of
from tinyedge.graph.access import constant
from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.optimize.rewrite import add_tensors, fresh_key, replace_operator, try_parse

_REDUCTIONS = ("mean", "sum", "reduce_max", "reduce_min")


def transpose_reduction(graph: Graph) -> Graph:
    """Let a mean, sum, maximum or minimum over axes of a transposed tensor go over the same axes of the original.

    Lossless: a reduction of integers is the same in any order, and the axes that stay keep theirs. The transpose goes
    when nobody else reads it. Where the result would have another shape (`keep_dims`), it stays.
    """
    for operator in graph.operators:
        if operator.name not in _REDUCTIONS or try_parse(graph, operator) is None:
            continue
        producer = graph.producer(operator.inputs[0])
        if producer is None or producer.name != "transpose" or try_parse(graph, producer) is None:
            continue
        graph = _read_the_original(graph, operator, producer) or graph
    return graph


def _read_the_original(graph: Graph, operator: Operator, transpose: Operator) -> Graph | None:
    """None where that would change a result."""
    source, target = graph.tensors[transpose.inputs[0]], graph.tensors[operator.outputs[0]]
    order = [int(axis) for axis in constant(graph.tensors[transpose.inputs[1]]).reshape(-1)]
    gone = axes_of(graph, operator)
    if gone is None or source.is_variable or source.is_constant:
        return None
    own = sorted(order[axis] for axis in gone)
    if not _same_order(source, order, gone):
        return None
    key = fresh_key(graph.tensors)
    axes = Tensor(key, "axes", (len(own),), DType.INT32, data=np.array(own, np.int32))
    shape = tuple(1 if axis in own else extent for axis, extent in enumerate(source.shape))
    if not operator.options["keep_dims"]:
        shape = tuple(extent for axis, extent in enumerate(source.shape) if axis not in own)
    changed = replace(operator, inputs=(source.index, key))
    if shape == target.shape:
        result = replace_operator(add_tensors(graph, [axes]), changed)
        return result if try_parse(result, changed) is not None else None
    return None


def _same_order(source: Tensor, order: Sequence[int], gone: Sequence[int]) -> bool:
    """Whether the axes that stay stand in the same order before the transpose."""
    kept = [axis for place, axis in enumerate(order) if place not in gone and source.shape[axis] != 1]
    return kept == sorted(kept)

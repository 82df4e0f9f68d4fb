"""Remove quantize and dequantize operators that cancel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyedge.graph.ir import DType, Graph, Operator, Tensor, integer_range
from tinyedge.ops.contract import Layer
from tinyedge.ops.requantize import FloatBorder, Requantize
from tinyedge.optimize.rewrite import (
    merge_tensors,
    read_instead,
    reference_outputs,
    remove_operators,
    replace_operator,
    try_parse,
)

_CHECKED = (DType.INT8, DType.UINT8, DType.INT16)
"""types whose values are few enough to try them all"""


def remove_requantize_pairs(graph: Graph) -> Graph:
    """Remove a requantization that changes no value, and pairs (dequantize and quantize again, to and fro) that cancel.

    Lossless: proved by computing every value the first operator can read, 256 or 65,536 of them, and finding each of
    them unchanged. quantize followed by dequantize, which rounds real numbers, never passes that test as its values
    are not integers; it stays.
    """
    for second in graph.operators:
        last = _conversion(graph, second)
        if last is None or second not in graph.operators:
            continue
        first = graph.producer(last.inputs[0].index)
        before = None if first is None else _conversion(graph, first)
        if before is not None and first is not None and _cancels([before, last]):
            graph = _remove_pair(graph, first, second, before.inputs[0], last.outputs[0])
        elif _cancels([last]):
            graph = merge_tensors(graph, second, last.inputs[0].index, last.outputs[0].index) or graph
    return graph


def _conversion(graph: Graph, operator: Operator) -> Layer | None:
    """The layer of a quantize or dequantize operator that reads what is computed at run time."""
    layer = try_parse(graph, operator)
    if layer is None or not isinstance(layer.params, Requantize | FloatBorder):
        return None
    return None if layer.inputs[0].is_constant or layer.inputs[0].is_variable else layer


def _cancels(layers: Sequence[Layer]) -> bool:
    """Whether the layers one after the other give back every value, and its quantization."""
    source, target = layers[0].inputs[0], layers[-1].outputs[0]
    if source.dtype is not target.dtype or source.quantization != target.quantization:
        return False
    if source.dtype not in _CHECKED:
        return False
    low, high = integer_range(source.dtype)
    values = np.arange(low, high + 1).astype(source.dtype.numpy)
    result = values
    for layer in layers:
        (result,) = reference_outputs(layer, [result])
    return np.array_equal(result.reshape(-1), values)


def _remove_pair(graph: Graph, first: Operator, second: Operator, source: Tensor, target: Tensor) -> Graph:
    """Bypass both; the first stays while others read its output."""
    bypass = replace_operator(graph, read_instead(second, first.outputs[0], source.index))
    second = next(op for op in bypass.operators if op.index == second.index)
    merged = merge_tensors(bypass, second, source.index, target.index)
    if merged is None:
        return graph
    unread = not merged.consumers(first.outputs[0]) and first.outputs[0] not in merged.outputs
    return remove_operators(merged, [first.index]) if unread and len(merged.operators) > 1 else merged

"""Let dense layers read an image as it lies, with weights in that order, instead of transposing it first."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyedge.graph.access import constant, input_tensor
from tinyedge.graph.ir import Array, Graph, Operator
from tinyedge.ops.fully_connected import FullyConnected
from tinyedge.optimize.rewrite import add_tensors, fresh_key, replace_operator, try_parse


def transpose_flatten(graph: Graph) -> Graph:
    """Take away a transpose in front of a reshape to rows that fully connected layers alone read.

    Lossless: a sum of products is the same in any order; the weights' columns go where the inputs now are. Of each row
    the same elements must be in it, so there is one row, or the transpose leaves the first axis in its place.
    """
    for operator in graph.operators:
        if operator.name == "transpose" and operator in graph.operators:
            graph = _take_away(graph, operator) or graph
    return graph


def _take_away(graph: Graph, transpose: Operator) -> Graph | None:
    """None where somebody else needs the order, or weights are not constant."""
    layer = try_parse(graph, transpose)
    if layer is None or layer.inputs[0].is_constant or layer.inputs[0].is_variable:
        return None
    reshape, others = _only_reader(graph, layer.outputs[0].index), layer.outputs[0].index in graph.outputs
    if reshape is None or others or reshape.name != "reshape" or try_parse(graph, reshape) is None:
        return None
    rows = graph.tensors[reshape.outputs[0]]
    order = [int(axis) for axis in constant(graph.tensors[transpose.inputs[1]]).reshape(-1)]
    source = layer.inputs[0]
    readers = graph.consumers(rows.index)
    if not readers or rows.index in graph.outputs or source.quantization != rows.quantization:
        return None
    if len(rows.shape) != 2 or (rows.shape[0] != 1 and (order[0] != 0 or rows.shape[0] != source.shape[0])):
        return None
    count = rows.shape[1]
    places = np.arange(rows.elements // rows.shape[0]).reshape(_of_row(source.shape, rows.shape[0]))
    moved = places.transpose(_order_of_row(order, rows.shape[0])).reshape(-1)
    for reader in readers:
        changed = _with_columns(graph, reader, rows.index, moved, count)
        if changed is None:
            return None
        graph = changed
    return replace_operator(graph, replace(reshape, inputs=(source.index, *reshape.inputs[1:])))


def _only_reader(graph: Graph, key: int) -> Operator | None:
    readers = graph.consumers(key)
    return readers[0] if len(readers) == 1 else None


def _of_row(shape: tuple[int, ...], rows: int) -> tuple[int, ...]:
    return shape if rows == 1 else shape[1:]


def _order_of_row(order: list[int], rows: int) -> list[int]:
    return order if rows == 1 else [axis - 1 for axis in order[1:]]


def _with_columns(graph: Graph, reader: Operator, rows: int, moved: Array, count: int) -> Graph | None:
    """The graph with one fully connected layer that reads elements in another order.

    moved  for each input that the layer has now, where it will be
    """
    layer = try_parse(graph, reader)
    weights = input_tensor(graph, reader, 1)
    if layer is None or not isinstance(layer.params, FullyConnected) or weights is None or not weights.is_constant:
        return None
    if reader.inputs[0] != rows or rows in reader.inputs[1:] or weights.shape != (layer.params.outputs, count):
        return None
    data = np.empty_like(constant(weights))
    data[:, moved] = constant(weights)
    fresh = replace(weights, index=fresh_key(graph.tensors), data=data)
    changed = replace(reader, inputs=(rows, fresh.index, *reader.inputs[2:]))
    result = replace_operator(add_tensors(graph, [fresh]), changed)
    return result if try_parse(result, changed) is not None else None

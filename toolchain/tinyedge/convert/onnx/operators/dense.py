"""Matrix products."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyedge.convert.onnx.importer import Importer, Node
from tinyedge.convert.onnx.values import Value, to_last
from tinyedge.graph.ir import Array


def gemm(importer: Importer, node: Node) -> None:
    """alpha A B + beta C, with B constant."""
    value, weights = importer.value(node, 0), importer.value(node, 1)
    if weights.data is None or node.get("transA", 0):
        raise node.refuse("its second factor has to be constant, and its first not transposed", "use a dense layer")
    alpha, beta = float(node.get("alpha", 1.0)), float(node.get("beta", 1.0))
    rows = weights.data if node.get("transB", 0) else weights.data.T
    axis = 0 if node.get("transB", 0) else 1
    bias = importer.constant(node, 2)
    if bias is not None and bias.size not in (1, rows.shape[0]):
        raise node.refuse(f"its term is {list(bias.shape)}; a dense layer has one for each output", "add it afterwards")
    term = None if bias is None else np.broadcast_to(beta * bias.reshape(-1), (rows.shape[0],))
    scaled = alpha == 1.0 and weights.quantization is not None
    scales = weights.quantization
    if scales is not None:
        scales = replace(scales, axis=0) if scaled and (not scales.per_channel or scales.axis == axis) else None
    source, rows = _source(importer, value, rows * np.float32(alpha) if alpha != 1.0 else rows)
    sources = [source, importer.weights(rows, scales)]
    sources.append(-1 if term is None else importer.weights(term.astype(np.float32), None))
    importer.builder.operator("fully_connected", sources, [importer.output(node)], keep_num_dims=len(value.shape) > 2)


def _source(importer: Importer, value: Value, rows: Array) -> tuple[int, Array]:
    """(the tensor, the weights for it): of a flattened image with its channels last, weights change their places."""
    inner = value.flat_of
    if inner is None or value.index is None or value.shape[0] != 1:
        return importer.plain(value), rows
    order = np.arange(rows.shape[1]).reshape(inner.shape[1:])
    moved = order.transpose([axis - 1 for axis in to_last(inner.rank)[1:]]).reshape(-1)
    return value.index, rows[:, moved]


def matmul(importer: Importer, node: Node) -> None:
    value, weights = importer.value(node, 0), importer.value(node, 1)
    if weights.data is not None and weights.rank == 2 and value.rank >= 2:
        scales = weights.quantization
        if scales is not None:
            scales = replace(scales, axis=0) if not scales.per_channel or scales.axis == 1 else None
        source, rows = _source(importer, value, weights.data.T)
        sources = [source, importer.weights(rows, scales), -1]
        importer.builder.operator("fully_connected", sources, [importer.output(node)], keep_num_dims=value.rank > 2)
        return
    if value.rank < 2 or weights.rank < 2:
        raise node.refuse(f"it multiplies {list(value.shape)} by {list(weights.shape)}", "give it matrices")
    sources = [importer.plain(value), importer.plain(weights)]
    importer.builder.operator("batch_matmul", sources, [importer.output(node)])


HANDLERS = {"Gemm": gemm, "MatMul": matmul}

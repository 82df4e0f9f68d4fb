"""Reductions and softmax."""

from __future__ import annotations

import numpy as np

from tinyedge.convert.onnx.importer import Importer, Node
from tinyedge.convert.onnx.values import Value

_NAMES = {"ReduceMean": "mean", "ReduceMax": "reduce_max", "ReduceMin": "reduce_min", "ReduceSum": "sum"}


def reduce(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    axes = importer.integers(node, 1, "axes")
    if axes is None or not axes:
        if node.get("noop_with_empty_axes", 0):
            importer.alias(node, value)
            return
        axes = list(range(value.rank))
    keep = bool(node.get("keepdims", 1))
    gone = {axis % value.rank for axis in axes}
    last = value.last and (keep or not _reorders(value, gone))
    source = importer.last(value) if last else importer.plain(value)
    places = sorted(value.stored_axis(axis) if last else axis % value.rank for axis in gone)
    sources = [source, importer.builder.constant(np.array(places, np.int32))]
    target = importer.output(node, last=last and keep)
    importer.builder.operator(_NAMES[node.kind], sources, [target], keep_dims=keep)


def _reorders(value: Value, gone: set[int]) -> bool:
    """Whether the axes that stay stand in another order with the channels last."""
    left = [axis for axis in range(value.rank) if axis not in gone and value.shape[axis] != 1]
    return 1 in left and any(axis > 1 for axis in left)


def softmax(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    axis = int(node.get("axis", -1)) % value.rank
    name = "softmax" if node.kind == "Softmax" else "log_softmax"
    options = {"beta": 1.0} if name == "softmax" else {}
    if value.last and value.stored_axis(axis) == value.rank - 1:
        importer.builder.operator(name, [importer.last(value)], [importer.output(node, last=True)], **options)
        return
    if axis != value.rank - 1:
        raise node.refuse(
            f"it goes over axis {axis} of {value.rank}; TensorFlow Lite has the last", "transpose before it"
        )
    importer.builder.operator(name, [importer.plain(value)], [importer.output(node)], **options)


HANDLERS = {**dict.fromkeys(_NAMES, reduce), "Softmax": softmax, "LogSoftmax": softmax}

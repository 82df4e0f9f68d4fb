"""QuantizeLinear and DequantizeLinear: scales that a model carries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tinyedge.convert.onnx.importer import Importer, Node
from tinyedge.graph.ir import Array, Quantization

_SIGNED = 128
"""what takes uint8 to int8"""


def quantize(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    scales = _scales(importer, node)
    if scales.per_channel:
        raise node.refuse("an activation has a scale for each channel; TensorFlow Lite has one", "quantize per tensor")
    source = importer.last(value) if value.last else importer.plain(value)
    target = importer.builder.integers(node.outputs[0], value.stored_shape, scales)
    importer.values[node.outputs[0]] = replace(value, index=target, flat_of=None, data=None)
    importer.builder.operator("quantize", [source], [target])


def dequantize(importer: Importer, node: Node) -> None:
    value = importer.value(node, 0)
    scales = _scales(importer, node)
    if value.data is not None:
        real = _real(value.data, node, importer)
        importer.values[node.outputs[0]] = replace(value, data=real, quantization=scales)
        return
    if value.index is None or scales.per_channel:
        raise node.refuse("an activation has a scale for each channel; TensorFlow Lite has one", "quantize per tensor")
    target = importer.output(node, last=value.last)
    importer.builder.operator("dequantize", [value.index], [target])


def _scales(importer: Importer, node: Node) -> Quantization:
    """As int8 has them: uint8 is shifted."""
    scale = np.atleast_1d(_constant(importer, node, 1)).astype(np.float32)
    zero = importer.constant(node, 2)
    kind = np.dtype(np.uint8) if zero is None else zero.dtype
    if kind.name not in ("int8", "uint8", "int32") or node.get("block_size", 0):
        raise node.refuse(f"it quantizes to {kind.name}", "quantize to int8 or uint8, per tensor or per channel")
    zeros = np.zeros(len(scale), np.int64) if zero is None else np.atleast_1d(zero).astype(np.int64)
    if _stored(importer, node, kind) == np.uint8:
        zeros = zeros - _SIGNED
    return Quantization(tuple(map(float, scale)), tuple(map(int, zeros)), int(node.get("axis", 1)))


def _stored(importer: Importer, node: Node, kind: np.dtype[Any]) -> np.dtype[Any]:
    """The type of the integers: without a zero point it is theirs, and uint8 for what is quantized."""
    if node.kind == "QuantizeLinear":
        return kind
    data = importer.value(node, 0).data
    return importer.shapes[node.inputs[0]][1] if data is None else data.dtype


def _constant(importer: Importer, node: Node, position: int) -> Array:
    found = importer.constant(node, position)
    if found is None:
        raise node.refuse("it has no scale")
    return found


def _real(data: Array, node: Node, importer: Importer) -> Array:
    """Integers as real values, with the node's own scales."""
    scale, zero = _constant(importer, node, 1), importer.constant(node, 2)
    shape = [1] * data.ndim
    if scale.ndim == 1 and scale.size > 1:
        shape[int(node.get("axis", 1)) % data.ndim] = scale.size
    centre = 0 if zero is None else zero.astype(np.int64).reshape(shape if zero.size > 1 else ())
    real: Array = ((data.astype(np.int64) - centre) * scale.reshape(shape if scale.size > 1 else ())).astype(np.float32)
    return real


HANDLERS = {"QuantizeLinear": quantize, "DequantizeLinear": dequantize}

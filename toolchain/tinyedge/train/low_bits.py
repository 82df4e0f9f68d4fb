"""Weights of a converted model stored in int4: those that training left on a grid of 4, 3 or 2 bits.

The converter knows int8 alone: a grid of [-7, 7] steps comes out of it as multiples of about 18. Here each such kernel
gets the scale of its grid, and its bias, a multiple of that scale, is rounded anew.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_PER_TENSOR = "FULLY_CONNECTED"
"""int4 is quantized per tensor there"""
_OPERATORS = ("CONV_2D", _PER_TENSOR, "DEPTHWISE_CONV_2D")
_STEPS = (1, 3, 7)
"""largest value of 2, 3 and 4 bits"""
_OFF = 0.02
"""steps of the grid that a weight may be off it: int8 has a step of 0.055 of them, and rounds to the nearest"""
_INT8_STEPS = 0.5


def store_low_bits(tflite: bytes, bits: int) -> bytes:
    """The model in which kernels that lie on a grid of at most `bits` are of type INT4.

    A kernel that several operators share, or that has no scale for each output channel where its operator wants one,
    stays as it is.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    codes = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    changed = False
    for graph in model.subgraphs:
        readers = [index for operator in graph.operators for index in operator.inputs]
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            name = codes[max(code.builtinCode, code.deprecatedBuiltinCode)]
            if name in _OPERATORS and readers.count(operator.inputs[1]) == 1:
                changed |= _store(model, graph, operator, name, bits)
    if not changed:
        return tflite
    builder = flatbuffers.Builder(len(tflite))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _store(model: Any, graph: Any, operator: Any, name: str, bits: int) -> bool:
    """Store one kernel, if it lies on a grid. Returns whether it does."""
    from ai_edge_litert import schema_py_generated as schema

    source, kernel = (graph.tensors[index] for index in operator.inputs[:2])
    data = model.buffers[kernel.buffer].data
    if kernel.type != schema.TensorType.INT8 or data is None or len(data) == 0:
        return False
    values = np.asarray(data, np.uint8).view(np.int8).reshape(kernel.shape).astype(np.float64)
    axis = len(kernel.shape) - 1 if name == "DEPTHWISE_CONV_2D" else 0
    per_channel = np.asarray(kernel.quantization.scale, np.float64)
    old = _along(axis, per_channel, values.ndim)
    found = on_grid(values * old, axis, old, bits, per_tensor=name == _PER_TENSOR)
    if found is None:
        return False
    steps, scale = found
    kernel.type = schema.TensorType.INT4
    kernel.quantization.scale = scale.astype(np.float32)
    kernel.quantization.zeroPoint = np.zeros(len(scale), np.int64)
    model.buffers[kernel.buffer].data = pack_int4(steps)
    if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
        bias = graph.tensors[operator.inputs[2]]
        _round_bias(model, bias, float(source.quantization.scale[0]) * scale)
    return True


def on_grid(weights: Array, axis: int, off: Array, bits: int, *, per_tensor: bool) -> tuple[Array, Array] | None:
    """(steps int8, scale of each channel or of all) of weights that lie on the coarsest grid of at most `bits`.

    off  by how much a weight may be off: the step it was rounded by, which can be multiplied with `weights`

    >>> steps, scale = on_grid(np.array([[7.0, -2.0], [0.0, 0.7]]), 0, np.array([[0.1], [0.01]]), 4, per_tensor=False)
    >>> steps.tolist(), scale.round(2).tolist()
    ([[7, -2], [0, 7]], [1.0, 0.1])
    """
    others = tuple(each for each in range(weights.ndim) if per_tensor or each != axis)
    largest = np.abs(weights).max(axis=others, keepdims=True)
    largest = np.where(largest > 0, largest, 1)
    for most in _STEPS[: bits - 1]:
        steps = np.round(weights / largest * most)
        allowed = _INT8_STEPS * off + _OFF * largest / most
        if (np.abs(weights - steps * largest / most) <= allowed).all():
            return steps.astype(np.int8), (largest / most).reshape(-1)
    return None


def pack_int4(values: Array) -> npt.NDArray[np.uint8]:
    """Two values to a byte, the first in the low half; behind an odd number of them a 0.

    >>> pack_int4(np.array([1, -1, 7])).tolist()
    [241, 7]
    """
    flat = values.reshape(-1).astype(np.uint8) & 15
    flat = np.append(flat, np.zeros(len(flat) % 2, np.uint8)).astype(np.uint8)
    return (flat[::2] | flat[1::2] << 4).astype(np.uint8)


def _round_bias(model: Any, bias: Any, scale: Array) -> None:
    """Give a bias of int32 another scale."""
    data = np.asarray(model.buffers[bias.buffer].data, np.uint8).view(np.int32).astype(np.float64)
    real = data * np.asarray(bias.quantization.scale, np.float64)
    limits = np.iinfo(np.int32)
    rounded = np.clip(np.round(real / scale), limits.min, limits.max).astype(np.int32)
    model.buffers[bias.buffer].data = rounded.view(np.uint8)
    bias.quantization.scale = scale.astype(np.float32)
    bias.quantization.zeroPoint = np.zeros(len(scale), np.int64)


def _along(axis: int, values: Array, dimensions: int) -> Array:
    """Values of each channel, or the one of all, that multiply along `axis`."""
    return values.reshape([-1 if each == axis else 1 for each in range(dimensions)])

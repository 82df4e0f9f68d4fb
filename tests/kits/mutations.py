"""Broken .tflite files: bytes changed at random, and fields of the schema set to values nobody expects.

Bytes find holes in the reader; fields, packed again into a sound flatbuffer, get past it to operators and passes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

Rng = np.random.Generator

_WORDS = (0, 1, 2, 4, 0xFF, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFF0, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_WHOLE = (-(1 << 31), -129, -2, -1, 0, 1, 2, 3, 4, 7, 127, 128, 255, 1 << 15, 1 << 16, (1 << 20) + 1, (1 << 31) - 1)
_REAL = (0.0, -0.0, -1.0, float("nan"), float("inf"), -float("inf"), 1e-45, 1e-38, 1e-20, 1e-6, 0.5, 1.0, 1e6, 3e38)
_SIZES = (0, 1, 2, 3, 5, 8, 255, 4096, 1 << 16, 1 << 20, 1 << 30, (1 << 31) - 1, -1)


def _pick(rng: Rng, values: Any) -> Any:
    return values[int(rng.integers(len(values)))]


# -- bytes -----------------------------------------------------------------------------------------------------------


def mutate_bytes(data: bytes, rng: Rng) -> bytes:
    """One to six changes: bits, bytes and words, pieces cut, doubled or moved, the end missing."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 7))):
        if len(changed) < 16:
            break
        # Tables and offsets lie at the ends of a file, weights between them.
        span = len(changed) if rng.random() < 0.3 else min(len(changed), 2000)
        place = int(rng.integers(span))
        place = place if rng.random() < 0.5 else len(changed) - 1 - place
        _change(changed, place, rng)
    return bytes(changed)


def _change(data: bytearray, place: int, rng: Rng) -> None:
    match int(rng.integers(8)):
        case 0 | 1:
            data[place] ^= 1 << int(rng.integers(8))
        case 2:
            data[place] = int(rng.integers(256))
        case 3 | 4:
            word = min(place // 4 * 4, len(data) // 4 * 4 - 4)
            (old,) = struct.unpack_from("<I", data, word)
            value = _pick(rng, (*_WORDS, len(data), old + 1, old - 1, old + 4, old * 2, -old))
            struct.pack_into("<I", data, word, value & 0xFFFFFFFF)
        case 5:
            del data[place : place + int(rng.integers(1, 9))]
        case 6:
            piece = data[place : place + int(rng.integers(1, 65))]
            at = int(rng.integers(len(data)))
            data[at : at + (len(piece) if rng.random() < 0.7 else 0)] = piece
        case _:
            if rng.random() < 0.2:
                del data[place:]


# -- fields ----------------------------------------------------------------------------------------------------------


def mutate_fields(data: bytes, rng: Rng) -> bytes | None:
    """One to four fields changed; None when the schema's own writer cannot write that."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(data), 0)
    for _ in range(int(rng.integers(1, 5))):
        _pick(rng, _CHANGES)(model, model.subgraphs[0], rng)
    builder = flatbuffers.Builder(len(data) + 1024)
    try:
        builder.Finish(model.Pack(builder), b"TFL3")
    except (struct.error, TypeError, ValueError, OverflowError, AttributeError, flatbuffers.builder.BuilderSizeError):
        return None
    return bytes(builder.Output())


def _list(values: Any) -> list[Any]:
    return [] if values is None else list(values)


def _change_shape(model: Any, graph: Any, rng: Rng) -> None:
    tensor = _pick(rng, graph.tensors)
    shape = _list(tensor.shape)
    match int(rng.integers(5)):
        case 0 if shape:
            del shape[int(rng.integers(len(shape)))]
        case 1:
            shape.insert(int(rng.integers(len(shape) + 1)), int(_pick(rng, (1, 1, *_SIZES))))
        case 2 if len(shape) > 1:
            rng.shuffle(shape)
        case _ if shape:
            shape[int(rng.integers(len(shape)))] = int(_pick(rng, _SIZES))
    tensor.shape = shape


def _change_type(model: Any, graph: Any, rng: Rng) -> None:
    tensor = _pick(rng, graph.tensors)
    if rng.random() < 0.7:
        tensor.type = int(rng.integers(20))
    else:
        tensor.isVariable = not tensor.isVariable


def _change_quantization(model: Any, graph: Any, rng: Rng) -> None:
    tensor = _pick(rng, graph.tensors)
    if tensor.quantization is None or rng.random() < 0.1:
        other = _pick(rng, graph.tensors).quantization
        tensor.quantization = other if rng.random() < 0.8 else None
        return
    quantization = tensor.quantization
    scales, zeros = _list(quantization.scale), _list(quantization.zeroPoint)
    match int(rng.integers(6)):
        case 0 | 1 if scales:
            scales[int(rng.integers(len(scales)))] = _pick(rng, _REAL)
        case 2 if scales:
            scales = [float(scale) * 2.0 ** rng.uniform(-40, 40) for scale in scales]
        case 3 if zeros:
            zeros[int(rng.integers(len(zeros)))] = int(_pick(rng, (*_WHOLE, 1 << 40)))
        case 4:
            scales = scales[:-1] if rng.random() < 0.5 else [*scales, 0.5]
        case _:
            quantization.quantizedDimension = int(_pick(rng, (-1, 0, 1, 2, 3, 4, 100)))
    quantization.scale = [float(np.float32(np.clip(s, -3e38, 3e38))) if np.isfinite(s) else s for s in scales]
    quantization.zeroPoint = zeros


def _change_operands(model: Any, graph: Any, rng: Rng) -> None:
    operator = _pick(rng, graph.operators)
    name = "inputs" if rng.random() < 0.7 else "outputs"
    keys = _list(getattr(operator, name))
    some = int(rng.integers(-1, len(graph.tensors)))
    match int(rng.integers(5)):
        case 0 if keys:
            del keys[int(rng.integers(len(keys)))]
        case 1:
            keys.append(some)
        case 2 if keys:
            rng.shuffle(keys)
        case _ if keys:
            keys[int(rng.integers(len(keys)))] = some
    setattr(operator, name, keys)


def _change_operator(model: Any, graph: Any, rng: Rng) -> None:
    match int(rng.integers(5)):
        case 0:
            _pick(rng, graph.operators).opcodeIndex = int(rng.integers(len(model.operatorCodes) + 1))
        case 1:
            code = _pick(rng, model.operatorCodes)
            code.builtinCode = int(rng.integers(210))
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        case 2:
            first, second = (int(rng.integers(len(graph.operators))) for _ in range(2))
            operators = graph.operators
            operators[first], operators[second] = operators[second], operators[first]
        case 3:
            graph.operators.append(_pick(rng, graph.operators))
        case _:
            if len(graph.operators) > 1:
                del graph.operators[int(rng.integers(len(graph.operators)))]


def _change_options(model: Any, graph: Any, rng: Rng) -> None:
    operator = _pick(rng, graph.operators)
    options = operator.builtinOptions
    if options is None or rng.random() < 0.1:
        other = _pick(rng, graph.operators)
        operator.builtinOptions, operator.builtinOptionsType = other.builtinOptions, other.builtinOptionsType
        return
    names = sorted(vars(options))
    if not names:
        return
    name = _pick(rng, names)
    value = getattr(options, name)
    if isinstance(value, bool):
        setattr(options, name, not value)
    elif isinstance(value, int):
        setattr(options, name, int(_pick(rng, _WHOLE if rng.random() < 0.5 else _WHOLE[2:12])))
    elif isinstance(value, float):
        setattr(options, name, _pick(rng, _REAL))
    else:
        setattr(options, name, [int(_pick(rng, _WHOLE)) for _ in range(int(rng.integers(5)))])


def _change_constant(model: Any, graph: Any, rng: Rng) -> None:
    """Values of a constant: of small ones, which are shapes, axes and indices, most often."""
    buffers = model.buffers
    tensors = [t for t in graph.tensors if 0 < t.buffer < len(buffers) and buffers[t.buffer].data is not None]
    tensors.sort(key=lambda t: len(model.buffers[t.buffer].data))
    if not tensors:
        return
    tensor = _pick(rng, tensors[: max(1, len(tensors) // 2)] if rng.random() < 0.7 else tensors)
    data = np.array(model.buffers[tensor.buffer].data, np.uint8)
    if data.size and data.size % 4 == 0:
        words = data.view("<i4")
        words[int(rng.integers(words.size))] = np.int64(_pick(rng, _WHOLE))
    elif data.size:
        data[int(rng.integers(data.size))] = int(rng.integers(256))
    model.buffers[tensor.buffer].data = data


def _change_buffer(model: Any, graph: Any, rng: Rng) -> None:
    if rng.random() < 0.5:
        _pick(rng, graph.tensors).buffer = int(rng.integers(len(model.buffers) + 1))
        return
    buffer = _pick(rng, model.buffers)
    buffer.data = None if buffer.data is None or rng.random() < 0.5 else np.array(buffer.data, np.uint8)[:-1]


def _change_borders(model: Any, graph: Any, rng: Rng) -> None:
    name = "inputs" if rng.random() < 0.4 else "outputs"
    keys = _list(getattr(graph, name))
    if keys and rng.random() < 0.3:
        del keys[int(rng.integers(len(keys)))]
    else:
        keys.append(int(rng.integers(len(graph.tensors))))
    setattr(graph, name, keys)


_CHANGES: tuple[Callable[[Any, Any, Rng], None], ...] = (
    _change_shape,
    _change_shape,
    _change_type,
    _change_quantization,
    _change_quantization,
    _change_operands,
    _change_operands,
    _change_operator,
    _change_options,
    _change_options,
    _change_constant,
    _change_constant,
    _change_buffer,
    _change_borders,
)

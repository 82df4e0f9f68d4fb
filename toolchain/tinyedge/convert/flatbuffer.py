"""A .tflite as objects that can be changed, and back."""

from __future__ import annotations

import struct
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyedge.errors import ModelError
from tinyedge.graph.ir import Array

MAGIC = b"TFL3"


def unpack(tflite: bytes) -> Any:
    """The schema's object tree. Raises: ModelError when the file is damaged."""
    try:
        model = schema.ModelT.InitFromPackedBuf(bytearray(tflite), 0)
        if not model.subgraphs or model.buffers is None or model.operatorCodes is None:
            raise ValueError("it has no subgraph")
    except (struct.error, ValueError, TypeError, IndexError, OverflowError, AttributeError, MemoryError) as error:
        raise ModelError(f"the .tflite is damaged or cut short: {error}", hint="export or download it again") from error
    return model


def pack(model: Any) -> bytes:
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), MAGIC)
    return bytes(builder.Output())


def operator_name(model: Any, operator: Any) -> str:
    """TFLite's name in lower case; that of a custom operator as the file has it."""
    code = model.operatorCodes[operator.opcodeIndex]
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    if builtin == schema.BuiltinOperator.CUSTOM:
        raw = code.customCode or b"custom"
        return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    return _NAMES.get(int(builtin), f"operator {builtin}")


_NAMES: dict[int, str] = {
    value: name.lower() for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)
}


def text(raw: Any) -> str:
    """A name as the schema's objects hold it."""
    return raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw or "")


def set_constant(model: Any, tensor: Any, value: Any) -> None:
    """Make a tensor a constant of its type."""
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(value).tobytes(), np.uint8)
    tensor.buffer = len(model.buffers)
    tensor.shape, tensor.shapeSignature = [int(extent) for extent in np.shape(value)], None
    model.buffers.append(buffer)


def is_constant(model: Any, tensor: Any) -> bool:
    data = model.buffers[tensor.buffer].data if 0 <= tensor.buffer < len(model.buffers) else None
    return data is not None and len(data) > 0


def constant(model: Any, tensor: Any) -> Array | None:
    """What a constant holds; None for what is computed."""
    if not is_constant(model, tensor):
        return None
    raw = np.asarray(model.buffers[tensor.buffer].data, np.uint8).tobytes()
    array: Array = np.frombuffer(raw, _DTYPES[int(tensor.type)])
    return array.reshape(tensor.shape if tensor.shape is not None else ())


_DTYPES = {
    getattr(schema.TensorType, name): np.dtype(name.lower())
    for name in ("FLOAT32", "FLOAT16", "INT8", "UINT8", "INT16", "INT32", "INT64", "BOOL")
}


def as_reshape(model: Any, graph: Any, operator: Any, source: int) -> None:
    """Let an operator be a reshape of `source` to the shape of its result."""
    shape = add_integers(model, graph, graph.tensors[int(operator.outputs[0])].shape)
    operator.opcodeIndex = code_of(model, schema.BuiltinOperator.RESHAPE)
    operator.inputs = [source, shape]
    operator.builtinOptions, operator.builtinOptionsType = None, schema.BuiltinOptions.NONE


def add_integers(model: Any, graph: Any, values: Any) -> int:
    """A new constant of int32."""
    tensor = schema.TensorT()
    tensor.name, tensor.type = f"integers_{len(graph.tensors)}".encode(), schema.TensorType.INT32
    set_constant(model, tensor, np.array(values, np.int32))
    graph.tensors.append(tensor)
    return len(graph.tensors) - 1


def code_of(model: Any, builtin: int) -> int:
    """The number of the operator code of a builtin operator, which is added where there is none."""
    for index, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == builtin:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
    code.version = 1
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1

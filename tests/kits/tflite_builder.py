"""Builds small .tflite files for tests, operator by operator, without TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

_OPTIONS = {
    "average_pool_2d": "Pool2DOptions",
    "max_pool_2d": "Pool2DOptions",
    "conv_2d": "Conv2DOptions",
    "svdf": "SVDFOptions",
    "unidirectional_sequence_lstm": "UnidirectionalSequenceLSTMOptions",
    "l2_pool_2d": "Pool2DOptions",
    "batch_matmul": "BatchMatMulOptions",
    "depthwise_conv_2d": "DepthwiseConv2DOptions",
    "l2_normalization": "L2NormOptions",
    "mean": "ReducerOptions",
    "reduce_max": "ReducerOptions",
    "reduce_min": "ReducerOptions",
    "reduce_prod": "ReducerOptions",
    "sum": "ReducerOptions",
    "padv2": "PadV2Options",
}
_ENUMS = {"padding": schema.Padding, "fused_activation_function": schema.ActivationFunctionType}
_NO_OPTIONS = {"relu", "relu6", "relu_n1_to_1", "logistic", "tanh"}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _options_class(operator: str) -> str | None:
    if operator in _NO_OPTIONS:
        return None
    name = _OPTIONS.get(operator, "".join(word.capitalize() for word in operator.split("_")) + "Options")
    return name if hasattr(schema, name) else None


def pack_int4(values: npt.NDArray[Any]) -> bytes:
    """int4 values two to a byte, the first in the low half."""
    flat = np.append(values.ravel(), np.zeros(values.size % 2, values.dtype)).astype(np.int8).view(np.uint8) & 15
    return bytes(flat[0::2] | (flat[1::2] << 4))


class TfliteBuilder:
    """A model. `tensor` returns indices, `operator` uses them, `build` gives the file."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = "made by a test"
        self.model.operatorCodes = []
        self.model.buffers = [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.name = "main"
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]

    def tensor(
        self,
        shape: Sequence[int],
        dtype: str = "int8",
        *,
        scale: float | Sequence[float] | None = None,
        zero_point: int | Sequence[int] = 0,
        axis: int = 0,
        data: npt.NDArray[Any] | None = None,
        name: str = "",
        is_variable: bool = False,
    ) -> int:
        """A tensor; with `data` a constant, whose int4 values are packed."""
        tensor = schema.TensorT()
        tensor.name = name or f"t{len(self.graph.tensors)}"
        tensor.shape = list(shape)
        tensor.type = getattr(schema.TensorType, dtype.upper())
        tensor.buffer = 0
        tensor.isVariable = is_variable
        if scale is not None:
            quantization = schema.QuantizationParametersT()
            quantization.scale = [float(value) for value in np.atleast_1d(np.asarray(scale, np.float32))]
            zeros = [int(value) for value in np.atleast_1d(np.asarray(zero_point, np.int64))]
            quantization.zeroPoint = zeros * (len(quantization.scale) if len(zeros) == 1 else 1)
            quantization.quantizedDimension = axis
            tensor.quantization = quantization
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(pack_int4(data) if dtype == "int4" else data.tobytes(), np.uint8)
            tensor.buffer = len(self.model.buffers)
            self.model.buffers.append(buffer)
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def operator(self, operator: str, inputs: Sequence[int], outputs: Sequence[int], **options: Any) -> int:
        """An operator by its lower-case name; a name the schema lacks becomes a custom operator."""
        node = schema.OperatorT()
        node.opcodeIndex = self._code(operator)
        node.inputs, node.outputs = list(inputs), list(outputs)
        kind = _options_class(operator)
        if kind is not None:
            table = getattr(schema, kind + "T")()
            for key, value in options.items():
                if key in _ENUMS:
                    value = getattr(_ENUMS[key], value.upper())  # noqa: PLW2901
                assert hasattr(table, _camel(key)), (kind, key)
                setattr(table, _camel(key), value)
            node.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
            node.builtinOptions = table
        self.graph.operators.append(node)
        return len(self.graph.operators) - 1

    @contextmanager
    def subgraph(self) -> Iterator[int]:
        """A further subgraph: what is added within the block goes there. Gives its number."""
        around = self.graph
        self.graph = schema.SubGraphT()
        self.graph.name = f"subgraph {len(self.model.subgraphs)}"
        self.graph.tensors, self.graph.operators = [], []
        self.graph.inputs, self.graph.outputs = [], []
        self.model.subgraphs.append(self.graph)
        try:
            yield len(self.model.subgraphs) - 1
        finally:
            self.graph = around

    @contextmanager
    def main(self) -> Iterator[None]:
        """Within a further subgraph: what is added within this block goes to the first one."""
        around = self.graph
        self.graph = self.model.subgraphs[0]
        try:
            yield
        finally:
            self.graph = around

    def call_once(self, subgraph: int) -> None:
        """Run a subgraph before the first inference: an operator in front of all others."""
        self.operator("call_once", [], [], init_subgraph_index=subgraph)
        self.graph.operators.insert(0, self.graph.operators.pop())

    def _code(self, operator: str) -> int:
        code = schema.OperatorCodeT()
        code.version = 1
        builtin = getattr(schema.BuiltinOperator, operator.upper(), None)
        if builtin is None:
            builtin, code.customCode = schema.BuiltinOperator.CUSTOM, operator
        code.builtinCode, code.deprecatedBuiltinCode = builtin, min(builtin, 127)
        self.model.operatorCodes.append(code)
        return len(self.model.operatorCodes) - 1

    def build(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file."""
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        builder = flatbuffers.Builder(4096)
        builder.Finish(self.model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

"""A .tflite made operator by operator, and the activations of operators fused into them."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyedge.convert import flatbuffer
from tinyedge.graph.ir import Array, Quantization

_OPTIONS = {
    "average_pool_2d": "Pool2DOptions",
    "max_pool_2d": "Pool2DOptions",
    "batch_matmul": "BatchMatMulOptions",
    "conv_2d": "Conv2DOptions",
    "depthwise_conv_2d": "DepthwiseConv2DOptions",
    "mean": "ReducerOptions",
    "reduce_max": "ReducerOptions",
    "reduce_min": "ReducerOptions",
    "sum": "ReducerOptions",
    "minimum": "MaximumMinimumOptions",
    "maximum": "MaximumMinimumOptions",
    "padv2": "PadV2Options",
    "quantize": "QuantizeOptions",
    "dequantize": "DequantizeOptions",
    "resize_bilinear": "ResizeBilinearOptions",
}
_NONE = ("relu", "relu6", "logistic", "tanh", "elu", "prelu")
_FUSING = ("conv_2d", "depthwise_conv_2d", "fully_connected", "add", "mul", "sub")
_ACTIVATIONS = {
    "relu": schema.ActivationFunctionType.RELU,
    "relu6": schema.ActivationFunctionType.RELU6,
}


class Builder:
    """Tensors and operators by number; `build` gives the file."""

    def __init__(self) -> None:
        self.model = schema.ModelT()
        self.model.version = 3
        self.model.description = b"imported by tinyedge"
        self.model.operatorCodes, self.model.buffers = [], [schema.BufferT()]
        self.graph = schema.SubGraphT()
        self.graph.name = b"main"
        self.graph.tensors, self.graph.operators = [], []
        self.model.subgraphs = [self.graph]
        self.kept: Container[int] = ()
        """tensors that more than one reader needs, or that are outputs"""
        self._codes: dict[str, int] = {}
        self._constants: dict[tuple[Any, ...], int] = {}

    def tensor(self, name: str, shape: Sequence[int], dtype: Any = np.float32) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape = name.encode(), [int(extent) for extent in shape]
        tensor.type = getattr(schema.TensorType, np.dtype(dtype).name.upper())
        tensor.buffer = 0
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def constant(self, data: Array, *, salt: object = None) -> int:
        """A constant; equal ones of equal `salt` share a tensor."""
        array = np.array(data, order="C")
        key = (array.dtype.str, array.shape, array.tobytes(), salt)
        if key not in self._constants:
            index = self.tensor(f"constant_{len(self.graph.tensors)}", array.shape, array.dtype)
            flatbuffer.set_constant(self.model, self.graph.tensors[index], array)
            self._constants[key] = index
        return self._constants[key]

    def integers(self, name: str, shape: Sequence[int], quantization: Quantization) -> int:
        """An int8 tensor with its scales."""
        index = self.tensor(name, shape, np.int8)
        self.set_quantization(index, quantization)
        return index

    def set_quantization(self, index: int, quantization: Quantization) -> None:
        parameters = schema.QuantizationParametersT()
        parameters.scale = [float(scale) for scale in quantization.scale]
        parameters.zeroPoint = [int(zero) for zero in quantization.zero_point]
        parameters.quantizedDimension = quantization.axis
        self.graph.tensors[index].quantization = parameters

    def operator(self, name: str, inputs: Sequence[int], outputs: Sequence[int], **options: Any) -> None:
        """An operator by TFLite's name in lower case; enumerations as words. Where a relu can be fused, it is."""
        if name in _ACTIVATIONS and self._fuse(_ACTIVATIONS[name], inputs[0], outputs[0]):
            return
        node = schema.OperatorT()
        node.opcodeIndex = self._code(name)
        node.inputs, node.outputs = list(inputs), list(outputs)
        kind = None if name in _NONE else _OPTIONS.get(name, f"{_camel(name)}Options")
        if kind is not None and hasattr(schema, f"{kind}T"):
            table = getattr(schema, f"{kind}T")()
            for key, value in options.items():
                first, *rest = key.split("_")
                setattr(table, first + "".join(word.capitalize() for word in rest), value)
            node.builtinOptionsType, node.builtinOptions = getattr(schema.BuiltinOptions, kind), table
        self.graph.operators.append(node)

    def _fuse(self, activation: int, source: int, target: int) -> bool:
        """Let the operator that makes `source` end with an activation and write `target`, if nobody else reads it."""
        maker = self.maker(source)
        if maker is None or flatbuffer.operator_name(self.model, maker) not in _FUSING:
            return False
        if maker.builtinOptions.fusedActivationFunction:
            return False
        maker.builtinOptions.fusedActivationFunction = activation
        self.graph.operators[-1].outputs = [target]
        return True

    def takes_bias(self, operator: Any) -> bool:
        """Whether an operator is a dense layer without a bias and an activation."""
        if flatbuffer.operator_name(self.model, operator) != "fully_connected" or operator.inputs[2] >= 0:
            return False
        return not operator.builtinOptions.fusedActivationFunction

    def maker(self, source: int) -> Any:
        """What made a tensor last, with at most a reshape behind it; None where others may read the tensor too."""
        operators = self.graph.operators
        if not operators or list(operators[-1].outputs) != [source] or source in self.kept:
            return None
        if flatbuffer.operator_name(self.model, operators[-1]) != "reshape":
            return operators[-1]
        before = operators[-2] if len(operators) > 1 else None
        return before if before is not None and list(before.outputs) == [operators[-1].inputs[0]] else None

    def _code(self, name: str) -> int:
        if name not in self._codes:
            code = schema.OperatorCodeT()
            code.builtinCode = getattr(schema.BuiltinOperator, name.upper())
            code.deprecatedBuiltinCode, code.version = min(code.builtinCode, 127), 1
            self._codes[name] = len(self.model.operatorCodes)
            self.model.operatorCodes.append(code)
        return self._codes[name]

    def build(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        self.graph.inputs, self.graph.outputs = list(inputs), list(outputs)
        return flatbuffer.pack(self.model)


def _camel(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))

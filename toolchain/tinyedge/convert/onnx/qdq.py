"""Models that carry their own scales: QuantizeLinear and DequantizeLinear around every operator (QDQ), kept exactly.

What lies between a dequantize and a quantize becomes one operator on integers, with the scales that the source states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tinyedge.convert import flatbuffer
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Array, Quantization

_MOVING = (
    "reshape", "transpose", "max_pool_2d", "average_pool_2d", "pad", "strided_slice", "split", "split_v", "gather",
    "resize_nearest_neighbor", "resize_bilinear",
)  # fmt: skip
"""operators whose results have the scale of what they read"""
_FIXED = {"softmax": (1 / 256, -128), "logistic": (1 / 256, -128), "tanh": (1 / 128, 0)}
"""operators whose results have one scale in TensorFlow Lite Micro; another one is made of it afterwards"""
_WEIGHTED = ("conv_2d", "depthwise_conv_2d", "fully_connected")


def has_scales(model: Any) -> bool:
    """Whether an ONNX model carries scales of its activations."""
    return any(node.op_type == "QuantizeLinear" for node in model.graph.node)


def with_own_scales(tflite: bytes, scales: Mapping[int, Quantization]) -> bytes:
    """The model in integers.

    tflite  in float, with quantize and dequantize where the source has them
    scales  of constants, by tensor

    Raises: ModelError that names the first operator whose scales are not all given
    """
    return _Rewriter(flatbuffer.unpack(tflite), scales).run()


class _Rewriter:
    def __init__(self, model: Any, scales: Mapping[int, Quantization]) -> None:
        self.model, self.graph, self.scales = model, model.subgraphs[0], scales
        self.integers: dict[int, int] = {}
        """float tensor -> the int8 tensor that it is dequantized from"""
        self.made: list[Any] = []

    def run(self) -> bytes:
        operators = list(self.graph.operators)
        for operator in operators:
            name = flatbuffer.operator_name(self.model, operator)
            if name == "dequantize":
                self.integers[int(operator.outputs[0])] = int(operator.inputs[0])
        for operator in operators:
            name = flatbuffer.operator_name(self.model, operator)
            if name == "quantize":
                self.quantize(operator)
            elif name != "dequantize":
                self.rewrite(name, operator, operators)
        self.graph.operators = self.made
        self.graph.inputs = [self.border(int(key)) for key in self.graph.inputs]
        self.graph.outputs = [self.integers.get(int(key), int(key)) for key in self.graph.outputs]
        self.drop_unread()
        return flatbuffer.pack(self.model)

    def quantize(self, operator: Any) -> None:
        """One that no operator in front took: of an input, or from one scale to another."""
        source, target = int(operator.inputs[0]), int(operator.outputs[0])
        if self.is_written(target):
            return
        if source in self.integers:
            operator.inputs = [self.integers[source]]
        self.made.append(operator)

    def border(self, key: int) -> int:
        """The integer input in place of a float one that is quantized at once."""
        readers = [operator for operator in self.graph.operators if key in operator.inputs]
        names = [flatbuffer.operator_name(self.model, operator) for operator in readers]
        if names != ["quantize"]:
            return key
        self.graph.operators.remove(readers[0])
        return int(readers[0].outputs[0])

    def rewrite(self, name: str, operator: Any, operators: Sequence[Any]) -> None:
        data = [int(key) for key in operator.inputs if key >= 0 and not self.is_constant(int(key))]
        floats = [key for key in data if self.graph.tensors[key].type == schema.TensorType.FLOAT32]
        if not floats:
            self.made.append(operator)
            return
        missing = [key for key in floats if key not in self.integers]
        if missing:
            raise self.refuse(name, operator, f"its input `{self.name(missing[0])}` has no scale")
        operator.inputs = [self.integers.get(int(key), int(key)) for key in operator.inputs]
        if name in _MOVING:
            self.move(operator, operators)
            return
        target = self.quantized(int(operator.outputs[0]), operators)
        if target is None:
            raise self.refuse(name, operator, f"its result `{self.name(int(operator.outputs[0]))}` has no scale")
        if name == "concatenation":
            operator.inputs = [self.rescaled(key, self.quantization(target)) for key in operator.inputs]
        elif name in _WEIGHTED:
            self.quantize_weights(name, operator)
        else:
            self.quantize_constants(name, operator)
        self.made.append(operator)
        if name in _FIXED:
            self.fix(name, operator, target)
        else:
            operator.outputs = [target]

    def move(self, operator: Any, operators: Sequence[Any]) -> None:
        """An operator whose results keep the scale: what reads them dequantized reads them as integers now."""
        source = next(key for key in operator.inputs if not self.is_constant(int(key)) and int(key) >= 0)
        outputs = []
        for key in operator.outputs:
            own, target = self.quantization(int(source)), self.quantized(int(key), operators)
            if target is None or not _equal(own, self.quantization(target)):
                target = self.tensor(self.name(int(key)), self.graph.tensors[int(key)].shape, own)
                self.integers[int(key)] = target
            outputs.append(target)
        operator.outputs = outputs
        self.made.append(operator)

    def fix(self, name: str, operator: Any, target: int) -> None:
        scale, zero = _FIXED[name]
        wanted, tensor = self.quantization(target), self.graph.tensors[target]
        if (wanted.scale, wanted.zero_point) == ((scale,), (zero,)):
            operator.outputs = [target]
            return
        middle = self.tensor(f"{self.name(target)}_{name}", tensor.shape, Quantization((scale,), (zero,)))
        operator.outputs = [middle]
        self.made.append(self.requantize(middle, target))

    def rescaled(self, key: int, wanted: Quantization) -> int:
        """A tensor with other scales."""
        own = self.quantization(int(key))
        if _equal(own, wanted):
            return int(key)
        target = self.tensor(f"{self.name(int(key))}_rescaled", self.graph.tensors[int(key)].shape, wanted)
        self.made.append(self.requantize(int(key), target))
        return target

    def quantize_weights(self, name: str, operator: Any) -> None:
        """Weights by their own scales, the bias by their product with the input's."""
        key = int(operator.inputs[1])
        scales = self.scales.get(key)
        if scales is None:
            raise self.refuse(name, operator, "its weights have no scale")
        if any(scales.zero_point):
            raise self.refuse(name, operator, "its weights have a zero point; TensorFlow Lite has 0 there")
        operator.inputs[1] = self.stored(key, scales)
        if len(operator.inputs) > 2 and operator.inputs[2] >= 0:
            scale = self.quantization(int(operator.inputs[0])).scale[0]
            wide = np.float32(scale) * np.array(scales.scale, np.float32)
            bias = self.data(int(operator.inputs[2]))
            steps = np.clip(np.rint(bias.astype(np.float64) / wide), -(2**31), 2**31 - 1).astype(np.int32)
            both = Quantization(tuple(map(float, wide)), (0,) * len(wide))
            operator.inputs[2] = self.constant(f"{self.name(int(operator.inputs[2]))}_int32", steps, both)

    def quantize_constants(self, name: str, operator: Any) -> None:
        inputs = []
        for key in map(int, operator.inputs):
            if key >= 0 and self.is_constant(key) and self.graph.tensors[key].type == schema.TensorType.FLOAT32:
                if key not in self.scales:
                    raise self.refuse(name, operator, f"its constant `{self.name(key)}` has no scale")
                inputs.append(self.stored(key, self.scales[key]))
            else:
                inputs.append(key)
        operator.inputs = inputs

    # -- tensors ---------------------------------------------------------------------------------------------------

    def stored(self, key: int, scales: Quantization) -> int:
        """A float constant as the integers that it was dequantized from."""
        data = self.data(key).astype(np.float64)
        shape = [1] * data.ndim
        if scales.per_channel:
            shape[scales.axis] = len(scales.scale)
        scale = np.array(scales.scale).reshape(shape if scales.per_channel else ())
        zero = np.array(scales.zero_point).reshape(shape if len(scales.zero_point) > 1 else ())
        steps = np.clip(np.rint(data / scale) + zero, -128, 127).astype(np.int8)
        return self.constant(f"{self.name(key)}_int8", steps, scales)

    def constant(self, name: str, data: Array, scales: Quantization) -> int:
        index = self.tensor(name, data.shape, scales)
        tensor = self.graph.tensors[index]
        tensor.type = getattr(schema.TensorType, data.dtype.name.upper())
        flatbuffer.set_constant(self.model, tensor, data)
        return index

    def tensor(self, name: str, shape: Sequence[int], scales: Quantization) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.buffer = name.encode(), [int(extent) for extent in shape], 0
        tensor.type, tensor.quantization = schema.TensorType.INT8, schema.QuantizationParametersT()
        tensor.quantization.scale = list(scales.scale)
        tensor.quantization.zeroPoint = list(scales.zero_point)
        tensor.quantization.quantizedDimension = scales.axis
        self.graph.tensors.append(tensor)
        return len(self.graph.tensors) - 1

    def requantize(self, source: int, target: int) -> Any:
        operator = schema.OperatorT()
        names = [flatbuffer.operator_name(self.model, _Coded(index)) for index in range(len(self.model.operatorCodes))]
        operator.opcodeIndex = names.index("quantize")
        operator.inputs, operator.outputs = [source], [target]
        return operator

    def quantized(self, key: int, operators: Sequence[Any]) -> int | None:
        """The integers that a float tensor is quantized to, when that is all it is read for."""
        readers = [operator for operator in operators if key in operator.inputs]
        if len(readers) != 1 or flatbuffer.operator_name(self.model, readers[0]) != "quantize":
            return None
        return None if key in self.graph.outputs else int(readers[0].outputs[0])

    def is_written(self, key: int) -> bool:
        return any(key in operator.outputs for operator in self.made)

    def is_constant(self, key: int) -> bool:
        return flatbuffer.is_constant(self.model, self.graph.tensors[key])

    def data(self, key: int) -> Array:
        tensor = self.graph.tensors[key]
        raw = self.model.buffers[tensor.buffer].data
        array: Array = np.frombuffer(np.asarray(raw, np.uint8).tobytes(), np.float32).reshape(tensor.shape)
        return array

    def quantization(self, key: int) -> Quantization:
        parameters = self.graph.tensors[key].quantization
        return Quantization(tuple(map(float, parameters.scale)), tuple(map(int, parameters.zeroPoint)))

    def name(self, key: int) -> str:
        return flatbuffer.text(self.graph.tensors[key].name)

    def drop_unread(self) -> None:
        while True:
            read = {int(key) for op in self.graph.operators for key in op.inputs} | {int(k) for k in self.graph.outputs}
            kept = [op for op in self.graph.operators if any(int(key) in read for key in op.outputs)]
            if len(kept) == len(self.graph.operators):
                return
            self.graph.operators = kept

    def refuse(self, name: str, operator: Any, what: str) -> ModelError:
        return ModelError(
            f"the model carries scales (QuantizeLinear), but not all: `{name}` that makes "
            f"`{self.name(int(operator.outputs[0]))}`: {what}",
            hint="quantize every operator, as onnxruntime's quantize_static does; or convert the model from before",
        )


def _equal(one: Quantization, other: Quantization) -> bool:
    return (one.scale, one.zero_point) == (other.scale, other.zero_point)


class _Coded:
    """What `operator_name` reads of an operator."""

    def __init__(self, index: int) -> None:
        self.opcodeIndex = index

"""Edits of sound models to what converters never write, and models built operator by operator; without TensorFlow.

`make_models.py` writes them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kits.tflite_builder import TfliteBuilder

FOLDER = Path(__file__).parent / "models"
EDITS: dict[str, Callable[[], bytes]] = {}


def model(make: Callable[[], bytes]) -> Callable[[], bytes]:
    EDITS[make.__name__] = make
    return make


def edited(data: bytes, change: Callable[[Any], None]) -> bytes:
    """The file with its tables changed, packed again."""
    file = schema.ModelT.InitFromPackedBuf(bytearray(data), 0)
    change(file)
    builder = flatbuffers.Builder(len(data))
    builder.Finish(file.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def base() -> bytes:
    return (FOLDER / "sound.tflite").read_bytes()


def with_signature(data: bytes) -> bytes:
    def change(file: Any) -> None:
        graph, signature = file.subgraphs[0], schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "serving_default", 0
        signature.inputs, signature.outputs = [schema.TensorMapT()], [schema.TensorMapT()]
        signature.inputs[0].name, signature.inputs[0].tensorIndex = "x", graph.inputs[0]
        signature.outputs[0].name, signature.outputs[0].tensorIndex = "y", graph.outputs[0]
        file.signatureDefs = [signature]

    return edited(data, change)


def widen_input(file: Any, factor: float) -> None:
    graph = file.subgraphs[0]
    graph.tensors[graph.inputs[0]].quantization.scale[0] *= factor
    # Biases are in steps of input times weight.
    (first,) = [op for op in graph.operators if graph.inputs[0] in op.inputs]
    bias = graph.tensors[first.inputs[2]]
    bias.quantization.scale = [scale * factor for scale in bias.quantization.scale]


@model
def uint8_network() -> bytes:
    def change(file: Any) -> None:
        for tensor in file.subgraphs[0].tensors:
            if tensor.type == schema.TensorType.INT8:
                tensor.type = schema.TensorType.UINT8
                tensor.quantization.zeroPoint = [min(zero + 128, 255) for zero in tensor.quantization.zeroPoint]

    return edited(base(), change)


@model
def separate_relu() -> bytes:
    """What a converter writes that fuses nothing."""
    random = np.random.default_rng(3)
    builder = TfliteBuilder()
    image = builder.tensor([1, 6, 6, 2], scale=0.02, name="image")
    filters = builder.tensor([4, 3, 3, 2], scale=[0.01] * 4, data=random.integers(-127, 128, (4, 3, 3, 2), np.int8))
    plain = builder.tensor([1, 4, 4, 4], scale=0.2, name="plain")
    target = builder.tensor([1, 4, 4, 4], scale=0.1, zero_point=-128, name="rectified")
    builder.operator("conv_2d", [image, filters, -1], [plain], padding="valid", stride_w=1, stride_h=1)
    builder.operator("relu", [plain], [target])
    return builder.build([image], [target])


@model
def dead_branch() -> bytes:
    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.LOGISTIC
        file.operatorCodes.append(code)
        extra = schema.OperatorT()
        extra.opcodeIndex = len(file.operatorCodes) - 1
        source = graph.tensors[graph.operators[0].outputs[0]]
        copied = schema.TensorT()
        copied.name, copied.shape, copied.type, copied.buffer = "side", list(source.shape), source.type, 0
        copied.quantization = schema.QuantizationParametersT()
        copied.quantization.scale, copied.quantization.zeroPoint = [1 / 256], [-128]
        graph.tensors.append(copied)
        extra.inputs, extra.outputs = [graph.operators[0].outputs[0]], [len(graph.tensors) - 1]
        graph.operators.insert(1, extra)

    return edited(base(), change)


@model
def broken_rule() -> bytes:
    """A softmax whose output has another scale than the one there is."""

    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        graph.tensors[graph.outputs[0]].quantization.scale = [0.01]

    return edited((FOLDER / "softmax_at_the_end.tflite").read_bytes(), change)


@model
def newer_operator() -> bytes:
    def change(file: Any) -> None:
        file.operatorCodes[1].builtinCode, file.operatorCodes[1].deprecatedBuiltinCode = 4321, 127

    return edited(base(), change)


@model
def no_operators() -> bytes:
    def change(file: Any) -> None:
        file.subgraphs[0].operators = []

    return edited(base(), change)


@model
def zero_scale() -> bytes:
    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        graph.tensors[graph.operators[0].outputs[0]].quantization.scale = [0.0]

    return edited(base(), change)


@model
def nan_scale() -> bytes:
    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        graph.tensors[graph.operators[0].inputs[1]].quantization.scale[1] = float("nan")

    return edited(base(), change)


@model
def bias_of_another_scale() -> bytes:
    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        scales = graph.tensors[graph.operators[0].inputs[2]].quantization
        scales.scale = [scale * 1.5 for scale in scales.scale]

    return edited(base(), change)


@model
def asymmetric_weights() -> bytes:
    def change(file: Any) -> None:
        graph = file.subgraphs[0]
        weights = graph.tensors[graph.operators[0].inputs[1]].quantization
        weights.zeroPoint = [5] * len(weights.scale)

    return edited(base(), change)


@model
def compressed() -> bytes:
    def change(file: Any) -> None:
        entry = schema.MetadataT()
        entry.name, entry.buffer = "COMPRESSION_METADATA", 0
        file.metadata.append(entry)

    return edited(base(), change)


@model
def twice_the_same_weights() -> bytes:
    random = np.random.default_rng(5)
    builder = TfliteBuilder()
    data = random.integers(-127, 128, (16, 16), np.int8)
    key = first = builder.tensor([1, 16], scale=0.1, name="x")
    for name in ("a", "b"):
        weights = builder.tensor([16, 16], scale=0.004, data=data, name=f"weights_{name}")
        target = builder.tensor([1, 16], scale=0.1, name=name)
        builder.operator("fully_connected", [key, weights, -1], [target])
        key = target
    return builder.build([first], [key])


@model
def odd_address() -> bytes:
    """A bias that a writer without alignment has put at an odd address: its vector is moved to the end of the file."""
    data = bytearray(base())
    file = schema.Model.GetRootAs(bytes(data), 0)
    graph = file.Subgraphs(0)
    buffer = file.Buffers(graph.Tensors(graph.Operators(0).Inputs(2)).Buffer())
    field = buffer._tab.Pos + buffer._tab.Offset(4)
    content = buffer.DataAsNumpy().tobytes()
    place = len(data) + (1 - len(data)) % 4
    data += bytes(place - len(data)) + len(content).to_bytes(4, "little") + content
    data[field : field + 4] = (place - field).to_bytes(4, "little")
    return bytes(data)

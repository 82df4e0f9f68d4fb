"""A trained Keras model as ONNX, channels first, as PyTorch and others export theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


class _Writer:
    """Nodes and weights, layer by layer; `names` has the value of each tensor of Keras."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.names: dict[int, str] = {}

    def constant(self, data: Any) -> str:
        import onnx

        name = f"c{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(np.ascontiguousarray(data), name))
        return name

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        import onnx

        name = f"v{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(kind, inputs, [name], name=f"{kind}_{len(self.nodes)}", **attributes))
        return name


def write_onnx(model: Any, path: Path) -> None:
    """Write a functional model of one input. Layers that are not translated become a node of Keras's name, which an
    importer has to refuse."""
    import onnx

    writer = _Writer()
    shape = [1, *model.inputs[0].shape[1:]]
    if len(shape) > 2:
        shape = [1, shape[-1], *shape[1:-1]]
    start = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)
    kinds = {type(layer).__name__ for layer in model.layers}
    first = "x" if len(shape) > 3 or "Conv1D" in kinds else writer.node("Transpose", ["x"], perm=[0, 2, 1])
    writer.names[id(model.inputs[0])] = first
    for layer in model.layers[1:]:
        node = layer._inbound_nodes[0]
        inputs = [writer.names[id(tensor)] for tensor in node.input_tensors]
        writer.names[id(layer.output)] = _layer(writer, layer, inputs)
    end = onnx.helper.make_tensor_value_info(writer.names[id(model.outputs[0])], onnx.TensorProto.FLOAT, [1, 10])
    graph = onnx.helper.make_graph(writer.nodes, "net", [start], [end], writer.constants)
    onnx.save_model(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=9), path)


def _layer(writer: _Writer, layer: Any, inputs: list[str]) -> str:
    kind, weights = type(layer).__name__, [np.asarray(weight) for weight in layer.get_weights()]
    match kind:
        case "Conv2D" | "DepthwiseConv2D" | "Conv1D":
            value = _activated(writer, layer, _conv(writer, layer, inputs, weights))
        case "Dense":
            product = writer.node("MatMul", [*inputs, writer.constant(weights[0])])
            value = _activated(writer, layer, writer.node("Add", [product, writer.constant(weights[1])]))
        case "BatchNormalization":
            constants = [writer.constant(weight) for weight in weights]
            value = writer.node("BatchNormalization", [*inputs, *constants], epsilon=float(layer.epsilon))
        case "MaxPooling2D":
            value = writer.node("MaxPool", inputs, kernel_shape=list(layer.pool_size), strides=list(layer.strides))
        case "Flatten":
            value = _flatten(writer, layer, inputs)
        case "GlobalAveragePooling2D" | "GlobalAveragePooling1D":
            value = writer.node("Flatten", [writer.node("GlobalAveragePool", inputs)])
        case "ReLU" | "Activation":
            value = writer.node("Relu", inputs)
        case "LSTM" | "GRU":
            value = _recurrent(writer, layer, inputs, weights)
        case "MultiHeadAttention":
            value = _attention(writer, layer, inputs[0], weights)
        case _:
            value = writer.node(kind, inputs)
    return value


def _conv(writer: _Writer, layer: Any, inputs: list[str], weights: list[Any]) -> str:
    axes = weights[0].ndim - 2
    kernel = weights[0].transpose(axes + 1, axes, *range(axes))
    groups = 1
    if type(layer).__name__ == "DepthwiseConv2D":
        kernel, groups = weights[0].transpose(2, 3, 0, 1), weights[0].shape[2]
    constants = [writer.constant(kernel), *(writer.constant(weight) for weight in weights[1:])]
    strides = list(layer.strides)[:axes]
    return writer.node("Conv", [*inputs, *constants], group=groups, strides=strides, auto_pad="SAME_UPPER")


def _recurrent(writer: _Writer, layer: Any, inputs: list[str], weights: list[Any]) -> str:
    """An LSTM or GRU over [1, time, features], of which the last step is taken."""
    kernel, recurrent, bias = weights
    units = layer.units
    if type(layer).__name__ == "LSTM":  # Keras has the gates in the order i f c o, ONNX i o f c
        gates = np.concatenate([np.arange(units) + gate * units for gate in (0, 3, 1, 2)])
        kernel, recurrent = kernel[:, gates], recurrent[:, gates]
        bias, options = np.concatenate([bias[gates], np.zeros_like(bias)]), {}
    else:
        bias, options = bias.reshape(-1), {"linear_before_reset": 1}
    steps = writer.node("Transpose", inputs, perm=[1, 0, 2])
    constants = [writer.constant(array[None]) for array in (kernel.T, recurrent.T, bias)]
    every = writer.node(type(layer).__name__, [steps, *constants], hidden_size=units, **options)
    last = writer.node("Gather", [every, writer.constant(np.array(-1))], axis=0)
    return writer.node("Squeeze", [last, writer.constant(np.array([0]))])


def _attention(writer: _Writer, layer: Any, source: str, weights: list[Any]) -> str:
    """Self-attention over [1, time, features], of the operators that exporters write it with."""
    heads, size = weights[0].shape[1:]

    def projected(index: int, order: list[int]) -> str:
        kernel, bias = weights[index], weights[index + 1]
        product = writer.node("MatMul", [source, writer.constant(kernel.reshape(len(kernel), -1))])
        summed = writer.node("Add", [product, writer.constant(bias.reshape(-1))])
        split = writer.node("Reshape", [summed, writer.constant(np.array([1, -1, heads, size]))])
        return writer.node("Transpose", [split], perm=order)

    query, key, value = (projected(i, order) for i, order in ((0, [0, 2, 1, 3]), (2, [0, 2, 3, 1]), (4, [0, 2, 1, 3])))
    scaled = writer.node("Mul", [query, writer.constant(np.float32(1 / np.sqrt(size)))])
    shares = writer.node("Softmax", [writer.node("MatMul", [scaled, key])], axis=-1)
    mixed = writer.node("Transpose", [writer.node("MatMul", [shares, value])], perm=[0, 2, 1, 3])
    joined = writer.node("Reshape", [mixed, writer.constant(np.array([1, -1, heads * size]))])
    product = writer.node("MatMul", [joined, writer.constant(weights[6].reshape(heads * size, -1))])
    return writer.node("Add", [product, writer.constant(weights[7])])


def _flatten(writer: _Writer, layer: Any, inputs: list[str]) -> str:
    """Keras flattens with the channels last, so they go there first."""
    rank = len(layer.input.shape)
    if rank == 4 and layer.input.shape[-1] > 1:
        inputs = [writer.node("Transpose", inputs, perm=[0, 2, 3, 1])]
    return writer.node("Flatten", inputs)


def _activated(writer: _Writer, layer: Any, value: str) -> str:
    name = layer.activation.__name__
    if name == "linear":
        return value
    return writer.node("Softmax", [value], axis=-1) if name == "softmax" else writer.node("Relu", [value])

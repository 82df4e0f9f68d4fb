"""Small ONNX models for tests, node by node."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

onnx = pytest.importorskip("onnx", reason="needs the extra `import`: pip install onnx")
Array = npt.NDArray[Any]


def drawn(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


class OnnxNet:
    """A chain of nodes on the value `last`; `model` gives the ModelProto."""

    def __init__(self, *shape: int | str) -> None:
        self.inputs = [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)]
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.last = "x"

    def constant(self, data: Array) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(onnx.numpy_helper.from_array(data, name))
        return name

    def put(self, kind: str, *others: str, source: str | None = None, domain: str = "", **attributes: Any) -> OnnxNet:
        name = f"v{len(self.nodes)}"
        node = onnx.helper.make_node(
            kind, [source or self.last, *others], [name], name=f"n{len(self.nodes)}", domain=domain, **attributes
        )
        self.nodes.append(node)
        self.last = name
        return self

    def conv(
        self, outputs: int, inputs: int, kernel: int = 3, *, groups: int = 1, seed: int = 1, **attributes: Any
    ) -> OnnxNet:
        weights = self.constant(drawn(outputs, inputs // groups, kernel, kernel, seed=seed) / kernel)
        options = {"pads": [kernel // 2] * 4, "group": groups, **attributes}
        return self.put("Conv", weights, self.constant(drawn(outputs, seed=seed) / 10), **options)

    def batch_norm(self, channels: int) -> OnnxNet:
        values = [
            1 + drawn(channels, seed=3) / 9,
            drawn(channels, seed=4),
            drawn(channels, seed=5),
            np.abs(drawn(channels)) + 1,
        ]
        return self.put("BatchNormalization", *(self.constant(value.astype(np.float32)) for value in values))

    def dense(self, inputs: int, outputs: int) -> OnnxNet:
        weights = self.constant(drawn(outputs, inputs, seed=7) / np.float32(np.sqrt(inputs)))
        return self.put("Gemm", weights, self.constant(drawn(outputs, seed=8)), transB=1)

    def scaled(self, scale: float, zero: int = 0, kind: type[np.generic] = np.int8) -> OnnxNet:
        """QuantizeLinear and DequantizeLinear of the last value."""
        names = [self.constant(np.float32(scale)), self.constant(kind(zero))]  # type: ignore[call-arg]
        return self.put("QuantizeLinear", *names).put("DequantizeLinear", *names)

    def scaled_weights(self, data: Array, axis: int) -> str:
        """A constant of int8, dequantized with a scale for each place along `axis`."""
        others = tuple(place for place in range(data.ndim) if place != axis)
        scale = (np.abs(data).max(axis=others) / 127).astype(np.float32)
        shape = [-1 if place == axis else 1 for place in range(data.ndim)]
        steps = np.rint(data / scale.reshape(shape)).astype(np.int8)
        node = onnx.helper.make_node(
            "DequantizeLinear",
            [self.constant(steps), self.constant(scale), self.constant(np.zeros(len(scale), np.int8))],
            [f"w{len(self.nodes)}"],
            axis=axis,
        )
        self.nodes.append(node)
        return str(node.output[0])

    def model(self, outputs: Sequence[str] | None = None) -> Any:
        ends = [onnx.helper.make_empty_tensor_value_info(name) for name in outputs or [self.last]]
        for end in ends:
            end.type.CopyFrom(onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, None))
        graph = onnx.helper.make_graph(self.nodes, "net", self.inputs, ends, self.constants)
        opsets = [onnx.helper.make_opsetid("", 19), onnx.helper.make_opsetid("com.own", 1)]
        return onnx.shape_inference.infer_shapes(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9))


def onnx_cnn() -> Any:
    net = OnnxNet("batch", 2, 8, 8).conv(6, 2, seed=2).batch_norm(6).put("Relu")
    net.put("MaxPool", kernel_shape=[2, 2], strides=[2, 2]).put("Flatten").dense(96, 5)
    return net.put("Softmax", axis=1).model()


def onnx_mobile() -> Any:
    """An inverted residual: expanded, depthwise with stride 1, projected, added; then the mean and a dense layer."""
    net = OnnxNet(1, 3, 8, 8).conv(4, 3, seed=2, strides=[2, 2]).put("Relu")
    start = net.last
    net.conv(12, 4, 1, seed=3).put("Clip", net.constant(np.float32(0)), net.constant(np.float32(6)))
    net.conv(12, 12, groups=12, seed=4).batch_norm(12).put("Relu").conv(4, 12, 1, seed=5).put("Add", start)
    net.put("GlobalAveragePool").put("Flatten").dense(4, 5)
    return net.model()


def onnx_sequence() -> Any:
    """Convolutions over time, [N, channels, time]."""
    net = OnnxNet("n", 3, 20)
    net.put("Conv", net.constant(drawn(8, 3, 5, seed=2) / 4), net.constant(drawn(8)), pads=[2, 2], strides=[2])
    return net.put("Relu").put("GlobalAveragePool").put("Flatten").dense(8, 4).model()


def onnx_qdq(kind: type[np.generic] = np.int8) -> Any:
    """A network as quantization-aware training exports it."""
    low = 0 if kind is np.int8 else 128
    net = OnnxNet(1, 2, 6, 6).scaled(0.03, 3 + low, kind)
    weights = net.scaled_weights(drawn(4, 2, 3, 3, seed=2) / 3, 0)
    net.put("Conv", weights, net.constant(drawn(4)), source=net.last, pads=[1, 1, 1, 1]).put("Relu")
    net.scaled(0.02, -128 + low, kind).put("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    net.scaled(0.02, -128 + low, kind).put("Flatten")
    dense = net.scaled_weights(drawn(3, 36, seed=5) / 6, 0)
    value = net.nodes[-2].output[0]
    net.put("Gemm", dense, net.constant(drawn(3)), source=value, transB=1).scaled(0.05, low, kind)
    return net.model()

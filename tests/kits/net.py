"""Small int8 networks written as calls, for tests of passes and plans; made through a .tflite and the reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.reference import run_graph

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Node:
    """A tensor of the network."""

    key: int
    shape: tuple[int, ...]
    scale: float
    zero_point: int


class Net:
    """Each method adds an operator and gives the tensor it writes. Weights have scale 0.01, per channel."""

    def __init__(self) -> None:
        self.builder = TfliteBuilder()
        self.inputs: list[int] = []

    def node(self, shape: Sequence[int], scale: float, zero_point: int, dtype: str = "int8") -> Node:
        key = self.builder.tensor(shape, dtype, scale=scale, zero_point=zero_point)
        return Node(key, tuple(shape), scale, zero_point)

    def constant(self, data: Array, scale: float | Sequence[float] | None = None, axis: int = 0) -> int:
        return self.builder.tensor(data.shape, data.dtype.name, scale=scale, axis=axis, data=data)

    def input(self, shape: Sequence[int], scale: float = 0.05, zero_point: int = 3) -> Node:
        node = self.node(shape, scale, zero_point)
        self.inputs.append(node.key)
        return node

    def _weighted(self, source: Node, weights: Array, axis: int, bias: Array | None) -> list[int]:
        channels = weights.shape[axis]
        keys = [source.key, self.constant(weights.astype(np.int8), [0.01] * channels, axis)]
        if bias is not None:
            keys.append(self.constant(bias.astype(np.int32), [float(np.float32(0.01 * source.scale))] * channels))
        return keys

    def conv(
        self,
        source: Node,
        weights: Array,
        bias: Array | None = None,
        *,
        stride: int = 1,
        padding: str = "same",
        activation: str = "none",
        scale: float = 0.05,
        zero_point: int = 3,
        depthwise: bool = False,
    ) -> Node:
        """conv_2d with weights [OC, KH, KW, IC], or depthwise_conv_2d with weights [1, KH, KW, OC]."""
        rows, columns = (
            -(-size // stride) if padding == "same" else (size - kernel) // stride + 1
            for size, kernel in zip(source.shape[1:3], weights.shape[1:3], strict=True)
        )
        axis = 3 if depthwise else 0
        target = self.node((1, rows, columns, weights.shape[axis]), scale, zero_point)
        options: dict[str, Any] = {"depth_multiplier": weights.shape[3] // source.shape[3]} if depthwise else {}
        self.builder.operator(
            "depthwise_conv_2d" if depthwise else "conv_2d",
            self._weighted(source, weights, axis, bias),
            [target.key],
            padding=padding,
            stride_h=stride,
            stride_w=stride,
            dilation_h_factor=1,
            dilation_w_factor=1,
            fused_activation_function=activation,
            **options,
        )
        return target

    def fully_connected(self, source: Node, weights: Array, bias: Array | None = None) -> Node:
        target = self.node((1, weights.shape[0]), 0.07, -5)
        keys = self._weighted(source, weights, 0, bias)
        self.builder.operator("fully_connected", keys, [target.key], fused_activation_function="none")
        return target

    def pool(self, source: Node, kind: str, size: int, padding: str = "valid") -> Node:
        """average_pool_2d or max_pool_2d with stride 1."""
        grow = 0 if padding == "same" else size - 1
        shape = (1, source.shape[1] - grow, source.shape[2] - grow, source.shape[3])
        target = self.node(shape, source.scale, source.zero_point)
        self.builder.operator(
            kind,
            [source.key],
            [target.key],
            padding=padding,
            stride_h=1,
            stride_w=1,
            filter_height=size,
            filter_width=size,
            fused_activation_function="none",
        )
        return target

    def mean(self, source: Node) -> Node:
        """Over rows and columns."""
        target = self.node((1, source.shape[3]), 0.04, 7)
        axes = self.constant(np.array([1, 2], np.int32))
        self.builder.operator("mean", [source.key, axes], [target.key], keep_dims=False)
        return target

    def add(self, first: Node, second: Node) -> Node:
        target = self.node(first.shape, 0.09, 2)
        self.builder.operator(
            "add", [first.key, second.key], [target.key], fused_activation_function="none", potScaleInt16=True
        )
        return target

    def add_constant(self, source: Node, values: Array) -> Node:
        target = self.node(source.shape, 0.09, 2)
        keys = [self.builder.tensor(values.shape, "int8", scale=0.03, zero_point=1, data=values), source.key]
        self.builder.operator("add", keys, [target.key], fused_activation_function="none", potScaleInt16=True)
        return target

    def reshape(self, source: Node, shape: Sequence[int]) -> Node:
        target = self.node(shape, source.scale, source.zero_point)
        keys = [source.key, self.constant(np.array(shape, np.int32))]
        self.builder.operator("reshape", keys, [target.key], newShape=list(shape))
        return target

    def transpose(self, source: Node, order: Sequence[int]) -> Node:
        target = self.node([source.shape[axis] for axis in order], source.scale, source.zero_point)
        self.builder.operator("transpose", [source.key, self.constant(np.array(order, np.int32))], [target.key])
        return target

    def reduce(self, source: Node, kind: str, axes: Sequence[int], *, keep_dims: bool = False) -> Node:
        """mean, sum, reduce_max or reduce_min."""
        shape = [1 if axis in axes else size for axis, size in enumerate(source.shape)]
        if not keep_dims:
            shape = [size for axis, size in enumerate(source.shape) if axis not in axes]
        own = (source.scale, source.zero_point) if kind.startswith("reduce") else (0.04, 7)
        target = self.node(shape, *own)
        keys = [source.key, self.constant(np.array(axes, np.int32))]
        self.builder.operator(kind, keys, [target.key], keep_dims=keep_dims)
        return target

    def pad(self, source: Node, amounts: Sequence[tuple[int, int]], value: int | None = None) -> Node:
        """padv2 with a value, pad (the zero point) without."""
        shape = [size + before + after for size, (before, after) in zip(source.shape, amounts, strict=True)]
        target = self.node(shape, source.scale, source.zero_point)
        keys = [source.key, self.constant(np.array(amounts, np.int32))]
        if value is not None:
            data = np.array([value], np.int8)
            keys.append(self.builder.tensor((1,), scale=source.scale, zero_point=source.zero_point, data=data))
        self.builder.operator("pad" if value is None else "padv2", keys, [target.key])
        return target

    def relu(self, source: Node) -> Node:
        target = self.node(source.shape, source.scale, source.zero_point)
        self.builder.operator("relu", [source.key], [target.key])
        return target

    def quantize(self, source: Node, scale: float, zero_point: int, dtype: str = "int8") -> Node:
        target = self.node(source.shape, scale, zero_point, dtype)
        self.builder.operator("quantize", [source.key], [target.key])
        return target

    def dequantize(self, source: Node) -> Node:
        key = self.builder.tensor(source.shape, "float32")
        self.builder.operator("dequantize", [source.key], [key])
        return Node(key, source.shape, source.scale, source.zero_point)

    def softmax(self, source: Node) -> Node:
        target = self.node(source.shape, 1 / 256, -128)
        self.builder.operator("softmax", [source.key], [target.key], beta=1.0)
        return target

    def graph(self, *outputs: Node) -> Graph:
        return read_model(self.builder.build(self.inputs, [node.key for node in outputs]), "test")


def weights(seed: int, *shape: int) -> Array:
    """Random int8 weights, none of them zero."""
    values = np.random.default_rng(seed).integers(1, 100, shape)
    return np.asarray(values * np.random.default_rng(seed + 1).choice([-1, 1], shape), np.int8)


def assert_same_outputs(before: Graph, after: Graph, samples: int = 20) -> None:
    """Both graphs give the same bytes from the same random and extreme inputs."""
    chance = np.random.default_rng(7)
    layers = [parse_graph(graph) for graph in (before, after)]
    for number in range(samples):
        inputs = [_sample(chance, number, tensor.shape, tensor.dtype.numpy) for tensor in before.input_tensors()]
        results = [run_graph(graph, inputs, layer) for graph, layer in zip((before, after), layers, strict=True)]
        for old, new in zip(before.outputs, after.outputs, strict=True):
            assert np.array_equal(results[0][old].reshape(-1), results[1][new].reshape(-1))
            assert before.tensors[old].shape == after.tensors[new].shape
            assert before.tensors[old].quantization == after.tensors[new].quantization


def _sample(chance: np.random.Generator, number: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "f":
        return np.asarray(chance.normal(0, 3, shape), dtype)
    limits = np.iinfo(dtype)
    if number < 2:
        return np.full(shape, (limits.min, limits.max)[number], dtype)
    return np.asarray(chance.integers(limits.min, limits.max + 1, shape), dtype)

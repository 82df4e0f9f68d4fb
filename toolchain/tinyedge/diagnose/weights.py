"""What the weights of a layer tell: how much of their range they use, and what the layer can reach at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinyedge.graph.stored import StoredGraph, StoredOperator, StoredTensor

Reals = npt.NDArray[np.float64]
CHANNEL_AXES = {"conv_2d": 0, "depthwise_conv_2d": 3, "fully_connected": 0}
"""operators that multiply weights, and the axis of these that is the output channel"""
NOTHING = 1e-5
"""real: a range that is smaller is what converters put where calibration saw one value only"""
_RANGES = {"int4": (-8, 7), "int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}


@dataclass(frozen=True, eq=False)
class Weighted:
    """A layer with constant integer weights. Arrays are [C], of the output channels.

    largest     of the weights' magnitudes, as integers, zero points taken off
    positive    the sum of the positive weights, real
    negative    that of the negative ones
    squares     the sum of their squares
    magnitudes  the sum of their magnitudes, as integers
    bias        as integers; 0 without one
    scale       of the weights
    """

    graph: StoredGraph
    operator: StoredOperator
    source: StoredTensor
    weights: StoredTensor
    target: StoredTensor
    bias_tensor: StoredTensor | None
    largest: Reals
    positive: Reals
    negative: Reals
    squares: Reals
    magnitudes: Reals
    bias: Reals
    scale: Reals

    @property
    def channels(self) -> int:
        return len(self.largest)

    @property
    def activation(self) -> str:
        return str(self.operator.options.get("fused_activation_function", "none"))

    def spread(self) -> Reals:
        """Real: how far the input can move each channel."""
        low, high = real_range(self.source)
        return (self.positive - self.negative) * (high - low)

    def deviation(self) -> Reals:
        """Real: the standard deviation of each channel for inputs that are drawn evenly from their range."""
        low, high = real_range(self.source)
        return np.sqrt(self.squares / 12) * (high - low)

    def reach(self) -> tuple[float, float]:
        """Real: the least and the most that any channel can be, behind the fused activation."""
        low, high = real_range(self.source)
        bias = self.bias * self.source.scale[0] * self.scale
        least = float((self.positive * low + self.negative * high + bias).min())
        most = float((self.positive * high + self.negative * low + bias).max())
        floor, ceiling = {"relu": (0.0, np.inf), "relu6": (0.0, 6.0), "relu_n1_to_1": (-1.0, 1.0)}.get(
            self.activation, (-np.inf, np.inf)
        )
        return min(max(least, floor), ceiling), min(max(most, floor), ceiling)

    def constant_channels(self) -> npt.NDArray[np.bool_]:
        """Which channels the input moves by less than half a step of the output."""
        return np.asarray(self.spread() < 0.5 * self.target.scale[0])


def sound_scales(tensor: StoredTensor, channels: int) -> bool:
    """Whether a tensor has one scale, or one for each channel, and all of them mean something."""
    scale = np.asarray(tensor.scale, np.float64)
    return len(scale) in (1, channels) and bool(np.isfinite(scale).all() and (scale >= 0).all())


def real_range(tensor: StoredTensor) -> tuple[float, float]:
    """The real numbers that the integers of a tensor with one scale stand for."""
    zero = tensor.zero_point[0] if tensor.zero_point else 0
    low, high = _RANGES[tensor.dtype]
    return tensor.scale[0] * (low - zero), tensor.scale[0] * (high - zero)


def is_activation(tensor: StoredTensor) -> bool:
    """Whether a tensor is computed in integers with one scale that means something."""
    one = len(tensor.scale) == 1 and len(tensor.zero_point) <= 1 and tensor.dtype in _RANGES
    return one and not tensor.is_constant and sound_scales(tensor, 1) and tensor.scale[0] > 0


def list_weighted(graph: StoredGraph) -> Iterator[Weighted]:
    """The layers of a subgraph whose weights, scales and biases fit each other."""
    for operator in graph.operators:
        layer = _weighted(graph, operator) if operator.name in CHANNEL_AXES and len(operator.outputs) == 1 else None
        if layer is not None:
            yield layer


def _weighted(graph: StoredGraph, operator: StoredOperator) -> Weighted | None:
    source, weights = graph.operand(operator, 0), graph.operand(operator, 1)
    target = graph.tensors[operator.outputs[0]]
    if source is None or weights is None or not (is_activation(source) and is_activation(target)):
        return None
    data, axis = weights.values(), CHANNEL_AXES[operator.name]
    if data is None or data.dtype.kind not in "iu" or data.ndim <= axis or not data.size:
        return None
    channels = data.shape[axis]
    if not sound_scales(weights, channels) or len(weights.zero_point) not in (0, 1, channels):
        return None
    bias_tensor = graph.operand(operator, 2)
    bias = np.zeros(channels)
    if bias_tensor is not None:
        stored = bias_tensor.values()
        if stored is None or stored.dtype.kind != "i" or stored.shape != (channels,):
            return None
        bias = stored.astype(np.float64)
    rows = np.moveaxis(data, axis, 0).reshape(channels, -1).astype(np.float64)
    rows -= np.reshape(np.asarray(weights.zero_point or (0,), np.float64), (-1, 1))
    scale = np.broadcast_to(np.asarray(weights.scale, np.float64), (channels,))
    return Weighted(
        graph,
        operator,
        source,
        weights,
        target,
        bias_tensor,
        largest=np.abs(rows).max(axis=1),
        positive=np.maximum(rows, 0).sum(axis=1) * scale,
        negative=np.minimum(rows, 0).sum(axis=1) * scale,
        squares=np.square(rows).sum(axis=1) * scale**2,
        magnitudes=np.abs(rows).sum(axis=1),
        bias=bias,
        scale=scale,
    )

"""Which values each channel of each tensor can take, whatever the input of the model is.

Interval analysis, forwards through the graph, one interval per channel (last axis) over all positions. Sums of
products are bounded tap by tap, with zero added where a tap can lie in the padding; requantization and clamping
are monotone, so they map ends to ends, saturation included. Operators that are monotone in every input are
computed at both ends by their own reference. All others may give anything their type holds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.quantization import Int64Array, requantize
from tinyedge.arithmetic.window import Window
from tinyedge.graph.ir import Array, DType, Graph, Tensor, integer_range
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.ops.fully_connected import FullyConnected
from tinyedge.ops.lookup import Lookup
from tinyedge.ops.mean import Mean
from tinyedge.ops.requantize import FloatBorder, Requantize
from tinyedge.optimize.rewrite import reference_outputs

MONOTONE = frozenset(
    {
        "add",
        "average_pool_2d",
        "concatenation",
        "expand_dims",
        "max_pool_2d",
        "maximum",
        "mean",
        "minimum",
        "pad",
        "padv2",
        "quantize",
        "reshape",
        "squeeze",
    }
)
"""operators none of whose outputs falls when an input rises: scales are positive and rounding keeps the order"""

MOST_EVALUATED_BYTES = 4 << 20
"""inputs and outputs of a layer that is computed at both ends of its range"""

_INT32 = (-(1 << 31), (1 << 31) - 1)


@dataclass(frozen=True, eq=False)
class Range:
    """Smallest and largest value per channel, int64 [C]."""

    low: Int64Array
    high: Int64Array

    @property
    def is_constant(self) -> Array:
        """bool [C]: whether a channel has one value only."""
        return np.asarray(self.low == self.high)


def full_range(tensor: Tensor) -> Range:
    """All that the type of an int8 tensor holds."""
    low, high = integer_range(tensor.dtype)
    channels = tensor.shape[-1] if tensor.shape else 1
    return Range(np.full(channels, low, np.int64), np.full(channels, high, np.int64))


def find_ranges(graph: Graph, layers: Sequence[Layer | None]) -> dict[int, Range]:
    """The ranges of all int8 tensors that are computed; `layers` in order of execution, None where one is refused."""
    known: dict[int, Range] = {}
    for key, tensor in graph.tensors.items():
        if tensor.dtype is DType.INT8 and not tensor.is_constant:
            known[key] = full_range(tensor)
    for layer in layers:
        if layer is None or len(layer.outputs) != 1 or any(t.is_variable for t in (*layer.inputs, *layer.outputs)):
            continue
        if layer.outputs[0].index in known and all(t.index in known for t in layer.inputs):
            found = _layer_range(layer, known)
            if found is not None:
                known[layer.outputs[0].index] = found
    return known


def _layer_range(layer: Layer, known: Mapping[int, Range]) -> Range | None:
    params = layer.params
    if isinstance(params, Conv2D):
        return _conv_range(params, known[layer.inputs[0].index])
    if isinstance(params, DepthwiseConv2D):
        return _depthwise_range(params, known[layer.inputs[0].index])
    if isinstance(params, FullyConnected):
        return _connected_range(params, known[layer.inputs[0].index])
    if isinstance(params, Lookup):
        return _lookup_range(layer, known[layer.inputs[0].index])
    if layer.name in MONOTONE and layer.inputs and not _may_wrap(layer) and _is_small(layer):
        return _monotone_range(layer, [known[t.index] for t in layer.inputs])
    return None


def _is_small(layer: Layer) -> bool:
    """Whether a layer is evaluated in a moment: what is larger may give anything its type holds."""
    return sum(tensor.bytes for tensor in (*layer.inputs, *layer.outputs)) <= MOST_EVALUATED_BYTES


def padded_taps(window: Window) -> Array:
    """bool [KH, KW]: whether a tap lies outside the input for some output."""
    rows = _padded(window.kernel_h, window.dilation_h, window.stride_h, window.pad_top, window.input_h, window.output_h)
    columns = _padded(
        window.kernel_w, window.dilation_w, window.stride_w, window.pad_left, window.input_w, window.output_w
    )
    return np.asarray(rows[:, np.newaxis] | columns[np.newaxis, :])


def _padded(kernel: int, dilation: int, stride: int, pad: int, size: int, output: int) -> Array:
    first = np.arange(kernel) * dilation - pad
    return np.asarray((first < 0) | (first + (output - 1) * stride >= size))


def _sum_range(weights: Array, low: Int64Array, high: Int64Array) -> tuple[Int64Array, Int64Array]:
    """Ends of sum(weights * x) over all axes but the first, `low` <= x <= `high` broadcast over `weights[0]`."""
    positive, negative = np.maximum(weights, 0).astype(np.int64), np.minimum(weights, 0).astype(np.int64)
    axes = tuple(range(1, weights.ndim))
    return (
        np.asarray((positive * low + negative * high).sum(axis=axes)),
        np.asarray((positive * high + negative * low).sum(axis=axes)),
    )


def _requantized(params: Conv2D | DepthwiseConv2D | FullyConnected, low: Int64Array, high: Int64Array) -> Range:
    """Accumulator ends (without bias) to output ends; a channel that could leave 32 bits may give anything."""
    bias = params.bias.astype(np.int64)
    low, high = low + bias, high + bias
    left = np.maximum(params.shift.astype(np.int64), 0)
    safe = (low << left >= _INT32[0]) & (high << left <= _INT32[1]) & (low >= _INT32[0]) & (high <= _INT32[1])
    ends = [
        requantize(
            np.where(safe, end, 0),
            params.multiplier,
            params.shift,
            params.output_zero_point,
            params.activation_min,
            params.activation_max,
        )
        for end in (low, high)
    ]
    return Range(np.where(safe, ends[0], params.activation_min), np.where(safe, ends[1], params.activation_max))


def _conv_range(params: Conv2D, source: Range) -> Range:
    edge = padded_taps(params.window)[:, :, np.newaxis]
    depth, share = params.input_channels // params.groups, params.output_channels // params.groups
    lows, highs = [], []
    for group in range(params.groups):
        channels = slice(group * depth, (group + 1) * depth)
        low, high = source.low[channels] - params.input_zero_point, source.high[channels] - params.input_zero_point
        bottom, top = np.where(edge, np.minimum(low, 0), low), np.where(edge, np.maximum(high, 0), high)
        ends = _sum_range(params.weights[group * share : (group + 1) * share], bottom, top)
        lows.append(ends[0])
        highs.append(ends[1])
    return _requantized(params, np.concatenate(lows), np.concatenate(highs))


def _depthwise_range(params: DepthwiseConv2D, source: Range) -> Range:
    edge = padded_taps(params.window)[np.newaxis, :, :]
    low = np.repeat(source.low - params.input_zero_point, params.depth_multiplier)[:, np.newaxis, np.newaxis]
    high = np.repeat(source.high - params.input_zero_point, params.depth_multiplier)[:, np.newaxis, np.newaxis]
    bottom, top = np.where(edge, np.minimum(low, 0), low), np.where(edge, np.maximum(high, 0), high)
    weights = np.moveaxis(params.weights, -1, 0)
    return _requantized(params, *_sum_range(weights, bottom, top))


def _connected_range(params: FullyConnected, source: Range) -> Range | None:
    if params.inputs % len(source.low):
        return None
    repeats = params.inputs // len(source.low)
    low = np.tile(source.low - params.input_zero_point, repeats)
    high = np.tile(source.high - params.input_zero_point, repeats)
    weights = params.weights.astype(np.int64) - params.weight_zero_point
    return _requantized(params, *_sum_range(weights, low, high))


def _lookup_range(layer: Layer, source: Range) -> Range:
    """Smallest and largest entry of the part of the table that can be looked at.

    An island gives its elements another shape, too: then a channel holds elements of any channel of the input.
    """
    params: Lookup = layer.params
    channels = layer.outputs[0].shape[-1:]
    if layer.inputs[0].shape[-1:] != channels:
        count = channels[0] if channels else 1
        source = Range(np.repeat(source.low.min(), count), np.repeat(source.high.max(), count))
    parts = [params.table[low + 128 : high + 129] for low, high in zip(source.low, source.high, strict=True)]
    return Range(np.array([part.min() for part in parts], np.int64), np.array([part.max() for part in parts], np.int64))


def _may_wrap(layer: Layer) -> bool:
    """Whether a left shift before the multiplication could leave 32 bits, which would break the order."""
    params = layer.params
    if isinstance(params, FloatBorder):
        return True
    if isinstance(params, Requantize):
        return (255 << max(params.shift, 0)) > _INT32[1]
    if isinstance(params, Mean):
        count = math.prod(params.shape[axis] for axis in params.axes)
        return (255 * count << max(params.shift, 0)) > _INT32[1]
    return False


def _monotone_range(layer: Layer, sources: Sequence[Range]) -> Range:
    ends = []
    for end in ("low", "high"):
        arrays = [
            np.broadcast_to(getattr(source, end).reshape(tensor.shape[-1:]), tensor.shape).astype(tensor.dtype.numpy)
            for source, tensor in zip(sources, layer.inputs, strict=True)
        ]
        (result,) = reference_outputs(layer, arrays)
        ends.append(np.asarray(result).reshape(-1, layer.outputs[0].shape[-1] if layer.outputs[0].shape else 1))
    return Range(ends[0].min(axis=0).astype(np.int64), ends[1].max(axis=0).astype(np.int64))

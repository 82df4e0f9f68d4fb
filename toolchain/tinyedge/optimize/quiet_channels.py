"""Give channels that are the same whatever the input is small sums: kernels are chosen by the largest of a layer.

Converters leave such channels behind, with a tiny scale and a bias near 2**30. Where `dead_channels` cannot remove one,
because a padded border or a reader needs it, its sums alone would keep its layer from the fast kernels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyedge.arithmetic.quantization import requantize
from tinyedge.graph.access import input_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator, Quantization, Tensor
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.ops.fully_connected import FullyConnected
from tinyedge.optimize.ranges import find_ranges
from tinyedge.optimize.rewrite import add_tensors, fresh_key, replace_operator, try_parse

Weighted = Conv2D | DepthwiseConv2D | FullyConnected
_AROUND = 2
"""a bias that gives a value lies so near to the value over the scale, or nowhere"""


def quiet_channels(graph: Graph) -> Graph:
    """Compute every constant channel from weights of zero, a scale like its neighbours' and the bias that gives its
    value.

    Lossless: a channel is changed only where its new bias is seen to give the one value that its range allows.
    """
    layers = [try_parse(graph, operator) for operator in graph.operators]
    ranges = find_ranges(graph, layers)
    for layer in layers:
        if layer is None or not isinstance(layer.params, Weighted):
            continue
        found = ranges.get(layer.outputs[0].index)
        weights = input_tensor(graph, layer.operator, 1)
        if found is None or weights is None or weights.dtype is not DType.INT8 or not weights.is_constant:
            continue
        if found.is_constant.any() and not found.is_constant.all():
            graph = _quieted(graph, layer, weights, found.is_constant, found.low)
    return graph


def _quieted(graph: Graph, layer: Layer, weights: Tensor, constant: Array, values: Array) -> Graph:
    """The graph with some of the constant channels of a layer changed; the same one where nothing is gained."""
    params: Weighted = layer.params
    axis = -1 if isinstance(params, DepthwiseConv2D) else 0
    scaled = _like_neighbours(weights, constant)
    rescaled = _with(graph, layer.operator, replace(weights, index=fresh_key(graph.tensors), quantization=scaled))
    trial = try_parse(rescaled, _now(rescaled, layer.operator))
    if trial is None:
        return graph
    bias, fits = _biases(trial.params, values)
    zero = params.weight_zero_point if isinstance(params, FullyConnected) else 0
    by_channel = np.moveaxis(params.weights, axis, 0).reshape(len(bias), -1)
    louder = (by_channel != zero).any(axis=1) | (np.abs(params.bias.astype(np.int64)) > np.abs(bias))
    changed = constant & fits & louder
    if not changed.any():
        return graph
    assert weights.data is not None
    data = weights.data.copy()
    np.moveaxis(data, axis, 0)[changed] = zero
    data.flags.writeable = False
    tensor = replace(weights, index=fresh_key(graph.tensors), data=data, quantization=_scaled(weights, scaled, changed))
    graph = _with(graph, layer.operator, tensor)
    return _with_bias(graph, layer, tensor, np.where(changed, bias, params.bias).astype(np.int32))


def _like_neighbours(weights: Tensor, channels: Array) -> Quantization | None:
    """The scales of weights, those of some channels the median of the others'."""
    quantization = weights.quantization
    if quantization is None or not quantization.per_channel:
        return quantization
    scales = np.array(quantization.scale, np.float32)
    others = np.sort(scales[~channels])
    scales[channels] = others[len(others) // 2]
    return replace(quantization, scale=tuple(float(scale) for scale in scales))


def _scaled(weights: Tensor, scaled: Quantization | None, channels: Array) -> Quantization | None:
    """The scales of weights, those of some channels as they were tried."""
    if scaled is None or weights.quantization is None or not scaled.per_channel:
        return weights.quantization
    scales = np.where(channels, scaled.scale, weights.quantization.scale)
    return replace(scaled, scale=tuple(float(scale) for scale in scales))


def _biases(params: Weighted, values: Array) -> tuple[Array, Array]:
    """Per channel the smallest bias that gives a value found near value / scale, and whether there is one."""
    scale = params.multiplier.astype(np.float64) * np.exp2(params.shift.astype(np.float64) - 31)
    middle = np.rint((values - params.output_zero_point) / np.where(scale > 0, scale, 1))
    near = np.clip(middle, -(1 << 24), 1 << 24).astype(np.int64) + np.arange(-_AROUND, _AROUND + 1)[:, np.newaxis]
    ends = (params.activation_min, params.activation_max)
    fits = requantize(near, params.multiplier, params.shift, params.output_zero_point, *ends) == values
    distance = np.where(fits, np.abs(near), np.iinfo(np.int64).max)
    return np.take_along_axis(near, distance.argmin(axis=0)[np.newaxis], axis=0)[0], fits.any(axis=0)


def _now(graph: Graph, operator: Operator) -> Operator:
    return next(op for op in graph.operators if op.index == operator.index)


def _with(graph: Graph, operator: Operator, weights: Tensor) -> Graph:
    inputs = (operator.inputs[0], weights.index, *operator.inputs[2:])
    return replace_operator(add_tensors(graph, [weights]), replace(operator, inputs=inputs))


def _with_bias(graph: Graph, layer: Layer, weights: Tensor, bias: Array) -> Graph:
    """The layer with these biases, each of the scale of its products."""
    bias.flags.writeable = False
    assert weights.quantization is not None
    scales = np.array(weights.quantization.scale, np.float32) * np.float32(layer.inputs[0].scale)
    quantization = Quantization(tuple(float(scale) for scale in scales), (0,) * len(scales))
    key = fresh_key(graph.tensors)
    tensor = Tensor(key, f"{weights.name}/bias", bias.shape, DType.INT32, quantization, bias)
    operator = _now(graph, layer.operator)
    inputs = (*operator.inputs[:2], key, *operator.inputs[3:])
    return replace_operator(add_tensors(graph, [tensor]), replace(operator, inputs=inputs))

"""Remove channels that are the same whatever the input is, and channels that nobody looks at.

A convolution whose filter is all zero, or saturates for every possible input, gives a constant. The constant moves
into the bias of the next layer, the filter goes away, and with it a slice of the next layer's weights. Through layers
that treat channels apart (depthwise convolution, pooling, mean over positions, element-wise operators) the removal
passes on: their channel goes with the one they read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyedge.graph.ir import Array, DType, Graph, Operator, Quantization, Tensor
from tinyedge.ops.add import Add
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.ops.fully_connected import FullyConnected
from tinyedge.ops.lookup import Lookup
from tinyedge.ops.mean import Mean
from tinyedge.ops.pool_2d import Pool2D
from tinyedge.ops.requantize import Requantize
from tinyedge.optimize.ranges import Range, find_ranges, padded_taps
from tinyedge.optimize.rewrite import fresh_key, replace_operator, try_parse

Dead = dict[int, Array]
"""Tensor key -> bool [C]: the channels to remove"""


def dead_channels(graph: Graph) -> Graph:
    """Remove every channel that can be proved not to matter.

    Lossless: a channel goes only when each layer that reads it can do without it, which is when it
    - is multiplied by zero weights only (by the filters that stay), or
    - has one value v for every input of the model, and the reader sums it at every position with the same weights,
      so that (v - zero point) * weights is a number to add to the bias. In a padded border a layer sees the zero
      point, not v, so there v must be the zero point, or the weights that can meet the border zero; or
    - is read channel by channel, and the channel made from it goes as well.
    The sum in every accumulator stays the same integer: sum|weights| * 255 + |bias| does not grow, and new biases
    are checked to be int32. Inputs and outputs of the model keep all their channels, and a tensor keeps at least one.
    """
    layers = [try_parse(graph, operator) for operator in graph.operators]
    if any(layer is None for layer in layers):
        return graph
    parsed = [layer for layer in layers if layer is not None]
    ranges = find_ranges(graph, parsed)
    dead = _find_dead(graph, parsed, ranges)
    if not any(mask.any() for mask in dead.values()):
        return graph
    return _Rewriter(graph, ranges, dead).run(parsed)


def _channelwise(layer: Layer) -> bool:
    """Whether output channel c is made from channel c of every input and from nothing else."""
    params = layer.params
    channels = layer.outputs[0].shape[-1:]
    if len(layer.outputs) != 1 or not channels or any(t.shape[-1:] != channels for t in layer.inputs):
        return False
    if isinstance(params, Mean):
        return len(params.shape) - 1 not in params.axes
    if isinstance(params, Add):
        return params.constant2 is None or params.constant2.shape[-1:] in ((), (1,), channels)
    return isinstance(params, Pool2D | Requantize | Lookup)


def _connected_columns(layer: Layer) -> int | None:
    """How often the channels of its input repeat along a fully connected layer's weights; None when they do not."""
    params: FullyConnected = layer.params
    shape = layer.inputs[0].shape
    return params.inputs // shape[-1] if shape and params.inputs % shape[-1] == 0 else None


def _find_dead(graph: Graph, layers: Sequence[Layer], ranges: Mapping[int, Range]) -> Dead:
    """The largest set of channels that can go together: begin with all, take back what breaks a rule."""
    # What an operator names but no layer reads at run time is asked for its shape.
    asked = {key for layer in layers for key in set(layer.operator.inputs) - {t.index for t in layer.inputs}}
    fixed = {*graph.inputs, *graph.outputs, *asked}
    dead: Dead = {}
    for key, tensor in graph.tensors.items():
        removable = key in ranges and key not in fixed and not tensor.is_variable and graph.producer(key) is not None
        if not tensor.is_constant and tensor.shape:
            dead[key] = np.full(tensor.shape[-1], removable)
    while True:
        _settle(layers, ranges, dead)
        emptied = [mask for mask in dead.values() if mask.size and mask.all()]
        if not emptied:
            return dead
        for mask in emptied:
            mask[0] = False


def _settle(layers: Sequence[Layer], ranges: Mapping[int, Range], dead: Dead) -> None:
    """Take channels back until every layer can do without the rest; backwards, as most reasons come from readers."""
    count = -1
    while count != (count := sum(int(mask.sum()) for mask in dead.values())):
        for layer in reversed(layers):
            _restrict(layer, ranges, dead)


def _restrict(layer: Layer, ranges: Mapping[int, Range], dead: Dead) -> None:
    """Take back the channels of one layer's inputs and outputs that it cannot do without."""
    params = layer.params
    operands = [dead[t.index] for t in (*layer.inputs, *layer.outputs) if t.index in dead]
    if isinstance(params, Conv2D) and params.groups == 1:
        source, target = layer.inputs[0].index, dead[layer.outputs[0].index]
        weights = params.weights[~target].transpose(3, 0, 1, 2)
        dead[source] &= _absorbable(params, weights, padded_taps(params.window), ranges.get(source))
        _keep_int32(params, weights.sum(axis=(2, 3), dtype=np.int64), ranges.get(source), dead[source], ~target)
    elif isinstance(params, FullyConnected) and (repeats := _connected_columns(layer)) is not None:
        source, target = layer.inputs[0].index, dead[layer.outputs[0].index]
        weights = params.weights[~target].astype(np.int64) - params.weight_zero_point
        weights = weights.reshape(len(weights), 1, repeats, len(dead[source])).transpose(3, 0, 1, 2)
        dead[source] &= _absorbable(params, weights, np.zeros((1, repeats), bool), ranges.get(source))
        _keep_int32(params, weights.sum(axis=(2, 3)), ranges.get(source), dead[source], ~target)
    elif isinstance(params, DepthwiseConv2D):
        source_mask, target = dead[layer.inputs[0].index], dead[layer.outputs[0].index]
        both = source_mask & target.reshape(-1, params.depth_multiplier).all(axis=1)
        source_mask[:] = both
        target[:] = np.repeat(both, params.depth_multiplier)
    elif _channelwise(layer):
        both = np.logical_and.reduce(operands)
        for mask in operands:
            mask[:] = both
    else:
        for mask in operands:
            mask[:] = False


def _absorbable(params: Conv2D | FullyConnected, weights: Array, edge: Array, source: Range | None) -> Array:
    """bool [C]: input channels whose share of every sum is one number. `weights` [C, filters that stay, KH, KW]."""
    ignored = ~weights.any(axis=(1, 2, 3))
    if source is None:
        return np.asarray(ignored)
    padding_free = ~weights[:, :, edge].any(axis=(1, 2))
    at_zero_point = source.low == params.input_zero_point
    return np.asarray(ignored | (source.is_constant & (at_zero_point | padding_free)))


def _shares(params: Conv2D | FullyConnected, sums: Array, source: Range | None, gone: Array) -> Array:
    """What the channels that go add to the sums: int64 [C, filters]; nothing for channels that are ignored."""
    values = np.zeros(len(gone), np.int64) if source is None else source.low - params.input_zero_point
    if source is not None:
        values = np.where(source.is_constant, values, 0)
    return np.asarray((values * gone)[:, np.newaxis] * sums)


def _keep_int32(params: Conv2D | FullyConnected, sums: Array, source: Range | None, gone: Array, stay: Array) -> None:
    """Take back the channels with a share where a new bias would leave int32."""
    shares = _shares(params, sums, source, gone)
    bias = params.bias[stay].astype(np.int64) + shares.sum(axis=0)
    limits = np.iinfo(np.int32)
    if bias.size and (bias.min() < limits.min or bias.max() > limits.max):
        gone[shares.any(axis=1)] = False


@dataclass
class _Rewriter:
    """Builds the graph without the dead channels; changed constants get fresh tensors, as others may read the old."""

    graph: Graph
    ranges: Mapping[int, Range]
    dead: Dead

    def run(self, layers: Sequence[Layer]) -> Graph:
        original = dict(self.graph.tensors)
        for key, mask in self.dead.items():
            if mask.any():
                tensor = original[key]
                self._put(replace(tensor, shape=(*tensor.shape[:-1], int((~mask).sum()))))
        for layer in layers:
            if any(self.dead[t.index].any() for t in (*layer.inputs, *layer.outputs) if t.index in self.dead):
                self._rewrite(layer)
        return self.graph

    def _put(self, tensor: Tensor) -> int:
        self.graph = self.graph.evolve(tensors={**self.graph.tensors, tensor.index: tensor})
        return tensor.index

    def _rewrite(self, layer: Layer) -> None:
        params = layer.params
        if isinstance(params, Conv2D):
            self._rewrite_conv(layer, params)
        elif isinstance(params, DepthwiseConv2D):
            keep = ~self.dead[layer.outputs[0].index]
            self._exchange_bias(layer, params.bias.astype(np.int64), keep)
            self._exchange(layer.operator, 1, self._cut(layer.operator.inputs[1], -1, keep))
        elif isinstance(params, FullyConnected):
            self._rewrite_connected(layer, params)
        elif isinstance(params, Add) and params.constant2 is not None:
            keep = ~self.dead[layer.outputs[0].index]
            for position, key in enumerate(layer.operator.inputs):
                tensor = self.graph.tensors[key]
                if tensor.is_constant and tensor.shape[-1:] == keep.shape:
                    self._exchange(layer.operator, position, self._cut(key, -1, keep))

    def _rewrite_conv(self, layer: Layer, params: Conv2D) -> None:
        source, target = layer.inputs[0].index, layer.outputs[0].index
        gone, keep = self.dead[source], ~self.dead[target]
        sums = params.weights.sum(axis=(1, 2), dtype=np.int64).T
        shares = _shares(params, sums, self.ranges.get(source), gone).sum(axis=0)
        self._exchange_bias(layer, params.bias + shares, keep)
        weights = self._cut(layer.operator.inputs[1], 0, keep)
        self._exchange(layer.operator, 1, self._cut(weights, 3, ~gone))

    def _rewrite_connected(self, layer: Layer, params: FullyConnected) -> None:
        source, target = layer.inputs[0].index, layer.outputs[0].index
        gone, keep = self.dead[source], ~self.dead[target]
        repeats = params.inputs // len(gone)
        weights = params.weights.astype(np.int64) - params.weight_zero_point
        sums = weights.reshape(len(weights), repeats, -1).sum(axis=1).T
        shares = _shares(params, sums, self.ranges.get(source), gone).sum(axis=0)
        self._exchange_bias(layer, params.bias + shares, keep)
        cut = self._cut(layer.operator.inputs[1], 0, keep)
        self._exchange(layer.operator, 1, self._cut(cut, 1, np.tile(~gone, repeats)))

    def _exchange_bias(self, layer: Layer, bias: Array, keep: Array) -> None:
        """Give the layer these biases (int64, of all its filters) for the filters that stay."""
        operator = layer.operator
        present = len(operator.inputs) > 2 and operator.inputs[2] >= 0
        if not present and not bias[keep].any():
            return
        values = _frozen(bias[keep].astype(np.int32))
        weights = self.graph.tensors[operator.inputs[1]]
        assert weights.quantization is not None
        scales = np.broadcast_to(np.array(weights.quantization.scale, np.float32), keep.shape)[keep]
        scales = scales if weights.quantization.per_channel else scales[:1]
        products = tuple(float(scale) for scale in scales * np.float32(layer.inputs[0].scale))
        name = self.graph.tensors[operator.inputs[2]].name if present else f"{weights.name}/bias"
        key = fresh_key(self.graph.tensors)
        quantization = Quantization(products, (0,) * len(products))
        self._exchange(operator, 2, self._put(Tensor(key, name, values.shape, DType.INT32, quantization, values)))

    def _exchange(self, operator: Operator, position: int, key: int) -> None:
        """Let the operator (as it is now) read `key` at `position`."""
        now = next(op for op in self.graph.operators if op.index == operator.index)
        inputs = [*now.inputs, *[-1] * (position + 1 - len(now.inputs))]
        inputs[position] = key
        self.graph = replace_operator(self.graph, replace(now, inputs=tuple(inputs)))

    def _cut(self, key: int, axis: int, keep: Array) -> int:
        """A constant with some entries of an axis only, as a new tensor; returns its key."""
        tensor = self.graph.tensors[key]
        if keep.all():
            return key
        assert tensor.data is not None
        axis %= len(tensor.shape)
        data = _frozen(np.compress(keep, tensor.data, axis=axis))
        quantization = _cut_quantization(tensor, axis, keep)
        fresh = fresh_key(self.graph.tensors)
        return self._put(replace(tensor, index=fresh, shape=data.shape, data=data, quantization=quantization))


def _frozen(data: Array) -> Array:
    data = np.ascontiguousarray(data)
    data.flags.writeable = False
    return data


def _cut_quantization(tensor: Tensor, axis: int, keep: Array) -> Quantization | None:
    """The scales of the entries that stay, where the tensor has one per entry of the axis."""
    quantization = tensor.quantization
    if quantization is None or len(quantization.scale) == 1 or quantization.axis != axis:
        return quantization
    chosen = np.flatnonzero(keep)
    return replace(
        quantization,
        scale=tuple(quantization.scale[i] for i in chosen),
        zero_point=tuple(quantization.zero_point[i] for i in chosen),
    )

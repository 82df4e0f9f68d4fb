"""Turn depthwise convolutions of one input channel into convolutions, for which there are faster kernels."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np

from tinyedge.graph.access import constant, input_tensor
from tinyedge.graph.ir import DType, Graph, Tensor
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.optimize.rewrite import add_tensors, fresh_key, replace_operator, try_parse

_OF_DEPTHWISE = "depth_multiplier"


def one_channel_depthwise(graph: Graph) -> Graph:
    """Let a conv_2d with filters [channels, height, width, 1] stand for depthwise ones of [1, height, width, channels].

    Lossless: with one input channel both add up the same products, and rescale them for each output channel.
    """
    for operator in graph.operators:
        layer = try_parse(graph, operator)
        if layer is None or not isinstance(layer.params, DepthwiseConv2D) or layer.inputs[0].shape[3] != 1:
            continue
        filters = input_tensor(graph, operator, 1)
        if filters is None or not filters.is_constant or filters.dtype is not DType.INT8:
            continue
        moved = _moved(filters, fresh_key(graph.tensors))
        options = {key: value for key, value in operator.options.items() if key != _OF_DEPTHWISE}
        changed = replace(
            operator,
            name="conv_2d",
            inputs=(operator.inputs[0], moved.index, *operator.inputs[2:]),
            options=MappingProxyType(options),
        )
        result = replace_operator(add_tensors(graph, [moved]), changed)
        if try_parse(result, changed) is not None:
            graph = result
    return graph


def _moved(filters: Tensor, key: int) -> Tensor:
    data = np.ascontiguousarray(constant(filters).transpose(3, 1, 2, 0))
    quantization = filters.quantization
    if quantization is not None and quantization.per_channel:
        quantization = replace(quantization, axis=0)
    return replace(filters, index=key, shape=data.shape, data=data, quantization=quantization)

"""Fold pad into the padding of the convolution or max pooling that follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from tinyedge.arithmetic.window import Window
from tinyedge.graph.ir import Graph, Operator
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.ops.pad import Pad
from tinyedge.ops.pool_2d import Pool2D
from tinyedge.optimize.rewrite import remove_operators, replace_operator, same_layer, try_parse


def fold_pad(graph: Graph) -> Graph:
    """Let the readers of a pad read the unpadded tensor, with an `explicit_padding` (top, left, bottom, right) instead.

    Lossless for a convolution when the border holds the zero point of its input, which is what its own padding
    counts as: (zero point - zero point) * weight is nothing. Lossless for max pooling when the border holds the
    lowest value of the type, which no maximum notices. An average counts its cells, so average pooling keeps its
    pad. All readers of the padded tensor must agree, else it is needed anyway.
    """
    for operator in graph.operators:
        layer = try_parse(graph, operator)
        if layer is None or not isinstance(layer.params, Pad) or layer.outputs[0].index in graph.outputs:
            continue
        source = layer.inputs[0]
        if source.is_constant or source.is_variable or not _is_spatial(layer.params, layer):
            continue
        readers = graph.consumers(layer.outputs[0].index)
        folded: Graph | None = graph if readers else None
        for reader in readers:
            folded = folded and _fold_into(folded, reader, layer)
        graph = remove_operators(folded, [operator.index]) if folded else graph
    return graph


def _is_spatial(pad: Pad, layer: Layer) -> bool:
    """Whether only rows and columns grow."""
    return len(layer.inputs[0].shape) == 4 and all(pad.before[axis] == pad.after[axis] == 0 for axis in (0, 3))


def _fold_into(graph: Graph, reader: Operator, pad_layer: Layer) -> Graph | None:
    """The graph with one reader on the unpadded tensor; None when that would change a result."""
    pad: Pad = pad_layer.params
    padded, source = pad_layer.outputs[0], pad_layer.inputs[0]
    layer = try_parse(graph, reader)
    if layer is None or [t.index for t in layer.inputs] != [padded.index]:
        return None
    if isinstance(layer.params, Conv2D | DepthwiseConv2D):
        neutral = pad.value == layer.params.input_zero_point
    elif isinstance(layer.params, Pool2D) and layer.name == "max_pool_2d":
        neutral = pad.value == -128 and padded.dtype.value == "int8"
    else:
        return None
    window: Window = layer.params.window
    explicit = _explicit_padding(window, pad)
    if not neutral or explicit is None:
        return None
    inputs = tuple(source.index if key == padded.index else key for key in reader.inputs)
    options: Mapping[str, Any] = MappingProxyType({**reader.options, "explicit_padding": explicit})
    folded = replace(reader, inputs=inputs, options=options)
    result = replace_operator(graph, folded)
    return result if _is_as_before(layer, try_parse(result, folded), pad) else None


def _explicit_padding(window: Window, pad: Pad) -> tuple[int, int, int, int] | None:
    """The pad's border and the window's own together; None where a window would see nothing but border."""
    reach_h = (window.kernel_h - 1) * window.dilation_h + 1
    reach_w = (window.kernel_w - 1) * window.dilation_w + 1
    own_bottom = max((window.output_h - 1) * window.stride_h + reach_h - window.input_h - window.pad_top, 0)
    own_right = max((window.output_w - 1) * window.stride_w + reach_w - window.input_w - window.pad_left, 0)
    top, bottom = pad.before[1] + window.pad_top, pad.after[1] + own_bottom
    left, right = pad.before[2] + window.pad_left, pad.after[2] + own_right
    if top >= reach_h or bottom >= reach_h or left >= reach_w or right >= reach_w:
        return None
    return top, left, bottom, right


def _is_as_before(before: Layer, after: Layer | None, pad: Pad) -> bool:
    """Whether the folded layer has the window that was asked for, and every other parameter unchanged."""
    old: Window = before.params.window
    wanted = replace(
        old,
        input_h=old.input_h - pad.before[1] - pad.after[1],
        input_w=old.input_w - pad.before[2] - pad.after[2],
        pad_top=old.pad_top + pad.before[1],
        pad_left=old.pad_left + pad.before[2],
    )
    return same_layer(replace(before, params=replace(before.params, window=wanted)), after)

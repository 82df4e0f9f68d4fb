"""Fold space_to_batch_nd and batch_to_space_nd around a convolution into its dilation and padding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

from tinyedge.arithmetic.window import Window
from tinyedge.graph.access import constant
from tinyedge.graph.ir import Graph, Operator
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.optimize.rewrite import remove_operators, replace_operator, same_layer, try_parse


@dataclass(frozen=True)
class _Axis:
    """Rows, or columns: of the input, the block, the border and the crop in front, and the window between them."""

    size: int
    block: int
    border: tuple[int, int]
    crop: int
    output: int
    kernel: int
    dilation: int
    pad: int

    @property
    def reach(self) -> int:
        return (self.kernel - 1) * self.dilation * self.block + 1

    @property
    def before(self) -> int:
        """Padding in front of the first element: below 0 where the first output sees nothing of it."""
        return self.border[0] - self.crop + self.pad * self.block

    @property
    def after(self) -> int:
        return self.output - 1 + self.reach - self.size - self.before

    def can_fold(self) -> bool:
        """Whether padding expresses it, and no window sees nothing but padding."""
        return 0 <= self.before < self.reach and 0 <= self.after < self.reach

    def meets_border(self) -> bool:
        """Whether an output that is kept sees the border, rather than what lies beyond it."""
        step = self.dilation * self.block
        seen = {at + tap * step - self.before for at in range(self.output) for tap in range(self.kernel)}
        outside = (at for at in seen if not 0 <= at < self.size)
        return any(-self.border[0] <= at < self.size + self.border[1] for at in outside)


def fold_dilation(graph: Graph) -> Graph:
    """Let a convolution of stride 1 between the two read what lies in front and write what lies behind.

    Lossless: an output sums the same products. What lies outside of the input counts for nothing in a padded
    convolution; a border of space_to_batch_nd holds zeros, which count for nothing where the zero point is 0, and
    which no output that is kept sees where all of it is cut off again.
    """
    for operator in graph.operators:
        if operator.name == "space_to_batch_nd":
            graph = _folded(graph, operator) or graph
    return graph


def _only_reader(graph: Graph, key: int) -> Operator | None:
    readers = graph.consumers(key)
    return readers[0] if len(readers) == 1 and key not in graph.outputs else None


def _folded(graph: Graph, apart: Operator) -> Graph | None:
    """The graph without `apart` and what undoes it; None where that is not to be had, or would change a result."""
    between = _only_reader(graph, apart.outputs[0])
    together = _only_reader(graph, between.outputs[0]) if between is not None and len(between.outputs) == 1 else None
    if between is None or together is None or together.name != "batch_to_space_nd":
        return None
    layers = [try_parse(graph, operator) for operator in (apart, between, together)]
    layer = layers[1]
    if layer is None or None in layers or not isinstance(layer.params, Conv2D | DepthwiseConv2D):
        return None
    window: Window = layer.params.window
    axes = _axes(graph, apart, together, window)
    if axes is None or (window.stride_h, window.stride_w) != (1, 1) or not all(axis.can_fold() for axis in axes):
        return None
    if layer.params.input_zero_point != 0 and any(axis.meets_border() for axis in axes):
        return None
    rows, columns = axes
    options = {
        **between.options,
        "dilation_h_factor": rows.dilation * rows.block,
        "dilation_w_factor": columns.dilation * columns.block,
        "explicit_padding": (rows.before, columns.before, rows.after, columns.after),
    }
    folded = replace(
        between,
        inputs=(apart.inputs[0], *between.inputs[1:]),
        outputs=together.outputs,
        options=MappingProxyType(options),
    )
    result = replace_operator(remove_operators(graph, (apart.index, together.index)), folded)
    return result if _is_as_before(layer, try_parse(result, folded), rows, columns) else None


def _axes(graph: Graph, apart: Operator, together: Operator, window: Window) -> tuple[_Axis, _Axis] | None:
    source, target = graph.tensors[apart.inputs[0]].shape, graph.tensors[together.outputs[0]].shape
    blocks, border = (constant(graph.tensors[key]).reshape(-1).tolist() for key in apart.inputs[1:])
    undone, crop = (constant(graph.tensors[key]).reshape(-1).tolist() for key in together.inputs[1:])
    if len(source) != 4 or blocks != undone:
        return None
    sizes = (
        (window.kernel_h, window.dilation_h, window.pad_top),
        (window.kernel_w, window.dilation_w, window.pad_left),
    )
    rows, columns = (
        _Axis(
            source[1 + at], blocks[at], (border[2 * at], border[2 * at + 1]), crop[2 * at], target[1 + at], *sizes[at]
        )
        for at in (0, 1)
    )
    return rows, columns


def _is_as_before(before: Layer, after: Layer | None, rows: _Axis, columns: _Axis) -> bool:
    """Whether the folded layer has the window that was asked for, and every other parameter unchanged."""
    wanted = replace(
        before.params.window,
        input_h=rows.size,
        input_w=columns.size,
        output_h=rows.output,
        output_w=columns.output,
        dilation_h=rows.dilation * rows.block,
        dilation_w=columns.dilation * columns.block,
        pad_top=rows.before,
        pad_left=columns.before,
    )
    return same_layer(replace(before, params=replace(before.params, window=wanted)), after)

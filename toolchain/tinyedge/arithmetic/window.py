"""The sliding window shared by convolutions and pooling: explicit sizes, strides, dilation and padding.

A pass may fold a border of zero points into the window by setting the option `explicit_padding` to
(top, left, bottom, right): it then replaces the option `padding`. What is outside the input contributes nothing,
which is what a border of the input's zero point contributes to a convolution; for pooling it is not the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tinyedge.graph.ir import Array, Graph, Operator

_INT16_MAX = 32767
"""TensorFlow Lite Micro holds strides, dilation and padding in 16 bits"""


@dataclass(frozen=True)
class Window:
    """Geometry of a 2-D sliding window; all sizes in elements, rows first.

    Padding is explicit: `pad_top` rows and `pad_left` columns lie outside the input before the first window;
    what the windows need beyond the bottom and right edges is outside too.
    """

    input_h: int
    input_w: int
    output_h: int
    output_w: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    dilation_h: int
    dilation_w: int
    pad_top: int
    pad_left: int


@dataclass(frozen=True)
class _Axis:
    """One axis of a window."""

    output: int
    pad: int


def _axis(size: int, kernel: int, stride: int, dilation: int, padding: str | tuple[int, int]) -> _Axis | None:
    """Output size and padding before the first element along one axis; None when no window fits.

    >>> _axis(49, 10, 2, 1, "same"), _axis(49, 10, 2, 1, "valid"), _axis(96, 3, 2, 1, (0, 1))
    (_Axis(output=25, pad=4), _Axis(output=20, pad=0), _Axis(output=48, pad=0))
    """
    if min(size, kernel, stride, dilation) < 1 or max(stride, dilation) > _INT16_MAX:
        return None
    reach = (kernel - 1) * dilation + 1
    if padding == "same":
        output = -(-size // stride)
        before = max((output - 1) * stride + reach - size, 0) // 2
    else:
        before, after = (0, 0) if isinstance(padding, str) else padding
        output = (size + before + after - reach) // stride + 1
        if min(before, after) < 0:
            return None
    return _Axis(output, before) if output >= 1 and before <= _INT16_MAX else None


def padding_before(size: int, kernel: int, stride: int, padding: str) -> int | None:
    """Padding in front of the first element along one axis without dilation; None when no window fits.

    >>> padding_before(8, 3, 2, "same"), padding_before(8, 3, 2, "valid")
    (0, 0)
    """
    axis = _axis(size, kernel, stride, 1, padding)
    return None if axis is None else axis.pad


def window_of(graph: Graph, operator: Operator, kernel_h: int, kernel_w: int) -> Window | None:
    """The window of an operator on an NHWC input; None when the options fit no window at all."""
    _, height, width, _ = graph.tensors[operator.inputs[0]].shape
    options = operator.options
    dilation_h, dilation_w = options.get("dilation_h_factor", 1), options.get("dilation_w_factor", 1)
    padding_h = padding_w = options["padding"]
    if "explicit_padding" in options:
        top, left, bottom, right = options["explicit_padding"]
        padding_h, padding_w = (top, bottom), (left, right)
    rows = _axis(height, kernel_h, options["stride_h"], dilation_h, padding_h)
    columns = _axis(width, kernel_w, options["stride_w"], dilation_w, padding_w)
    if rows is None or columns is None:
        return None
    return Window(
        input_h=height,
        input_w=width,
        output_h=rows.output,
        output_w=columns.output,
        kernel_h=kernel_h,
        kernel_w=kernel_w,
        stride_h=options["stride_h"],
        stride_w=options["stride_w"],
        dilation_h=dilation_h,
        dilation_w=dilation_w,
        pad_top=rows.pad,
        pad_left=columns.pad,
    )


def kernel_window(graph: Graph, operator: Operator) -> Window | None:
    """The window of a convolution: height and width of the weights, which are axes 1 and 2 of four."""
    shape = graph.tensors[operator.inputs[1]].shape
    return window_of(graph, operator, shape[1], shape[2])


def filter_window(graph: Graph, operator: Operator) -> Window | None:
    """The window of a pooling operator, whose options hold the size."""
    return window_of(graph, operator, operator.options["filter_height"], operator.options["filter_width"])


def matches_output(graph: Graph, operator: Operator, window: Window | None) -> bool:
    """Whether the window gives the height and width that the output has."""
    shape = graph.tensors[operator.outputs[0]].shape
    return window is not None and (window.output_h, window.output_w) == (shape[1], shape[2])


def every_window_meets_input(window: Window) -> bool:
    """Whether each window, without dilation, covers at least one cell of the input."""
    axes = (
        (window.input_h, window.output_h, window.kernel_h, window.stride_h, window.pad_top),
        (window.input_w, window.output_w, window.kernel_w, window.stride_w, window.pad_left),
    )
    return all(pad < kernel and (output - 1) * stride - pad < size for size, output, kernel, stride, pad in axes)


@dataclass(frozen=True)
class Tap:
    """One element of a kernel: which outputs see an input cell through it, and which cells those are."""

    row: int
    column: int
    outputs: tuple[slice, slice]
    inputs: tuple[slice, slice]


def _spans(
    size: int, output: int, kernel: int, stride: int, dilation: int, pad: int
) -> Iterator[tuple[int, slice, slice]]:
    """Along one axis: (kernel index, outputs that lie inside through it, their input cells), empty ones left out."""
    first = max(0, -((output - 1) * stride - pad) // dilation)
    last = min(kernel - 1, (size - 1 + pad) // dilation)
    for index in range(first, last + 1):
        offset = index * dilation - pad
        start = max(0, -(offset // stride))
        stop = min(output - 1, (size - 1 - offset) // stride)
        if start <= stop:
            cell = start * stride + offset
            yield index, slice(start, stop + 1), slice(cell, (stop * stride + offset) + 1, stride)


def taps(window: Window) -> Iterator[Tap]:
    """The elements of the kernel that meet the input anywhere: what a reference sums over, without a padded copy."""
    w = window
    columns = list(_spans(w.input_w, w.output_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left))
    for row, out_rows, in_rows in _spans(w.input_h, w.output_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top):
        for column, out_columns, in_columns in columns:
            yield Tap(row, column, (out_rows, out_columns), (in_rows, in_columns))


def over_images(compute: Callable[[Array], Array], batch: Array) -> Array:
    """What `compute` makes of each image [H, W, C] of a batch, as a batch."""
    return np.stack([compute(image) for image in batch])

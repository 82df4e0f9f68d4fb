"""How often the parts of a kernel are executed in one run of a layer: what its instructions and cycles grow with.

Functions in assembler state their instructions; of functions in C the parts are named by what a turn of their loops
does. What each part takes, on a core and by a compiler, was found by counting (`tinyedge.cost.rates`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tinyedge.arithmetic.movement import Movement
from tinyedge.arithmetic.window import Window
from tinyedge.boards import Core
from tinyedge.kernels.armv6m import conv_pixels
from tinyedge.kernels.armv7em import conv_4x2_layout
from tinyedge.kernels.batches import image_count, one_image
from tinyedge.kernels.contract import Kernel
from tinyedge.kernels.portable import conv_2d_blocks
from tinyedge.kernels.portable.conv_2d import as_grouped, is_one_run
from tinyedge.kernels.portable.movement import Runs, runs_of
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.ops.fully_connected import FullyConnected
from tinyedge.ops.lstm import Lstm
from tinyedge.ops.pool_2d import Pool2D
from tinyedge.ops.softmax import Softmax
from tinyedge.ops.svdf import Svdf

Work = Mapping[str, float]
"""part -> how often"""

Place = tuple[str, int]
"""where a tensor lies: in the arena or in the state, and at which byte of it"""

CALL, STATED, ESTIMATE = "call", "stated", "estimate"


def layer_work(kernel: Kernel, layer: Layer, core: Core) -> Work:
    """Of one run of a whole layer."""
    images = image_count(layer)
    if images > 1:
        once = layer_work(kernel, one_image(layer), core)
        return {part: images * count for part, count in once.items()}
    parts: dict[str, float] = {CALL: 1}
    cost = kernel.cost(layer, core)
    if cost.instructions:
        parts[STATED] = cost.instructions
    elif not isinstance(layer.params, Movement):
        parts[ESTIMATE] = cost.cycles
    of = _BY_KERNEL.get(kernel.name)
    if of is not None:
        parts |= of(layer.params)
    elif not cost.instructions:
        parts["elements"] = sum(tensor.elements for tensor in layer.outputs)
        parts["inputs"] = sum(tensor.elements for tensor in layer.inputs)
    return {part: float(count) for part, count in parts.items() if count}


def _pixels(w: Window) -> int:
    return w.output_h * w.output_w


def _inside(outputs: int, size: int, kernel: int, stride: int, dilation: int, pad: int) -> int:
    """Cells inside the input that all windows along an axis cover together."""
    return sum(0 <= at * stride - pad + tap * dilation < size for at in range(outputs) for tap in range(kernel))


def _rows_inside(w: Window) -> int:
    return _inside(w.output_h, w.input_h, w.kernel_h, w.stride_h, w.dilation_h, w.pad_top)


def _taps_inside(w: Window) -> int:
    columns = _inside(w.output_w, w.input_w, w.kernel_w, w.stride_w, w.dilation_w, w.pad_left)
    return _rows_inside(w) * columns


def _conv(p: Conv2D) -> dict[str, float]:
    """te_conv_2d_s8: windows gathered once, four filters at a time."""
    taps = p.weights.size // p.output_channels
    pixels = _pixels(p.window)
    blocks = p.groups * -(-p.output_channels // p.groups // 4)
    parts: dict[str, float] = {
        "pixels": pixels,
        "outputs": pixels * p.output_channels,
        "blocks": pixels * blocks,
        "products": pixels * blocks * 4 * taps,
    }
    if not is_one_run(p):
        parts["windows"] = pixels * p.groups
        parts["window rows"] = pixels * p.groups * p.window.kernel_h
        parts["gathered"] = pixels * p.groups * taps
    return parts


def _conv_blocks(channels: int) -> Callable[[Conv2D], dict[str, float]]:
    """te_conv_2d_blocks: some channels by two pixels at a time."""

    def of(p: Conv2D) -> dict[str, float]:
        layout = conv_2d_blocks.find_layout(p)
        pairs = layout.rows * -(-layout.width // 2)
        blocks = pairs * -(-p.output_channels // channels)
        read, runs = layout.read, layout.runs
        parts: dict[str, float] = {
            "rows": layout.rows,
            "pairs": pairs,
            "blocks": blocks,
            "block rows": blocks * read.rows,
            "block runs": blocks * read.rows * read.per_row,
            "products": blocks * read.taps,
        }
        if layout.gathered_bytes:
            parts["gathered rows"] = 2 * pairs * runs.rows
            parts["gathered runs"] = 2 * pairs * runs.rows * runs.per_row
            parts["gathered"] = 2 * pairs * runs.taps
        if layout.ring.rows:
            loaded = min(p.window.input_h, layout.rows * layout.ring.rows)
            parts["ring rows"] = loaded
            parts["ring bytes"] = loaded * p.window.input_w * p.input_channels
            parts["cleared"] = layout.ring.bytes
        return parts

    return of


def _depthwise(p: DepthwiseConv2D) -> dict[str, float]:
    """te_depthwise_conv_2d_s8: each output by itself, over the cells inside."""
    w, channels = p.window, p.output_channels
    return {
        "pixels": _pixels(w),
        "outputs": _pixels(w) * channels,
        "tap rows": _rows_inside(w) * w.output_w * channels,
        "products": _taps_inside(w) * channels,
    }


def _depthwise_3x3(p: DepthwiseConv2D) -> dict[str, float]:
    """te_depthwise_conv_2d_3x3: a channel at a time, copied to a plane."""
    w, channels = p.window, p.output_channels
    return {
        "channels": channels,
        "lines": channels * w.output_h,
        "outputs": channels * _pixels(w),
        "copied rows": channels * w.input_h,
        "copied": channels * w.input_h * w.input_w,
    }


def _connected(p: FullyConnected) -> dict[str, float]:
    outputs = p.batches * p.outputs
    blocks = p.batches * -(-p.outputs // 4)
    return {"batches": p.batches, "outputs": outputs, "blocks": blocks, "products": 4 * blocks * p.inputs}


def _pool(p: Pool2D) -> dict[str, float]:
    w = p.window
    quads = -(-p.channels // 4)
    return {
        "pixels": _pixels(w),
        "outputs": _pixels(w) * p.channels,
        "quads": _pixels(w) * quads,
        "tap rows": _rows_inside(w) * w.output_w * quads,
        "cells": _taps_inside(w) * p.channels,
    }


def _softmax(p: Softmax) -> dict[str, float]:
    return {"rows": p.rows, "values": p.rows * p.depth}


def _lstm(p: Lstm) -> dict[str, float]:
    steps = p.batches * p.steps
    return {
        "steps": steps,
        "units": steps * p.units,
        "products": 4 * steps * p.units * (p.inputs + p.units),
    }


def _svdf(p: Svdf) -> dict[str, float]:
    filters = p.batches * p.filters
    return {
        "filters": filters,
        "units": p.batches * p.units,
        "features": filters * p.inputs,
        "moments": filters * p.memory,
    }


def _pixel_groups(p: Conv2D, at_once: int) -> dict[str, float]:
    """te_conv_2d_pixels, around the function in assembler."""
    layout = conv_pixels.find_layout(p, at_once)
    parts: dict[str, float] = {"groups": layout.groups, "segments": layout.groups * layout.segments}
    if layout.ring_rows:
        w = p.window
        rows = (w.output_h - 1) * w.stride_h + (w.kernel_h - 1) * w.dilation_h + 1
        parts["ring rows"] = rows
        parts["ring bytes"] = rows * w.input_w * p.input_channels
    return parts


def _row_calls(p: Conv2D) -> dict[str, float]:
    """te_conv_2d_4x2, around the function in assembler."""
    layout = conv_4x2_layout.find_layout(p)
    parts: dict[str, float] = {"rows": layout.rows, "segments": layout.rows * layout.segments}
    if layout.ring_rows:
        rows = min(p.window.input_h, layout.rows * layout.ring_rows)
        parts["ring rows"] = rows
        parts["ring bytes"] = rows * p.window.input_w * p.input_channels
    return parts


def _output_rows(p: Conv2D | DepthwiseConv2D) -> dict[str, float]:
    return {"rows": p.window.output_h, "pixels": _pixels(p.window)}


def _walk(p: Pool2D) -> dict[str, float]:
    return {"pixels": _pixels(p.window)}


def moves_work(p: Movement, sources: Sequence[Place | None], targets: Sequence[Place | None]) -> Work:
    """te_copy for one run, which does nothing where the bytes lie already; te_move for several.

    sources, targets  where inputs and outputs lie; None: apart from all others
    """
    parts: dict[str, float] = defaultdict(float)
    parts[CALL] = 1
    for copy in p.copies:
        runs = runs_of(copy, p.element_bytes)
        if not runs.axes:
            source = sources[copy.source] if copy.source < len(sources) else None
            parts["copies"] += 1
            parts[_copied(source, targets[copy.target], runs)] += runs.run
            continue
        parts["moves"] += 1
        parts["move rows"] += runs.count // runs.axes[-1][0]
        parts["singles" if runs.run == 1 else "runs"] += runs.count
        parts["moved"] += 0 if runs.run == 1 else runs.count * runs.run
    if p.fill is not None:
        parts["filled"] = sum(p.output_elements) * p.element_bytes
    return {part: count for part, count in parts.items() if count}


def _copied(source: Place | None, target: Place | None, runs: Runs) -> str:
    """The part that a byte of a copy belongs to: which way memmove goes, and by words or by bytes."""
    if source is None or target is None:
        return "copied apart"
    if source[0] != target[0]:
        return f"copied to {target[0]}"
    distance = target[1] + runs.target_start - source[1] - runs.source_start
    if not distance:
        return "left"
    by = "words" if distance % 4 == 0 else "bytes"
    if abs(distance) >= runs.run:
        return "copied apart"
    return f"copied {'up' if distance > 0 else 'down'} by {by}"


_BY_KERNEL: Mapping[str, Callable[[Any], dict[str, float]]] = {
    "portable/conv_2d": _conv,
    "portable/conv_2d_s4": _conv,
    "portable/conv_2d_s16": _conv,
    "portable/depthwise_conv_2d_grouped": lambda p: _conv(as_grouped(p)),
    "portable/conv_2d_blocks_2x2": _conv_blocks(2),
    "portable/conv_2d_blocks_4x2": _conv_blocks(4),
    "portable/depthwise_conv_2d": _depthwise,
    "portable/depthwise_conv_2d_s4": _depthwise,
    "portable/depthwise_conv_2d_s16": _depthwise,
    "portable/depthwise_conv_2d_3x3": _depthwise_3x3,
    "portable/fully_connected": _connected,
    "portable/fully_connected_blocks": _connected,
    "portable/average_pool_2d": _pool,
    "portable/max_pool_2d": _pool,
    "portable/softmax": _softmax,
    "armv7em/softmax_table": _softmax,
    "portable/softmax_s8_s16": _softmax,
    "portable/fully_connected_s16": _connected,
    "portable/fully_connected_s4": _connected,
    "portable/unidirectional_sequence_lstm": _lstm,
    "portable/unidirectional_sequence_lstm_s16": _lstm,
    "portable/svdf": _svdf,
    "portable/movement": lambda p: dict(moves_work(p, [], [None] * len(p.output_elements))),
    "armv6m/conv_2d_stream": lambda p: _pixel_groups(p, 4),
    "armv6m/conv_2d_immediate": lambda p: _pixel_groups(p, 2),
    "armv7em/conv_2d_4x2": _row_calls,
    "armv7em/conv_2d_4x2_compact": _row_calls,
    "armv7em/conv_2d_4x2_unrolled": _row_calls,
    "armv7em/conv_2d_winograd": _output_rows,
    "armv7em/average_pool_2d": _walk,
    "armv7em/max_pool_2d": _walk,
    "armv81m/conv_2d_columns": _output_rows,
    "armv81m/conv_2d_columns_looped": _output_rows,
    "armv81m/conv_2d_rows": _output_rows,
    "armv81m/conv_2d_rows_looped": _output_rows,
    "armv81m/depthwise_conv_2d": _output_rows,
}

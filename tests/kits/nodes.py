"""Nodes of random graphs: what the entries of several operators share, see `kits.random_graph`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kits.draft import MOST_ELEMENTS, Array, Draft, Entry, Node, Shape, float32
from kits.stored_weights import LEVELS
from kits.tflm import output_size

INT8_SPREAD = 74.0
"""standard deviation of uniformly random int8 values"""


def fused_activation(draft: Draft) -> str:
    return str(draft.pick("none", "none", "relu", "relu", "relu6", "relu_n1_to_1"))


# -- layers with weights, windows ------------------------------------------------------------------------------------


def _weights(draft: Draft, shape: Shape, axis: int, bits: int) -> Array:
    """Dense, pruned, of 2 or 4 bits, of few values or extreme weights; some output channels (along `axis`) are dead."""
    low, high = (-8, 8) if bits == 4 else (-128, 128)
    values = draft.chance.integers(low, high, shape)
    match draft.number(0, 7):
        case 0:
            values *= draft.chance.random(shape) < 0.2
        case 1:
            values = values // 16
        case 2:
            values = draft.chance.choice([low, high - 1], shape)
        case 3 if bits == 8:
            values = values // 64
        case 4 if bits == 8:
            values = np.array(LEVELS)[values % (8 if values.flat[0] & 1 else 16)]
    if draft.flip(0.3):
        dead = draft.chance.random(shape[axis]) < 0.4
        np.moveaxis(values, axis, 0)[dead] = 0
    return np.asarray(values, np.int8)


def _bias(draft: Draft, channels: int, spread: float) -> Array:
    """About as large as the sums it is added to; some of it so large that its channel is always saturated."""
    bias = draft.chance.normal(0, spread, channels)
    if draft.flip(0.2):
        bias[draft.chance.random(channels) < 0.4] = float(draft.pick(-1, 1)) * 40_000_000
    return np.asarray(np.clip(bias, -(1 << 29), 1 << 29), np.int32)


def weighted(
    draft: Draft,
    operator: str,
    source: Node,
    weights_shape: Shape,
    output_shape: Shape,
    *,
    axis: int,
    taps: int,
    leading: tuple[int, ...] = (),
    per_channel: bool | None = None,
    four_bits: bool | None = None,
    weights: Array | None = None,
    **options: Any,
) -> Node:
    """An operator on int8 or int16, with int8 or int4 weights along whose `axis` the channels lie, and a bias or none.

    taps     how many products are summed for one output
    weights  if they are not to be drawn
    leading  keys of inputs before the tensor that is read
    """
    channels = weights_shape[axis]
    wide = source.dtype == "int16"
    bits = 4 if (draft.flip(0.12) if four_bits is None else four_bits) and not wide else 8
    per_channel = draft.flip(0.8) if per_channel is None else per_channel
    base = 2.0 ** (draft.chance.uniform(-24, 4) if draft.flip(0.05) else draft.chance.uniform(-9, -4))
    spread = draft.pick(0.0, 1.0, 1.0, 4.0)
    scales = [float32(base * 2.0 ** draft.chance.uniform(-spread, spread)) for _ in range(channels)]
    if not per_channel:
        scales = scales[:1]
    fitting = (weights_shape, axis, bits, len(scales))
    if weights is None and fitting in draft.weights and draft.flip(0.4):
        key, scales = draft.weights[fitting]
    else:
        values = _weights(draft, weights_shape, axis, bits) if weights is None else weights
        key = draft.constant(values, f"int{bits}", scale=scales, axis=axis)
    draft.weights[fitting] = key, scales
    keys: list[Node | int] = [key]
    sums = INT8_SPREAD * (256 if wide else 1) * (INT8_SPREAD if bits == 8 else 5.0) * math.sqrt(taps)
    if draft.flip(0.8):
        bias_scales = [float32(source.scale * scale) for scale in scales]
        bias = _bias(draft, channels, sums)
        keys.append(draft.constant(bias.astype(np.int64) if wide else bias, scale=bias_scales))
    keys = [*leading, keys[0], source, *keys[1:]] if leading else [source, *keys]
    reach = 2.5 * source.scale * base * sums
    return draft.put(operator, keys, output_shape, source.dtype, scale=draft.scale(reach, source.dtype), **options)


def window_options(draft: Draft, source: Node, *, dilated: bool = True) -> tuple[dict[str, Any], Shape, Shape]:
    """Options, kernel size and output size of a window that fits the image."""
    while True:
        kernel = (draft.pick(1, 1, 2, 3, 3, 5), draft.pick(1, 1, 2, 3, 3, 4))
        if draft.flip(0.12):
            kernel = (draft.number(1, 10), draft.number(1, 9))
        stride = (draft.pick(1, 1, 2, 3), draft.pick(1, 1, 2, 3))
        if draft.flip(0.08):
            stride = (draft.number(1, 6), draft.number(1, 6))
        dilation = (draft.number(1, 5), draft.number(1, 5)) if dilated and draft.flip(0.15) else (1, 1)
        padding = draft.pick("same", "valid")
        axes = zip(source.shape[1:3], kernel, stride, dilation, strict=True)
        size = tuple(output_size(*numbers, padding) for numbers in axes)
        if min(size) >= 1:
            break
    options: dict[str, Any] = {"padding": padding, "stride_h": stride[0], "stride_w": stride[1]}
    if dilated:
        options |= {"dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}
    return options, kernel, size


# -- functions of single values, of pairs, and over axes -------------------------------------------------------------


def unary(operator: str, *, wide: bool = False, **options: Callable[[Draft], Any]) -> Entry:
    """A function whose output may have any quantization, often that of the input; `wide` ones have int16 as well."""

    def entry(draft: Draft) -> None:
        source = draft.any(draft.kind() if wide else "int8")
        drawn = {name: draw(draft) for name, draw in options.items()}
        if draft.flip(0.3):
            draft.same(operator, [source], source.shape, source, **drawn)
        else:
            scale = draft.scale(source.reach, source.dtype)
            draft.put(operator, [source], source.shape, source.dtype, scale=scale, **drawn)

    return entry


def fixed(
    operator: str, scale: float, zero_point: int, *, last_axis: bool = False, wide: bool = False, **options: Any
) -> Entry:
    """A function whose output has one quantization always; `wide` ones have int16 as well."""

    def entry(draft: Draft) -> None:
        kind = draft.kind() if wide else "int8"
        source = draft.take(draft.number(2, 4), kind) if last_axis else draft.any(kind)
        quantization = (scale, zero_point) if kind == "int8" else (2.0**-15, 0)
        draft.put(operator, [source], source.shape, kind, scale=quantization[0], zero_point=quantization[1], **options)

    return entry


def requantized(draft: Draft, source: Node, scale: float, zero_point: int) -> Node:
    """The tensor under another quantization."""
    return draft.put("quantize", [source], source.shape, source.dtype, scale=scale, zero_point=zero_point)


def broadcast_from(draft: Draft, shape: Shape) -> Shape:
    """A shape that broadcasts to `shape`."""
    kept = tuple(1 if draft.flip(0.35) else size for size in shape)
    cut = draft.number(0, len(shape)) if draft.flip(0.3) else 0
    return kept[cut:]


def second_operand(draft: Draft, first: Node, *, like: Node | None = None) -> tuple[Any, float]:
    """A tensor or a constant that broadcasts to the first operand's shape, and its scale; quantized `like` another."""
    if draft.flip(0.5):
        others = [node for node in draft.tensors(first.dtype) if node.shape == first.shape]
        node = others[draft.number(0, len(others) - 1)]
        if like is not None and (node.scale, node.zero_point) != (like.scale, like.zero_point):
            node = requantized(draft, node, like.scale, like.zero_point)
        return node, node.scale
    shape = first.shape if draft.flip(0.4) else broadcast_from(draft, first.shape)
    scale, zero = draft.scale(first.reach, first.dtype), draft.zero_point() if first.dtype == "int8" else 0
    if like is not None:
        scale, zero = like.scale, like.zero_point
    if draft.flip(0.5):
        return draft.values(shape, scale, zero, first.dtype), scale
    return draft.input(shape, first.dtype, scale=scale, zero_point=zero), scale


def binary(operator: str, reach: Callable[[float, float], float], **options: Any) -> Entry:
    """A sum, difference or product of real values; `reach(a, b)` says how large results are."""

    def entry(draft: Draft) -> None:
        kind = draft.kind()
        first = draft.any(kind, accept=lambda node: len(node.shape) <= 6)
        if draft.flip(0.08):
            first = draft.input(draft.sizes(draft.number(5, 6), 3), kind)
        second, scale = second_operand(draft, first)
        pair = [second, first] if draft.flip(0.4) else [first, second]
        drawn = dict(options)
        if "fused_activation_function" in options:
            drawn["fused_activation_function"] = draft.pick("none", "none", "relu", "relu6", "relu_n1_to_1")
        steps = first.reach / first.scale
        draft.put(
            operator, pair, first.shape, kind, scale=draft.scale(reach(first.reach, scale * steps), kind), **drawn
        )

    return entry


def reduction_node(operator: str, *, keeps: bool = False, grows: bool = False, wide: bool = False) -> Entry:
    """mean, sum, reduce_max, reduce_min over some axes, named from either end; `wide` ones have int16 as well."""

    def entry(draft: Draft) -> None:
        source = draft.take(draft.pick(2, 3, 4, 4), draft.kind() if wide else "int8")
        rank = len(source.shape)
        axes = [axis for axis in range(rank) if draft.flip(0.5)] or [draft.number(0, rank - 1)]
        if rank == 4 and draft.flip(0.5):
            axes = [1, 2]
        keep = draft.flip(0.5)
        left = tuple(1 if axis in axes else n for axis, n in enumerate(source.shape) if keep or axis not in axes)
        if not left:
            keep, left = True, (1,) * rank
        count = math.prod(source.shape[axis] for axis in axes)
        named = draft.shape_constant([axis - rank if draft.flip(0.3) else axis for axis in axes])
        if keeps:
            draft.same(operator, [source, named], left, source, keep_dims=keep)
            return
        reach = source.reach * (math.sqrt(count) if grows else 1 / math.sqrt(count))
        draft.put(operator, [source, named], left, source.dtype, scale=draft.scale(reach, source.dtype), keep_dims=keep)

    return entry


# -- borders ---------------------------------------------------------------------------------------------------------


def paddings(draft: Draft, shape: Shape, most: Callable[[int], int]) -> list[tuple[int, int]]:
    """Amounts for each axis but the first of a batch; most often for rows and columns only."""
    pairs = []
    for axis, size in enumerate(shape):
        quiet = (axis == 0 and len(shape) > 1) or (axis == 3 and draft.flip(0.6)) or draft.flip(0.2)
        pairs.append((0, 0) if quiet else (draft.number(0, most(size)), draft.number(0, most(size))))
    return pairs


def padded(shape: Shape, pairs: list[tuple[int, int]]) -> Shape:
    return tuple(size + before + after for size, (before, after) in zip(shape, pairs, strict=True))


def small(draft: Draft, rank: int, dtype: str = "int8") -> Node:
    """A tensor of a rank that may grow."""
    node = draft.take(rank, dtype)
    return node if node.elements <= MOST_ELEMENTS // 2 else draft.input(draft.sizes(rank), dtype)

"""Random layers with weights, and pooling: one function per operator, see `kits.random_graph`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kits.draft import Array, Draft, Entry, Node, Shape, float32
from kits.tflm import output_size

_INT8_SPREAD = 74.0
"""standard deviation of uniformly random int8 values"""


def _activation(draft: Draft) -> str:
    return str(draft.pick("none", "none", "relu", "relu", "relu6", "relu_n1_to_1"))


def _weights(draft: Draft, shape: Shape, axis: int, bits: int) -> Array:
    """Dense, pruned, small or extreme weights; some output channels (along `axis`) are dead."""
    low, high = (-8, 8) if bits == 4 else (-128, 128)
    values = draft.chance.integers(low, high, shape)
    match draft.number(0, 7):
        case 0:
            values *= draft.chance.random(shape) < 0.2
        case 1:
            values = values // 16
        case 2:
            values = draft.chance.choice([low, high - 1], shape)
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
    **options: Any,
) -> Node:
    """An operator on int8 or int16, with int8 or int4 weights along whose `axis` the channels lie, and a bias or none.

    taps     how many products are summed for one output
    leading  keys of inputs before the tensor that is read
    """
    channels = weights_shape[axis]
    wide = source.dtype == "int16"
    bits = 4 if (draft.flip(0.12) if four_bits is None else four_bits) and not wide else 8
    per_channel = draft.flip(0.8) if per_channel is None else per_channel
    base = 2.0 ** draft.chance.uniform(-9, -4)
    spread = draft.pick(0.0, 1.0, 1.0, 4.0)
    scales = [float32(base * 2.0 ** draft.chance.uniform(-spread, spread)) for _ in range(channels)]
    if not per_channel:
        scales = scales[:1]
    data = _weights(draft, weights_shape, axis, bits)
    keys: list[Node | int] = [draft.constant(data, f"int{bits}", scale=scales, axis=axis)]
    sums = _INT8_SPREAD * (256 if wide else 1) * (_INT8_SPREAD if bits == 8 else 5.0) * math.sqrt(taps)
    if draft.flip(0.8):
        bias_scales = [float32(source.scale * scale) for scale in scales]
        bias = _bias(draft, channels, sums)
        keys.append(draft.constant(bias.astype(np.int64) if wide else bias, scale=bias_scales))
    keys = [*leading, keys[0], source, *keys[1:]] if leading else [source, *keys]
    reach = 2.5 * source.scale * base * sums
    return draft.put(operator, keys, output_shape, source.dtype, scale=draft.scale(reach, source.dtype), **options)


def _window(draft: Draft, source: Node, *, dilated: bool = True) -> tuple[dict[str, Any], Shape, Shape]:
    """Options, kernel size and output size of a window that fits the image."""
    while True:
        kernel = (draft.pick(1, 1, 2, 3, 3, 5), draft.pick(1, 1, 2, 3, 3, 4))
        stride = (draft.pick(1, 1, 2, 3), draft.pick(1, 1, 2, 3))
        dilation = (draft.number(1, 3), draft.number(1, 3)) if dilated and draft.flip(0.15) else (1, 1)
        padding = draft.pick("same", "valid")
        axes = zip(source.shape[1:3], kernel, stride, dilation, strict=True)
        size = tuple(output_size(*numbers, padding) for numbers in axes)
        if min(size) >= 1:
            break
    options: dict[str, Any] = {"padding": padding, "stride_h": stride[0], "stride_w": stride[1]}
    if dilated:
        options |= {"dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}
    return options, kernel, size


def conv_2d(draft: Draft) -> None:
    source = draft.image(draft.kind())
    options, kernel, size = _window(draft, source)
    inputs, outputs = source.shape[3], draft.pick(draft.number(1, 4), draft.number(1, 12), 8)
    groups = 1
    if inputs <= 8 and draft.flip(0.12):
        groups = draft.pick(*(g for g in range(1, inputs + 1) if inputs % g == 0))
        outputs = groups * draft.number(1, 3)
    depth = inputs // groups
    weighted(
        draft, "conv_2d", source, (outputs, *kernel, depth), (1, *size, outputs), axis=0,
        taps=math.prod(kernel) * depth, four_bits=None if groups == 1 else False,
        fused_activation_function=_activation(draft), **options,
    )  # fmt: skip


def depthwise_conv_2d(draft: Draft) -> None:
    source = draft.image(draft.kind())
    options, kernel, size = _window(draft, source)
    multiplier = draft.pick(1, 1, 1, 2, 3)
    outputs = source.shape[3] * multiplier
    weighted(
        draft, "depthwise_conv_2d", source, (1, *kernel, outputs), (1, *size, outputs), axis=3,
        taps=math.prod(kernel), depth_multiplier=multiplier, fused_activation_function=_activation(draft), **options,
    )  # fmt: skip


def transpose_conv(draft: Draft) -> None:
    source = draft.image()
    kernel = (draft.number(1, 4), draft.number(1, 4))
    stride = (draft.number(1, 2), draft.number(1, 2))
    padding = draft.pick("same", "valid")
    outputs = draft.number(1, 6)
    rows, columns = (
        size * step if padding == "same" else size * step + max(width - step, 0)
        for size, step, width in zip(source.shape[1:3], stride, kernel, strict=True)
    )
    shape = (1, rows, columns, outputs)
    weighted(
        draft, "transpose_conv", source, (outputs, *kernel, source.shape[3]), shape, axis=0,
        taps=math.prod(kernel) * source.shape[3], leading=(draft.shape_constant(shape),), per_channel=True,
        four_bits=False, padding=padding, stride_h=stride[0], stride_w=stride[1], fused_activation_function="none",
    )  # fmt: skip


def fully_connected(draft: Draft) -> None:
    source = draft.take(draft.pick(2, 2, 2, 4, 3), draft.kind())
    outputs = draft.pick(draft.number(1, 5), draft.number(1, 24), 8)
    inputs = source.shape[-1]
    keep = len(source.shape) > 2 and draft.flip(0.5)
    per_channel = draft.flip(0.5)
    rows = source.elements // inputs
    weighted(
        draft, "fully_connected", source, (outputs, inputs), (*source.shape[:-1], outputs) if keep else (rows, outputs),
        axis=0, taps=inputs, per_channel=per_channel, four_bits=draft.flip(0.2) and not per_channel,
        keep_num_dims=keep, fused_activation_function=_activation(draft),
    )  # fmt: skip


def batch_matmul(draft: Draft) -> None:
    first = draft.take(draft.pick(2, 3, 3, 4))
    flipped = (draft.flip(0.4), draft.flip(0.4))
    depth = first.shape[-2] if flipped[0] else first.shape[-1]
    rows = first.shape[-1] if flipped[0] else first.shape[-2]
    columns = draft.number(1, 8)
    shape = (*first.shape[:-2], columns, depth) if flipped[1] else (*first.shape[:-2], depth, columns)
    second: Node | int
    if draft.flip(0.5):
        scale = draft.scale(1.0)
        second = draft.values(shape, scale, draft.number(-9, 9))
    else:
        second = draft.input(shape, scale=draft.scale(1.0))
        scale = second.scale
    draft.put(
        "batch_matmul", [first, second], (*first.shape[:-2], rows, columns),
        scale=draft.scale(2.5 * first.scale * scale * _INT8_SPREAD**2 * math.sqrt(depth)),
        adj_x=flipped[0], adj_y=flipped[1],
    )  # fmt: skip


def pool_2d(operator: str) -> Entry:
    """average_pool_2d, max_pool_2d: the quantization stays."""

    def entry(draft: Draft) -> None:
        source = draft.image(draft.kind())
        options, kernel, size = _window(draft, source, dilated=False)
        if draft.flip(0.15):  # all of the image
            kernel, size = source.shape[1:3], (1, 1)
            options |= {"padding": "valid", "stride_h": 1, "stride_w": 1}
        draft.same(
            operator, [source], (1, *size, source.shape[3]), source, filter_height=kernel[0], filter_width=kernel[1],
            fused_activation_function=_activation(draft), **options,
        )  # fmt: skip

    return entry


ENTRIES: dict[str, Entry] = {
    "average_pool_2d": pool_2d("average_pool_2d"),
    "batch_matmul": batch_matmul,
    "conv_2d": conv_2d,
    "depthwise_conv_2d": depthwise_conv_2d,
    "fully_connected": fully_connected,
    "max_pool_2d": pool_2d("max_pool_2d"),
    "transpose_conv": transpose_conv,
}

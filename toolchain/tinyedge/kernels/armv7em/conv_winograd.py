"""conv_2d 3x3 with stride 1 by Winograd's F(2x2, 3x3) in integers: 16 products instead of 36 for four outputs.

For a tile d of 4x4 inputs and a filter g, with the matrices of Lavin and Gray ("Fast Algorithms for Convolutional
Neural Networks", 2015), the four outputs are A' [(G g G') * (B' d B)] A. G has halves in it; 2 G has not, so that
U = (2G) g (2G)' and V = B' d B are integers and the result is exactly four times the outputs.

Bounds. Of U, |U| <= 9 * 128, of V, |V| <= 4 * 128: both fit int16. Products and sums are modulo 2**32 (SMUAD and
SMLAD wrap), transforming back is sums and differences, so the end result is right modulo 2**32, and right as it stands
when four times a sum, bias included, fits int32. The layer's weights must keep sums below conv_requantize.SUM_LIMIT,
which is stricter.

Weights take 32 / 9 of the bytes of int8, and each set of two output channels is read once for 32 outputs of a channel.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv7em.conv_4x2 import core_reason, find_requantization, requantization_reason
from tinyedge.kernels.armv7em.conv_4x2_layout import input_bias
from tinyedge.kernels.armv7em.conv_requantize import Requantization
from tinyedge.kernels.armv7em.conv_winograd_asm import (
    POINTS,
    SUM_BYTES,
    Emitted,
    OutputForm,
    emit_outputs,
    emit_products,
    emit_rows,
)
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.common.overlap import NEVER, least_offset
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.thumb.assembly import Ticks
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

STEM = "te_conv_2d_winograd"
DRIVER_BYTES = 570
PARAMS_BYTES = 48
LAYER_CODE_BYTES = 20
STRIP = 8
"""output columns of four tiles"""
FACTOR_WORDS = 6
"""bias and two factors for each of two channels"""
MOST_CHANNELS = 128
"""columns and points are at constant offsets from a pointer, of 12 bits"""
TWO_G = np.array([[2, 0, 0], [1, 1, 1], [1, -1, 1], [0, 0, 2]], np.int64)
_TAPS_OF_STEPS = np.array([[0, 2], [1, 3]])

# The driver, compiled at -O2.
_DRIVER_CALL = Ticks(60, 100)
_DRIVER_ROWS = Ticks(60, 90)
_DRIVER_STRIP = Ticks(60, 90)
_DRIVER_CHANNELS = Ticks(18, 32)
_WIDENED_WORD = Ticks(7, 10)


class Conv2DWinograd(Kernel):
    """int8 convolutions 3x3 with stride 1, at least 8 outputs wide, channels in fours (output: in twos)."""

    name = "armv7em/conv_2d_winograd"
    operators: ClassVar[tuple[str, ...]] = ("conv_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        return _shape_reason(layer, core) or requantization_reason(layer.params)

    def cost(self, layer: Layer, core: Core) -> Cost:
        params: Conv2D = layer.params
        emitted = _functions(params)
        shared = ((STEM, DRIVER_BYTES), *((e.function.name, e.code_bytes) for e in emitted))
        constants = 4 * params.output_channels // 2 * _pair_words(params) + PARAMS_BYTES
        ticks = _layer_ticks(params, emitted)
        return Cost(ticks.cycles, LAYER_CODE_BYTES, constants, shared, instructions=ticks.instructions)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        params: Conv2D = layer.params
        return 8 * _ring_pitch(params) + 128 * params.input_channels + POINTS * SUM_BYTES

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Rows are in the ring before outputs of their tiles are written."""
        w, params = layer.params.window, layer.params
        tops = np.minimum(np.arange(0, w.output_h, 2), w.output_h - 2)
        loaded = tops - w.pad_top + 4
        ends = (tops + 2) * w.output_w * params.output_channels
        unread = np.maximum(loaded, 0) * w.input_w * params.input_channels
        return least_offset(ends, np.where(loaded < w.input_h, unread, NEVER))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        params: Conv2D = layer.params
        prefix = operands.prefix
        emitted = _functions(params)
        stream = pack_winograd(params, find_requantization(params))
        shape = "x".join(str(size) for size in params.weights.shape)
        comment = f"weights {shape} transformed to 4x4, two channels at a time; bias and two factors each"
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});",),
            constants=(Constant(f"{prefix}_weights", "uint32_t", stream, 4, comment),),
            functions=_params_text(params, prefix, [e.function.name for e in emitted]),
            runtime=(STEM,),
            assembler=tuple(e.function for e in emitted),
        )


def _shape_reason(layer: Layer, core: Core) -> str:
    p: Conv2D = layer.params
    w = p.window
    one = {w.stride_h, w.stride_w, w.dilation_h, w.dilation_w} == {1}
    if (w.kernel_h, w.kernel_w) != (3, 3) or not one or p.groups != 1:
        return "the kernel is not 3x3 with stride 1, without dilation and groups"
    if w.output_w < STRIP or w.output_h < 2:
        return f"{w.output_h}x{w.output_w} outputs are fewer than the 2x{STRIP} it computes at a time"
    if p.input_channels % 4 or p.output_channels % 2:
        return f"{p.input_channels} to {p.output_channels} channels are not multiples of 4 and 2"
    if max(p.input_channels, p.output_channels) > MOST_CHANNELS:
        return f"{max(p.input_channels, p.output_channels)} channels are more than {MOST_CHANNELS}"
    return (
        core_reason(core)
        or checks.int8_tensors(layer)
        or checks.one_image(layer, w.input_h * w.input_w * p.input_channels)
        or checks.window_sizes(w)
        or checks.sizes((w.input_w * p.input_channels, _ring_pitch(p), 256 * w.pad_top, 256 * w.pad_left))
    )


def _ring_pitch(params: Conv2D) -> int:
    """int16 of a row with its border."""
    w = params.window
    return max(w.output_w + 2, w.pad_left + w.input_w) * params.input_channels


def _pair_words(params: Conv2D) -> int:
    return POINTS * params.input_channels + FACTOR_WORDS


def _functions(params: Conv2D) -> tuple[Emitted, Emitted, Emitted, Emitted]:
    """Difference and sum of rows, products, outputs."""
    chosen = find_requantization(params)
    form = OutputForm(
        channels=params.output_channels,
        columns=params.window.output_w,
        fraction=chosen.fraction,
        rectified=chosen.rectified,
        low=params.activation_min,
        high=params.activation_max,
    )
    channels = params.input_channels
    return (
        emit_rows(channels, "ssub16"),
        emit_rows(channels, "sadd16"),
        emit_products(channels),
        emit_outputs(form),
    )


def _layer_ticks(params: Conv2D, emitted: tuple[Emitted, ...]) -> Ticks:
    w = params.window
    difference, total, products, outputs = (e.ticks for e in emitted)
    pairs = params.output_channels // 2
    strip = _DRIVER_STRIP + 3 * difference + total + pairs * (products + outputs + _DRIVER_CHANNELS)
    rows, strips = -(-w.output_h // 2), -(-w.output_w // STRIP)
    widened = min(w.input_h, w.output_h + 2) * w.input_w * params.input_channels // 4 * _WIDENED_WORD
    return _DRIVER_CALL + rows * (_DRIVER_ROWS + strips * strip) + widened


def transform_weights(weights: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
    """U = (2G) g (2G)' of each filter. Shape: weights [OC, 3, 3, IC] -> [OC, 4, 4, IC]

    >>> transform_weights(np.ones((1, 3, 3, 1), np.int8))[0, :, :, 0].tolist()
    [[4, 6, 2, 4], [6, 9, 3, 6], [2, 3, 1, 2], [4, 6, 2, 4]]
    """
    transformed = np.einsum("ap,opqc,bq->oabc", TWO_G, weights.astype(np.int64), TWO_G)
    return np.asarray(transformed, np.int64)


def pack_winograd(params: Conv2D, requantization: Requantization) -> npt.NDArray[np.uint32]:
    """The stream of weights: for each two output channels

    per point, per two input channels: two taps of one channel, two of the other
    four times the bias, two factors    for one channel, then for the other
    """
    outputs, inputs = params.output_channels, params.input_channels
    points = transform_weights(params.weights).reshape(outputs, POINTS, inputs // 4, 4)[..., _TAPS_OF_STEPS]
    halves = points.reshape(outputs // 2, 2, POINTS, inputs // 2, 2) & 0xFFFF
    words = (halves[..., 0] | halves[..., 1] << 16).transpose(0, 2, 3, 1).reshape(outputs // 2, -1)
    bias = 4 * input_bias(params).astype(np.int64)
    factors = np.concatenate([bias[:, None], requantization.factors], axis=1).reshape(outputs // 2, -1)
    stream = np.concatenate([words, factors], axis=1)
    return np.ascontiguousarray(stream & 0xFFFFFFFF).astype(np.uint32).reshape(-1)


def _params_text(params: Conv2D, prefix: str, functions: list[str]) -> str:
    w = params.window
    difference, total, products, outputs = functions
    return params_struct(
        "te_conv_winograd_params",
        f"{prefix}_params",
        {
            "rows_difference": difference,
            "rows_sum": total,
            "products": products,
            "outputs": outputs,
            "weights": f"{prefix}_weights",
            "pair_words": _pair_words(params),
            "factor_words": FACTOR_WORDS,
            "input_rows": w.input_h,
            "row_bytes": w.input_w * params.input_channels,
            "channels": params.input_channels,
            "output_rows": w.output_h,
            "output_columns": w.output_w,
            "output_channels": params.output_channels,
            "ring_pitch": _ring_pitch(params),
            "pad_top": w.pad_top,
            "pad_left": w.pad_left,
            "input_zero_point": params.input_zero_point,
            "output_zero_point": params.output_zero_point,
        },
    )


KERNELS: tuple[Kernel, ...] = (Conv2DWinograd(),)

"""What depthwise kernels compute offline: whether a layer suits them, biases, weights in pairs, short scales.

Requantization takes 2 instructions and the store where a ReLU is fused and the zero point is -128 (`can_fold`): then
negative sums end at -128 in any case, and TensorFlow Lite Micro's two roundings collapse to the floor
(acc * m + 2**30 + 2**(30 + e)) / 2**(31 + e). With sums scaled by 2**k, which goes into weights and bias, that is
SMMLA t, acc, m, c and SSAT #8, t, ASR #f, where f = k + e - 1; k is chosen per channel so that f is the same for all.
Other layers take `asm.requantize`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv7em import rounding
from tinyedge.kernels.armv7em.depthwise_planes import LAYER, Axes, axes_words
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.filters import folded_bias
from tinyedge.ops.contract import Layer
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D

Int64Array = npt.NDArray[np.int64]

Scaled = tuple[Int64Array, int, list[int]]
"""weights, bias and the words of the scales of a channel"""
FRACTION = 11
"""f of folded requantization, one for all layers, so that they can share code: exponents e from 4 to 10"""
MOST_FOLD = 8
"""bits by which int8 weights can be scaled within int16"""


def fits_planes(layer: Layer, core: Core, *, transposed: bool) -> str:
    """What any kernel over planes or quads asks of a layer and a core."""
    p: DepthwiseConv2D = layer.params
    w = p.window
    if not core.fpu:
        return f"`{core.name}` has no floating point registers to keep constants in"
    rows = (w.input_h, w.output_h, w.kernel_h, w.stride_h, w.pad_top)
    if transposed and rows == (w.input_w, w.output_w, w.kernel_w, w.stride_w, w.pad_left):
        return "all is square: there is nothing to gain by going through columns"
    if p.depth_multiplier != 1:
        return f"the depth multiplier is {p.depth_multiplier}, the kernel takes 1"
    if p.input_channels < 4:
        return f"there are {p.input_channels} channels, the kernel takes at least 4"
    if (w.dilation_h, w.dilation_w) != (1, 1):
        return "the window is dilated"
    return checks.one_image(layer, w.input_h * w.input_w * p.input_channels)


def channel_bias(p: DepthwiseConv2D) -> Int64Array:
    """Biases with the input's zero point folded in: the border of the planes counts as input."""
    return folded_bias(p.bias, p.weights.transpose(2, 0, 1), p.input_zero_point).astype(np.int64)


def _largest_sums(p: DepthwiseConv2D) -> Int64Array:
    """A bound of |sum| for each channel, over all inputs."""
    magnitude = np.abs(p.weights.astype(np.int64)).sum(axis=(0, 1))
    bound: Int64Array = np.abs(channel_bias(p)) + 128 * magnitude
    return bound


def can_fold(p: DepthwiseConv2D) -> bool:
    """Whether the short requantization is exact: every channel can be scaled as it needs."""
    if (p.output_zero_point, p.activation_min) != (-128, -128):
        return False
    used = p.multiplier != 0
    bits = FRACTION + 1 + p.shift[used].astype(np.int64)  # as `fold_bits`
    in_range = (bits >= 2) & (bits <= MOST_FOLD)
    sums = _largest_sums(p)[used] << np.clip(bits, 0, MOST_FOLD)
    return bool(in_range.all() and (sums < 1 << 31).all())


def fold_bits(shift: int) -> int:
    """k: the bits by which sums are scaled for a shift (-e)."""
    return FRACTION + 1 + shift


def short_scales(multiplier: int, shift: int) -> tuple[int, int]:
    """The factor m and the addend c of the short requantization."""
    return multiplier, (1 << (fold_bits(shift) - 2)) + (1 << (FRACTION - 1)) - (128 << FRACTION)


def scaled_channel(p: DepthwiseConv2D, channel: int, taps: Int64Array, bias: int, *, folded: bool) -> Scaled:
    """What the code of a layer multiplies one channel by, starts its sums at, and rescales them with.

    taps  weights of the channel, in any order
    """
    multiplier, shift = int(p.multiplier[channel]), int(p.shift[channel])
    if multiplier == 0:
        taps, bias, (multiplier, shift) = np.zeros_like(taps), 0, rounding.NOTHING
        shift = -FRACTION + 1 if folded else shift
    if folded:
        return taps << fold_bits(shift), bias << fold_bits(shift), [*short_scales(multiplier, shift)]
    return taps, bias, [*rounding.scale_words(multiplier, shift), p.output_zero_point]


def header(p: DepthwiseConv2D, axes: Axes) -> list[int]:
    """The words in front of the channels' constants, as `depthwise_planes` lists them."""
    return LAYER.words(**axes_words(axes, p.output_channels, p.input_zero_point))


def pairs_3x3(taps: Int64Array, stride: int) -> list[int]:
    """The weights of one channel as the registers hold them."""
    if stride == 1:
        low, high = taps[:, :2].reshape(-1), taps[:, 1:].reshape(-1)  # (w0, w1), (w1, w2) of each row
    else:
        low = np.array([*taps[:, 0], taps[0, 2], taps[2, 2]])
        high = np.array([*taps[:, 1], taps[1, 2], 0])
    return [int(word) for word in rounding.halfwords(low, high)]

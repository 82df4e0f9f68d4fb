"""conv_2d whose weights take 4 or 2 bits in flash and are unpacked in the inner loop.

conv_2d_4x2_int4           loops over taps, as conv_2d_4x2
conv_2d_4x2_int4_compact   one small function for all layers that clamp alike
conv_2d_4x2_int4_unrolled  all taps in a line
conv_2d_4x2_int2           weights from -2 to 1

Any layer whose weights are in range may be stored so, whatever type they had in the model.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tinyedge.kernels.armv7em.conv_4x2 import Conv2D4x2, Conv2D4x2Compact, Conv2D4x2Unrolled, layer_sums
from tinyedge.kernels.armv7em.conv_4x2_layout import Layout, find_layout, groups_of_channels, input_bias, taps_in_order
from tinyedge.kernels.armv7em.conv_4x2_unpack import UNPACKS, WeightForm
from tinyedge.kernels.armv7em.conv_requantize import Requantization
from tinyedge.kernels.armv7em.low_bits import LAST_SUM_LIMIT, mix_int4, mixing_reason, start_int4
from tinyedge.kernels.common import storage
from tinyedge.kernels.contract import Kernel, Storage
from tinyedge.ops.conv_2d import Conv2D

Int64Array = npt.NDArray[np.int64]


def _stored(params: Conv2D, form: WeightForm) -> Storage:
    """Words of weights alone."""
    steps, groups = find_layout(params).steps, len(groups_of_channels(params.output_channels))
    unpack = UNPACKS[form]
    return Storage(form, 4 * groups * (steps // unpack.steps * unpack.words), params.weights.size)


def _stream(starts: Int64Array, words: Int64Array, requantization: Requantization) -> npt.NDArray[np.uint32]:
    """Group by group. Shapes: starts [groups, 4], words [groups, n]."""
    groups = groups_of_channels(len(requantization.factors))
    factors = requantization.factors[groups].reshape(len(groups), -1)
    stream = np.concatenate([starts, words, factors], axis=1)
    return np.ascontiguousarray(stream & 0xFFFFFFFF).astype(np.uint32).reshape(-1)


class _Int4(Conv2D4x2):
    """int8 convolutions without groups, of four or more output channels, with weights of 4 bits."""

    weights = "int4"

    def _weights_reason(self, params: Conv2D) -> str:
        groups = groups_of_channels(params.output_channels)
        rows = params.weights.reshape(params.output_channels, -1)
        if reason := storage.range_reason(rows, 4) or mixing_reason(rows[groups[:, 1]], rows[groups[:, 2]]):
            return reason
        sums, last = layer_sums(params), groups[:, 3]
        largest = int(np.maximum(np.abs(sums.low[last]), np.abs(sums.high[last])).max())
        if largest < LAST_SUM_LIMIT:
            return ""
        return f"sums of a fourth channel reach {largest:,}, they are kept apart up to {LAST_SUM_LIMIT - 1:,}"

    def _pack(self, params: Conv2D, layout: Layout) -> npt.NDArray[np.uint32]:
        groups = groups_of_channels(params.output_channels)
        taps = taps_in_order(params, layout)[groups]  # [groups, 4, steps, 2]
        halves = mix_int4(*(taps[:, channel] for channel in range(4)))
        bias = input_bias(params).astype(np.int64)[groups]
        t1, t2, t3, t4 = start_int4(*(bias[:, channel] for channel in range(4)))
        starts = np.stack([t1, t2, t4, t3], axis=1)
        return _stream(starts, halves[..., 0] | halves[..., 1] << 16, self._requantization(params))

    def _storage(self, params: Conv2D) -> Storage:
        return _stored(params, "int4")


class Conv2D4x2Int4(_Int4):
    """Loops over taps, eight steps a turn."""

    name = "armv7em/conv_2d_4x2_int4"


class Conv2D4x2Int4Compact(_Int4, Conv2D4x2Compact):
    """One small function for all layers that clamp alike."""

    name = "armv7em/conv_2d_4x2_int4_compact"


class Conv2D4x2Int4Unrolled(_Int4, Conv2D4x2Unrolled):
    """All taps in a line; layers with equally many of them share a function."""

    name = "armv7em/conv_2d_4x2_int4_unrolled"


class Conv2D4x2Int2(Conv2D4x2):
    """Weights from -2 to 1, four taps of four channels to a word."""

    name = "armv7em/conv_2d_4x2_int2"
    weights = "int2"

    def _weights_reason(self, params: Conv2D) -> str:
        return storage.range_reason(params.weights, 2)

    def _pack(self, params: Conv2D, layout: Layout) -> npt.NDArray[np.uint32]:
        groups = groups_of_channels(params.output_channels)
        taps = taps_in_order(params, layout)[groups]  # [groups, 4, steps, 2]
        a, b, c, d = (taps[:, channel] for channel in range(4))
        byte = (a + 2 + 4 * (b + 2) + 16 * (c + 2) + 64 * d) & 0xFF
        halves = byte[:, 0::2] | byte[:, 1::2] << 8
        bias = input_bias(params).astype(np.int64)[groups]
        a, b, c, d = (bias[:, channel] for channel in range(4))
        starts = np.stack([4 * b, a, a + 4 * b + 16 * c + 64 * d, 16 * c], axis=1)
        return _stream(starts, halves[..., 0] | halves[..., 1] << 16, self._requantization(params))

    def _storage(self, params: Conv2D) -> Storage:
        return _stored(params, "int2")


KERNELS: tuple[Kernel, ...] = (Conv2D4x2Int4(), Conv2D4x2Int4Compact(), Conv2D4x2Int4Unrolled(), Conv2D4x2Int2())

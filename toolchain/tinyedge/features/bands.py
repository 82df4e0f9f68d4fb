"""The energy of an axis in bands of frequency, as logarithms: what the kinds `spectrum` and `imu` share."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinyedge.arithmetic.fft import LENGTHS, rfft_s32
from tinyedge.arithmetic.filter_bank import log2_q16
from tinyedge.arithmetic.whole_roots import rounded_quotient
from tinyedge.features.contract import Array
from tinyedge.features.spectra import fft_s32_constants
from tinyedge.kernels.common.c_text import Value
from tinyedge.kernels.contract import Constant

Shape = Literal["hann", "rectangular"]
_WEIGHT_BITS = 15
_GAINED_BITS, _LOST_BITS = 3, 4
LOG2_BITS = 8
MOST_INSTANTS = 2048
DB_PER_STEP = 10 * np.log10(2) / (1 << LOG2_BITS)
"""decibels of energy that a value counts"""


@dataclass(frozen=True)
class FrequencyBands:
    """Bands of the spectrum of windows of samples.

    window  samples of a window; the transform is of the next power of two
    edges   in bins, one more than there are bands
    """

    window: int
    axes: int
    edges: tuple[int, ...]
    shape: Shape
    removes_mean: bool = True

    @property
    def size(self) -> int:
        """N of the transform."""
        return fft_size(self.window)

    @property
    def count(self) -> int:
        return len(self.edges) - 1

    @property
    def scratch_bytes(self) -> int:
        return 4 * (self.window + self.size + 2)

    @property
    def offset(self) -> int:
        """What the logarithm of the energy of a count is: the transform divides by its length."""
        gained = _WEIGHT_BITS + _GAINED_BITS - _LOST_BITS
        return 2 * (gained - (self.size.bit_length() - 1)) << LOG2_BITS

    def weights(self) -> Array:
        """Of the samples, Q1.15. Shape: uint16 [window]."""
        if self.shape == "rectangular":
            return np.full(self.window, 1 << _WEIGHT_BITS, np.uint16)
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window) / self.window)
        found: Array = np.rint(hann * (1 << _WEIGHT_BITS)).astype(np.uint16)
        return found

    def reference(self, windows: Array) -> Array:
        """log2 of the energy in steps of 1 / 256. Shape: int16 [rows, window] of one axis -> int16 [rows, count]."""
        x = windows.astype(np.int64) << _GAINED_BITS
        if self.removes_mean:
            x = x - rounded_quotient(x.sum(axis=-1, keepdims=True), self.window)
        data = (x * self.weights().astype(np.int64) + (1 << (_LOST_BITS - 1))) >> _LOST_BITS
        bins = rfft_s32(data.astype(np.int32), self.size).astype(np.int64)
        power = (bins[:, 0::2] ** 2 + bins[:, 1::2] ** 2).astype(np.uint64)
        sums = [power[:, low:high].sum(axis=1) for low, high in itertools.pairwise(self.edges)]
        values = (log2_q16(np.stack(sums, axis=1)) >> (16 - LOG2_BITS)) - self.offset
        found: Array = np.maximum(values, 0).astype(np.int16)
        return found

    def float_values(self, windows: Array) -> Array:
        """The same in float64: log2 of max(sum of |bin|^2, 1), times 256."""
        x = windows.astype(np.float64)
        if self.removes_mean:
            x = x - x.mean(axis=-1, keepdims=True)
        weights = np.ones(self.window)
        if self.shape == "hann":
            weights = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window) / self.window)
        power = np.abs(np.fft.rfft(x * weights, self.size)) ** 2
        bands = [power[:, low:high].sum(axis=1) for low, high in itertools.pairwise(self.edges)]
        found: Array = np.log2(np.maximum(np.stack(bands, axis=1), 1.0)) * (1 << LOG2_BITS)
        return found

    def constants(self, prefix: str) -> tuple[Constant, ...]:
        """The tables that `members` names."""
        return (
            *fft_s32_constants(prefix, self.size)[0],
            Constant(f"{prefix}_weights", "uint16_t", self.weights(), comment="of the window, Q1.15"),
            Constant(f"{prefix}_edges", "uint16_t", np.array(self.edges, np.uint16), comment="bins where bands begin"),
        )

    def members(self, prefix: str) -> dict[str, Value]:
        """Of a te_bands_params."""
        return {
            "fft": {
                "points": self.size // 2,
                "twiddles": f"{prefix}_twiddles",
                "real_twiddles": f"{prefix}_real_twiddles",
                "order": f"{prefix}_order",
            },
            "window": self.window,
            "axes": self.axes,
            "removes_mean": int(self.removes_mean),
            "weights": f"{prefix}_weights",
            "count": self.count,
            "edges": f"{prefix}_edges",
            "offset": self.offset,
        }


RUNTIME = ("te_bands", "te_rfft_s32", "te_log2", "te_normalize", "te_integer_sqrt")
"""what the C of both kinds calls"""


def fft_size(window: int) -> int:
    """The power of two that a window is filled up to."""
    return max(LENGTHS[0], 1 << (window - 1).bit_length())


def check_window(window: int) -> None:
    """Raises: ValueError for a window that cannot be transformed."""
    if not 2 <= window <= MOST_INSTANTS:
        raise ValueError(f"`window` is {window:,} instants; a spectrum is of 2 to {MOST_INSTANTS:,}")


def edges_of(limits_hz: tuple[float, ...], rate_hz: int, window: int) -> tuple[int, ...]:
    """The bins where bands between these frequencies begin. Raises: ValueError when a band would be empty."""
    size = fft_size(window)
    if not limits_hz[0] >= 0 or not limits_hz[-1] <= rate_hz / 2:
        raise ValueError(
            f"the bands lie between {limits_hz[0]:g} and {limits_hz[-1]:g} Hz; {rate_hz:,} Hz tell frequencies "
            f"from 0 to {rate_hz / 2:g} Hz"
        )
    edges = tuple(min(round(limit * size / rate_hz), size // 2) for limit in limits_hz)
    for low, high, limit in zip(edges, edges[1:], limits_hz, strict=False):
        if low >= high:
            raise ValueError(
                f"the band from {limit:g} Hz on is narrower than a bin of {rate_hz / size:.3g} Hz: fewer bands, or a "
                "longer window"
            )
    return edges

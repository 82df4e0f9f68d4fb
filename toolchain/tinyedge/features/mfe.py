"""mfe: mel filter-bank energies in decibels, rounded to 8 bits, as Edge Impulse defines them.

Pre-emphasis over the whole signal, frames without a window, |FFT|^2 / length, mel triangles between whole bins,
10 log10, (v - noise floor) / (12 - noise floor) limited to [0, 1], times 256 rounded, at most 255. Edge Impulse takes
the last sample of a clip as the one before its first; a stream has no last sample, and here it is 0.

Source: Edge Impulse processing blocks, MFE, implementation version 3 and 4
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from tinyedge.arithmetic.fft import LENGTHS, rfft_s32
from tinyedge.arithmetic.filter_bank import Bands, log2_q16, sum_bands
from tinyedge.features.contract import Array, FeatureCode
from tinyedge.features.sound import SoundFeatures, check_band, check_times
from tinyedge.features.spectra import WEIGHT_BITS, fft_s32_constants, triangles
from tinyedge.kernels.common.c_text import Value, c_int, params_struct
from tinyedge.kernels.portable.signal_filter_bank import bands_constants
from tinyedge.tables import require_range

_SAMPLE_BITS = 28
"""fraction bits of a sample"""
_EMPHASIS_BITS = 13
_POWER_SHIFT = 16
"""of squares, to the right, before they are weighed"""
_LEVELS = 256
_TOP_DB = 12.0
_LEVEL_BITS = 16


@dataclass(frozen=True)
class Mfe(SoundFeatures):
    """Parameters. Of a window longer than `fft_length` only the first samples count, as in Edge Impulse."""

    kind: ClassVar[str] = "mfe"

    rate_hz: int = 16_000
    """samples a second"""
    window_ms: float = 20
    """of sound that a row is computed of"""
    stride_ms: float = 10
    """from one row to the next, at most the window"""
    channels: int = 40
    """bands of frequencies, the values of a row"""
    fft_length: int = 256
    """samples that are transformed"""
    low_hz: float = 0
    """where the lowest band begins"""
    high_hz: float = 8000
    """where the highest band ends, at most half of the rate"""
    noise_floor_db: float = -52
    """what is softer counts as silence"""
    pre_emphasis: float = 0.98
    """share of the sample before that is taken away from each"""

    def __post_init__(self) -> None:
        check_times(self.window_ms, self.stride_ms, self.rate_hz)
        check_band(self.low_hz, self.high_hz, self.rate_hz)
        require_range("channels", self.channels, 1, 128)
        require_range("noise_floor_db", self.noise_floor_db, -90, 0)
        require_range("pre_emphasis", self.pre_emphasis, 0, 1)
        if self.fft_length not in LENGTHS:
            raise ValueError(
                f"`fft_length` is {self.fft_length}; it must be a power of two from {LENGTHS[0]} to {LENGTHS[-1]:,}"
            )

    @property
    def unit(self) -> float:
        return 1 / _LEVELS

    @property
    def counted(self) -> int:
        """Samples of a window that are transformed."""
        return min(self.window, self.fft_length)

    @property
    def emphasis(self) -> int:
        """The share of the sample before, in Q13."""
        return round(self.pre_emphasis * (1 << _EMPHASIS_BITS))

    @cached_property
    def bands(self) -> Bands:
        low, high = (1127 * math.log1p(hertz / 700) for hertz in (self.low_hz, self.high_hz))
        hertz = 700 * np.expm1(np.linspace(low, high, self.channels + 2) / 1127)
        hertz[-1] = min(hertz[-1], self.rate_hz / 2)
        edges = np.floor((self.fft_length + 1) * hertz / self.rate_hz).astype(int)
        bins = np.arange(self.fft_length // 2 + 1).astype(float)
        return triangles(bins, edges.tolist(), lambda place, low, high: low <= place < high)

    @property
    def sum_bits(self) -> int:
        """Fraction bits of the sum of a band: of |FFT|^2 / length."""
        length = self.fft_length.bit_length() - 1
        return 2 * (_SAMPLE_BITS - length) - _POWER_SHIFT + WEIGHT_BITS + length

    @property
    def level_scale(self) -> int:
        """Levels of one octave of power, in Q16."""
        db = 10 * math.log10(2)
        return round(db * _LEVELS / (_TOP_DB - self.noise_floor_db) * (1 << _LEVEL_BITS))

    @property
    def log_offset(self) -> int:
        """log2 in Q16 of a sum that is level 0."""
        return round((self.sum_bits + self.noise_floor_db / (10 * math.log10(2))) * (1 << 16))

    def reference(self, samples: Array) -> Array:
        signal = samples[:, 0].astype(np.int64)
        before = np.concatenate([[0], signal[:-1]])
        emphasized = (signal << _EMPHASIS_BITS) - before * self.emphasis
        starts = self.stride * np.arange(self.rows(len(samples)))[:, None]
        frames = emphasized[starts + np.arange(self.counted)]
        bins = rfft_s32(frames.astype(np.int32), self.fft_length).astype(np.int64)
        pairs = bins.reshape(len(bins), -1, 2)
        powers = (pairs**2).sum(axis=-1).astype(np.uint64) >> np.uint64(_POWER_SHIFT)
        octaves = log2_q16(sum_bands(powers, self.bands)) - self.log_offset
        levels = (octaves * self.level_scale + (1 << 31)) >> 32
        values: Array = np.clip(levels, 0, _LEVELS - 1).astype(np.int16)
        return values

    def emit(self, prefix: str) -> FeatureCode:
        bands = self.bands
        tables, fft = fft_s32_constants(prefix, self.fft_length)
        band_tables, band_struct = bands_constants(prefix, bands)
        members: dict[str, Value] = {
            "size": self.counted,
            "stride": self.stride,
            "emphasis": self.emphasis,
            "fft": f"&{prefix}_fft",
            "bands": f"&{prefix}_bands",
            "log_offset": c_int(self.log_offset),
            "level_scale": self.level_scale,
        }
        params = params_struct("te_mfe_params", f"{prefix}_params", members)
        return FeatureCode(
            function="te_mfe",
            params_name=f"{prefix}_params",
            params="\n".join((fft, band_struct, params)),
            constants=(*tables, *band_tables),
            state_bytes=2,
            scratch_bytes=-(-4 * self.counted // 8) * 8 + 4 * self.fft_length + 8,
            runtime=("te_rfft_s32", "te_log2"),
        )


KIND = Mfe

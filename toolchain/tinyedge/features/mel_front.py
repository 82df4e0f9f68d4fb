"""What the two integer log-mel front ends share: window, FFT, mel bands, roots, noise, gain, logarithm."""

from __future__ import annotations

import abc
import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinyedge.arithmetic.fft import LENGTHS, rfft_s16
from tinyedge.arithmetic.filter_bank import (
    SNR_BITS,
    Bands,
    Subtraction,
    control_gain,
    energies,
    logarithms,
    square_roots,
    subtract_noise,
    sum_bands,
)
from tinyedge.features import mel_bands
from tinyedge.features.contract import Array, FeatureCode
from tinyedge.features.mel_bands import GAIN_BITS, WEIGHT_BITS
from tinyedge.features.sound import SoundFeatures, check_band, check_times
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.contract import Constant
from tinyedge.kernels.portable.signal_filter_bank import bands_constants, subtraction_struct
from tinyedge.kernels.portable.signal_spectrum import fft_constants
from tinyedge.tables import require_range

SHARE_BITS = 14
SMOOTHING_BITS = 10
_RUNTIME = (
    "te_rfft_s16",
    "te_log_u32",
    "te_log2",
    "te_signal_window",
    "te_signal_fft_auto_scale",
    "te_signal_energy",
    "te_signal_filter_bank",
    "te_signal_filter_bank_square_root",
    "te_signal_filter_bank_spectral_subtraction",
    "te_signal_pcan",
)
_LEGACY_SCALE = 0.4
"""networks are trained on ln of the channel divided by it"""


def fft_length(window: int) -> int:
    """The shortest transform that a window fits in."""
    return next(length for length in LENGTHS if length >= window)


@dataclass(frozen=True)
class MelFront(SoundFeatures):
    """The parameters of both. Smoothing is of the estimate of the noise, in even and odd channels."""

    rate_hz: int = 16_000
    """samples a second"""
    window_ms: float = 30
    """of sound that a row is computed of"""
    stride_ms: float = 20
    """from one row to the next, at most the window"""
    channels: int = 40
    """bands of frequencies, the values of a row"""
    low_hz: float = 125
    """where the lowest band begins"""
    high_hz: float = 7500
    """where the highest band ends, at most half of the rate"""
    noise_reduction: bool = True
    """takes away an estimate of the noise in each band"""
    even_smoothing: float = 0.025
    """share of the newest row in that estimate, in even bands"""
    odd_smoothing: float = 0.06
    """the same, in odd bands"""
    min_signal_remaining: float = 0.05
    """share of a band that the reduction leaves at least"""
    pcan: bool = True
    """evens out loudness: a gain for each band by the estimate of its noise"""
    pcan_strength: float = 0.95
    """power of the estimate that a band is divided by"""
    pcan_offset: float = 80
    """added to the estimate before"""
    log_scale: int = 64
    """steps of a value in one unit of the natural logarithm"""

    ignores_lowest: ClassVar[bool] = False
    """whether -32768 does not count where samples are shifted left, which it then may leave"""

    def __post_init__(self) -> None:
        check_times(self.window_ms, self.stride_ms, self.rate_hz)
        check_band(self.low_hz, self.high_hz, self.rate_hz)
        require_range("channels", self.channels, 1, 128)
        require_range("log_scale", self.log_scale, 1, 1400)
        for name in ("even_smoothing", "odd_smoothing", "min_signal_remaining"):
            require_range(name, getattr(self, name), 0, 1)
        require_range("pcan_strength", self.pcan_strength, 0, 2)
        require_range("pcan_offset", self.pcan_offset, 1e-3, 1e9)
        if self.pcan and not self.noise_reduction:
            raise ValueError("`pcan` needs the estimate of `noise_reduction`, which is off")
        if not self.bands.weights.size:
            raise ValueError(
                f"no bin of a transform of {self.length} samples lies between `low_hz`, {self.low_hz:g}, and "
                f"`high_hz`, {self.high_hz:g}"
            )

    @property
    def unit(self) -> float:
        return 1 / (_LEGACY_SCALE * self.log_scale)

    @property
    def length(self) -> int:
        """Of the transform."""
        return fft_length(self.window)

    @property
    def correction_bits(self) -> int:
        """By which channels are too small: those of the transform, without those of the bands' roots."""
        return int(math.log2(self.length)) - WEIGHT_BITS // 2

    @property
    @abc.abstractmethod
    def weights(self) -> Array:
        """Of the window, int16 in Q12."""

    @property
    @abc.abstractmethod
    def bands(self) -> Bands: ...

    @property
    def subtraction(self) -> Subtraction:
        even, odd, least = (
            int(share * (1 << SHARE_BITS))
            for share in (self.even_smoothing, self.odd_smoothing, self.min_signal_remaining)
        )
        whole = 1 << SHARE_BITS
        return Subtraction(even, whole - even, odd, whole - odd, least, SMOOTHING_BITS, SHARE_BITS)

    @property
    def gains(self) -> Array:
        return mel_bands.gain_table(self.pcan_strength, self.pcan_offset, SMOOTHING_BITS - self.correction_bits)

    @property
    def snr_shift(self) -> int:
        return GAIN_BITS - self.correction_bits - SNR_BITS

    # -- reference -------------------------------------------------------------------------------------------------

    def reference(self, samples: Array) -> Array:
        count = self.rows(len(samples))
        starts = self.stride * np.arange(count)[:, None]
        windows = samples[:, 0].astype(np.int64)[starts + np.arange(self.window)]
        windowed = ((windows * self.weights) >> WEIGHT_BITS).astype(np.int16)
        bits = np.array([self.scale_bits(row) for row in windowed], np.int64).reshape(-1, 1)
        scaled = (windowed.astype(np.int64) << bits).astype(np.int16)
        sums = sum_bands(energies(rfft_s16(scaled, self.length)), self.bands)
        channels = square_roots(sums) >> bits.astype(np.uint32)
        values = np.zeros((count, self.channels), np.int16)
        noise = np.zeros(self.channels, np.uint32)
        for row, signal in enumerate(channels):
            left = signal
            if self.noise_reduction:
                left, noise = subtract_noise(signal, noise, self.subtraction)
            if self.pcan:
                left = control_gain(left, noise, self.gains, self.snr_shift)
            values[row] = self.finished(logarithms(left, self.correction_bits, self.log_scale, 32767))
        return values

    @abc.abstractmethod
    def scale_bits(self, windowed: Array) -> int:
        """By how many bits the samples of a window are shifted left."""

    def finished(self, logarithms: Array) -> Array:
        """What becomes of the logarithms in the end."""
        return logarithms

    # -- C ---------------------------------------------------------------------------------------------------------

    @property
    def levels(self) -> int:
        """What 256 levels stand for that logarithms become in the end; 0: they stay."""
        return 0

    def emit(self, prefix: str) -> FeatureCode:
        bands = self.bands
        tables, fft = fft_constants(prefix, self.length)
        band_tables, band_struct = bands_constants(prefix, bands)
        window = Constant(f"{prefix}_window", "int16_t", self.weights, 4, "window in Q12")
        constants = [*tables, *band_tables, window]
        structs = [fft, band_struct]
        members: dict[str, Value] = {
            "window": {"windows": 1, "size": self.window, "shift": WEIGHT_BITS, "weights": f"{prefix}_window"},
            "fft": f"&{prefix}_fft",
            "bands": f"&{prefix}_bands",
            "first_bin": int(bands.starts[0]),
            "end_bin": int(bands.starts[0]) + len(bands.weights),
            "correction_bits": self.correction_bits,
            "log_scale": self.log_scale,
            "levels": self.levels,
            "ignores_lowest": int(self.ignores_lowest),
        }
        if self.noise_reduction:
            structs.append(subtraction_struct(f"{prefix}_noise", self.channels, self.subtraction))
            members["noise"] = f"&{prefix}_noise"
        if self.pcan:
            constants.append(Constant(f"{prefix}_gains", "int16_t", self.gains, 4, "gains"))
            members |= {"gains": f"{prefix}_gains", "snr_shift": self.snr_shift}
        structs.append(params_struct("te_log_mel_params", f"{prefix}_params", members))
        return FeatureCode(
            function="te_log_mel",
            params_name=f"{prefix}_params",
            params="\n".join(structs),
            constants=tuple(constants),
            state_bytes=4 * self.channels if self.noise_reduction else 0,
            scratch_bytes=self.samples_bytes + self.bins_bytes,
            runtime=_RUNTIME,
        )

    @property
    def samples_bytes(self) -> int:
        """Of scratch for samples, then energies, then channels."""
        return _aligned(max(2 * self.window, 2 * self.length + 4, 4 * self.channels))

    @property
    def bins_bytes(self) -> int:
        """Of scratch for bins, then sums of bands."""
        return _aligned(max(2 * self.length + 4, 8 * self.channels))


def _aligned(count: int) -> int:
    return -(-count // 8) * 8

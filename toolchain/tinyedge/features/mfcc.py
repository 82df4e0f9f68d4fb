"""mfcc: mel-frequency cepstral coefficients, as MLPerf Tiny's keyword task defines them in float32, in integers.

Periodic Hann window, magnitudes of an FFT of the next power of two, mel triangles, ln(x + 1e-6), DCT-II scaled by
1 / sqrt(2 bands), the first coefficients. Samples are int16 / 32768.

Source: mlcommons/tiny, keyword spotting; tf.signal.stft, linear_to_mel_weight_matrix, mfccs_from_log_mel_spectrograms
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.fft import rfft_s32
from tinyedge.arithmetic.filter_bank import Bands, bit_length, log2_q16, square_roots, sum_bands
from tinyedge.features.contract import Array, FeatureCode
from tinyedge.features.mel_front import fft_length
from tinyedge.features.sound import SoundFeatures, check_band, check_times
from tinyedge.features.spectra import WEIGHT_BITS, fft_s32_constants, triangles
from tinyedge.kernels.common.c_text import Value, c_int, params_struct
from tinyedge.kernels.contract import Constant
from tinyedge.kernels.portable.signal_filter_bank import bands_constants
from tinyedge.tables import require_range

_SAMPLE_BITS = 30
"""fraction bits of a sample in its window"""
_WINDOW_BITS = 31
_UNIT_BITS = 7
"""fraction bits of coefficients"""
_COSINE_BITS = 20
_SMALLEST = 1e-6
"""what is added before the logarithm"""


@dataclass(frozen=True)
class Mfcc(SoundFeatures):
    """Parameters."""

    kind: ClassVar[str] = "mfcc"

    rate_hz: int = 16_000
    """samples a second"""
    window_ms: float = 30
    """of sound that a row is computed of"""
    stride_ms: float = 20
    """from one row to the next, at most the window"""
    bands: int = 40
    """of frequencies, evenly on the mel scale"""
    coefficients: int = 10
    """of the cosine transform that are kept, the values of a row"""
    low_hz: float = 20
    """where the lowest band begins"""
    high_hz: float = 4000
    """where the highest band ends, at most half of the rate"""

    def __post_init__(self) -> None:
        check_times(self.window_ms, self.stride_ms, self.rate_hz)
        check_band(self.low_hz, self.high_hz, self.rate_hz)
        require_range("bands", self.bands, 2, 128)
        require_range("coefficients", self.coefficients, 1, self.bands)

    @property
    def channels(self) -> int:
        return self.coefficients

    @property
    def unit(self) -> float:
        return 2.0**-_UNIT_BITS

    @property
    def length(self) -> int:
        """Of the transform."""
        return fft_length(self.window)

    @property
    def weights(self) -> npt.NDArray[np.int32]:
        """Of the window, in Q31."""
        angles = np.arange(self.window) * (2 * np.pi / self.window)
        one = (1 << _WINDOW_BITS) - 1
        weights: npt.NDArray[np.int32] = np.floor((0.5 - 0.5 * np.cos(angles)) * one + 0.5).astype(np.int32)
        return weights

    @cached_property
    def mel_bands(self) -> Bands:
        """Bin 0 is in no band."""
        places = _mel(np.arange(self.length // 2 + 1) * (self.rate_hz / self.length))
        places[0] = -1
        low, high = (float(_mel(np.array(hertz))) for hertz in (self.low_hz, self.high_hz))
        edges = np.linspace(low, high, self.bands + 2).tolist()
        return triangles(places, edges, lambda place, low, high: low <= place < high and place >= 0)

    @property
    def sum_bits(self) -> int:
        """Fraction bits of the sum of a band."""
        return _SAMPLE_BITS - (self.length.bit_length() - 1) + WEIGHT_BITS

    @property
    def smallest(self) -> int:
        """What is added to a sum."""
        return max(round(_SMALLEST * (1 << self.sum_bits)), 1)

    @property
    def cosines(self) -> npt.NDArray[np.int32]:
        """What coefficients are made of log2 in Q16 with: the DCT, its scale and ln 2, in Q20.

        Shape:  [coefficients, bands]
        """
        angles = np.pi / self.bands * (np.arange(self.bands) + 0.5) * np.arange(self.coefficients)[:, None]
        scale = 2 / math.sqrt(2 * self.bands) * math.log(2)
        cosines: npt.NDArray[np.int32] = np.floor(np.cos(angles) * scale * (1 << _COSINE_BITS) + 0.5).astype(np.int32)
        return cosines

    @property
    def shift(self) -> int:
        """From sums of products to values."""
        return 16 + _COSINE_BITS - _UNIT_BITS

    def reference(self, samples: Array) -> Array:
        starts = self.stride * np.arange(self.rows(len(samples)))[:, None]
        windows = samples[:, 0].astype(np.int64)[starts + np.arange(self.window)]
        used = np.bitwise_or.reduce(windows ^ (windows >> 15), axis=1)
        free = (15 - bit_length(used)).reshape(-1, 1)  # bits by which the samples of a window can be shifted left
        windowed = ((windows << free) * self.weights) >> (15 + _WINDOW_BITS - _SAMPLE_BITS)
        bins = rfft_s32(windowed.astype(np.int32), self.length).astype(np.int64)
        pairs = bins.reshape(len(bins), -1, 2)
        magnitudes = square_roots((pairs**2).sum(axis=-1).astype(np.uint64))
        smallest = np.uint64(self.smallest) << free.astype(np.uint64)
        logarithms = log2_q16(sum_bands(magnitudes, self.mel_bands) + smallest) - ((self.sum_bits + free) << 16)
        sums = logarithms @ self.cosines.astype(np.int64).T
        values: Array = np.clip((sums + (1 << (self.shift - 1))) >> self.shift, -32768, 32767).astype(np.int16)
        return values

    def emit(self, prefix: str) -> FeatureCode:
        bands = self.mel_bands
        tables, fft = fft_s32_constants(prefix, self.length)
        band_tables, band_struct = bands_constants(prefix, bands)
        constants = (
            *tables,
            *band_tables,
            Constant(f"{prefix}_window", "int32_t", self.weights, 4, "window in Q31"),
            Constant(f"{prefix}_cosines", "int32_t", self.cosines.reshape(-1), 4, "DCT of log2, in Q20"),
        )
        used = [int(at) for at, width in zip(bands.starts, bands.widths, strict=True) if width]
        members: dict[str, Value] = {
            "size": self.window,
            "window": f"{prefix}_window",
            "fft": f"&{prefix}_fft",
            "bands": f"&{prefix}_bands",
            "first_bin": min(used, default=0),
            "end_bin": min(used, default=0) + len(bands.weights),
            "smallest": f"UINT64_C({self.smallest})",
            "log_offset": c_int(self.sum_bits << 16),
            "cosines": f"{prefix}_cosines",
            "coefficients": self.coefficients,
            "shift": self.shift,
        }
        params = params_struct("te_mfcc_params", f"{prefix}_params", members)
        return FeatureCode(
            function="te_mfcc",
            params_name=f"{prefix}_params",
            params="\n".join((fft, band_struct, params)),
            constants=constants,
            scratch_bytes=self.samples_bytes + self.bins_bytes,
            runtime=("te_rfft_s32", "te_log2", "te_signal_filter_bank", "te_signal_filter_bank_square_root"),
        )

    @property
    def samples_bytes(self) -> int:
        """Of scratch for samples, then sums of bands."""
        return -(-max(4 * self.window, 8 * self.bands) // 8) * 8

    @property
    def bins_bytes(self) -> int:
        """Of scratch for bins, then magnitudes, then logarithms."""
        return 4 * self.length + 8


def _mel(hertz: Array) -> Array:
    return 1127 * np.log1p(hertz / 700)


KIND = Mfcc

"""Vibration: the energy of each axis in bands of frequency, in decibels."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tinyedge.features.bands import DB_PER_STEP, RUNTIME, FrequencyBands, Shape, check_window, edges_of, fft_size
from tinyedge.features.contract import Array, FeatureCode, Features
from tinyedge.features.normalize import Normalization
from tinyedge.features.windows import check_stride, cut_windows
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.tables import require_range


@dataclass(frozen=True)
class Spectrum(Features):
    """Parameters of the kind `spectrum`. A value is 10 log10 of the sum of |bin|^2 in counts, at least 0 dB."""

    kind = "spectrum"

    rate_hz: int = 0
    """samples of each axis in a second"""
    axes: int = 1
    """samples of an instant"""
    window: int = 256
    """instants that a row is computed of; the transform is of the next power of two"""
    stride: int = 128
    """instants from one window to the next"""
    bands: int = 16
    """bands of frequency of each axis"""
    low_hz: float = 0.0
    """where the first band begins; 0: at the first bin above the mean"""
    high_hz: float = 0.0
    """where the last band ends; 0: at half the rate"""
    spacing: Literal["linear", "log"] = "linear"
    """whether bands are equally wide, or each so many times as wide as the one before"""
    shape: Shape = "hann"
    """what a window is multiplied by"""
    remove_mean: bool = True
    """whether the mean of each window is subtracted first"""
    counts: float = 1.0
    """counts of the sensor for a unit of the recordings, e.g. 16384 for g of a sensor of 2 g"""
    mean: tuple[float, ...] = ()
    """of each value over the training data, in dB; empty: values stay decibels"""
    deviation: tuple[float, ...] = ()
    """of each value over the training data, in dB"""

    def __post_init__(self) -> None:
        require_range("rate_hz", self.rate_hz, 1, 1_000_000)
        require_range("axes", self.axes, 1, 32)
        require_range("bands", self.bands, 1, 512)
        require_range("counts", self.counts, 1e-6, 1e9)
        check_window(self.window)
        check_stride(self.window, self.stride)
        self._normalization.check(self.channels)
        assert self._bands.count == self.bands

    @property
    def channels(self) -> int:
        return self.axes * self.bands

    @property
    def unit(self) -> float:
        return self._normalization.result_unit

    @functools.cached_property
    def _bands(self) -> FrequencyBands:
        low = self.low_hz or self.rate_hz / fft_size(self.window)
        high = self.high_hz or self.rate_hz / 2
        if not low < high:
            raise ValueError(f"`low_hz` is {low:g} and `high_hz` {high:g}: there is nothing between them")
        space = np.geomspace if self.spacing == "log" else np.linspace
        limits = tuple(float(limit) for limit in space(low, high, self.bands + 1))
        return FrequencyBands(
            self.window, self.axes, edges_of(limits, self.rate_hz, self.window), self.shape, self.remove_mean
        )

    @functools.cached_property
    def _normalization(self) -> Normalization:
        return Normalization(self.mean, self.deviation, DB_PER_STEP)

    def reference(self, samples: Array) -> Array:
        """Shape: int16 [instants, axes] -> int16 [rows, channels]."""
        windows = cut_windows(samples, self.window, self.stride)
        values = [self._bands.reference(windows[:, :, axis]) for axis in range(self.axes)]
        return self._normalization.reference(np.concatenate(values, axis=1))

    def float_values(self, samples: Array) -> Array:
        """The same in float64, in steps of values, without a normalization."""
        windows = cut_windows(samples, self.window, self.stride)
        return np.concatenate([self._bands.float_values(windows[:, :, axis]) for axis in range(self.axes)], axis=1)

    def emit(self, prefix: str) -> FeatureCode:
        bands, normalization = self._bands, self._normalization
        name = f"{prefix}_params"
        members: dict[str, Value] = {"bands": bands.members(prefix)}
        if self.mean:
            members["normalize"] = normalization.members(prefix)
        return FeatureCode(
            function="te_spectrum",
            params_name=name,
            params=params_struct("te_spectrum_params", name, members),
            constants=(*bands.constants(prefix), *normalization.constants(prefix)),
            scratch_bytes=bands.scratch_bytes,
            runtime=RUNTIME,
        )


KIND = Spectrum

"""What the kinds of features of sound share: windows and strides that are told in milliseconds, and bands in Hz."""

from __future__ import annotations

from tinyedge.arithmetic.fft import LENGTHS
from tinyedge.features.contract import Features
from tinyedge.tables import require_range


def _samples(name: str, milliseconds: float, rate_hz: int) -> int:
    """Whole samples of a time. Raises: ValueError when there are none, or they are not whole."""
    samples = milliseconds * rate_hz / 1000
    if samples < 1 or abs(samples - round(samples)) > 1e-6:
        raise ValueError(f"`{name}` is {milliseconds:g}: {samples:g} samples at {rate_hz:,} Hz, not a whole number")
    return round(samples)


def check_times(window_ms: float, stride_ms: float, rate_hz: int) -> None:
    """Raises: ValueError when a window or a stride is none."""
    require_range("rate_hz", rate_hz, 100, 200_000)
    window, stride = _samples("window_ms", window_ms, rate_hz), _samples("stride_ms", stride_ms, rate_hz)
    if not 2 <= window <= LENGTHS[-1]:
        raise ValueError(f"`window_ms` is {window_ms:g}: {window:,} samples; it must be 2 to {LENGTHS[-1]:,}")
    if stride > window:
        raise ValueError(f"`stride_ms` is {stride_ms:g}; it must be at most `window_ms`, {window_ms:g}")


def check_band(low_hz: float, high_hz: float, rate_hz: int) -> None:
    """Raises: ValueError when a band is none, or leaves what the rate can hold."""
    require_range("low_hz", low_hz, 0)
    require_range("high_hz", high_hz, 1, rate_hz / 2)
    if low_hz >= high_hz:
        raise ValueError(f"`low_hz` is {low_hz:g}; it must be below `high_hz`, {high_hz:g}")


class SoundFeatures(Features):
    """Features of one axis, whose tables say `window_ms` and `stride_ms`."""

    window_ms: float
    stride_ms: float

    @property
    def window(self) -> int:
        return _samples("window_ms", self.window_ms, self.rate_hz)

    @property
    def stride(self) -> int:
        return _samples("stride_ms", self.stride_ms, self.rate_hz)

"""microfrontend: the C front end of TensorFlow that microWakeWord and ESPHome use.

It differs from log_mel in the rounding of its tables and where a sample is -32768.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from tinyedge.arithmetic.filter_bank import Bands, bit_length
from tinyedge.features.contract import Array
from tinyedge.features.mel_bands import hann_window_f32, mel_bands, to_nearest
from tinyedge.features.mel_front import MelFront


@dataclass(frozen=True)
class Microfrontend(MelFront):
    """Parameters."""

    kind: ClassVar[str] = "microfrontend"
    ignores_lowest: ClassVar[bool] = True

    stride_ms: float = 10
    """from one window to the next; whole samples"""

    @property
    def weights(self) -> Array:
        return hann_window_f32(self.window)

    @cached_property
    def bands(self) -> Bands:
        bins = self.length // 2 + 1
        first = int(np.float32(1.5) + np.float32(self.low_hz) / np.float32(self.rate_hz / 2 / (bins - 1)))
        return mel_bands(self.rate_hz, bins, self.channels, self.low_hz, self.high_hz, first, to_nearest)

    def scale_bits(self, windowed: Array) -> int:
        """-32768 has no opposite in int16, so it is never the largest."""
        largest = np.abs(windowed.astype(np.int64))
        return 15 - int(bit_length(np.array([largest[largest < 32768].max(initial=0)]))[0])


KIND = Microfrontend

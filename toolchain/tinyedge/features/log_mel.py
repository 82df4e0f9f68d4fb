"""log_mel: the integer front end of TensorFlow Lite Micro's signal operators, as its micro_speech example puts them
together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from tinyedge.arithmetic.filter_bank import Bands
from tinyedge.features.contract import Array
from tinyedge.features.mel_bands import cut_off, hann_window, mel_bands
from tinyedge.features.mel_front import MelFront
from tinyedge.ops.signal_spectrum import scale_bits

_LEVELS = 666
"""values of a logarithm that 256 levels of int8 stand for in micro_speech"""
_SPAN = 26.0
"""what they are in real terms"""


@dataclass(frozen=True)
class LogMel(MelFront):
    """Parameters."""

    kind: ClassVar[str] = "log_mel"

    quantize: Literal["scale", "micro_speech"] = "scale"
    """`scale`: by the scale of the network's input; `micro_speech`: as micro_speech's preprocessor does it, whatever
    the scale (26/255 to within 2 %)"""

    @property
    def is_quantized(self) -> bool:
        return self.quantize == "micro_speech"

    @property
    def unit(self) -> float:
        return _SPAN / 256 if self.is_quantized else super().unit

    @property
    def levels(self) -> int:
        return _LEVELS if self.is_quantized else 0

    @property
    def weights(self) -> Array:
        return hann_window(self.window)

    @cached_property
    def bands(self) -> Bands:
        bins = self.length // 2 + 1
        first = round(1 + self.low_hz / (self.rate_hz / 2 / (bins - 1)))
        return mel_bands(self.rate_hz, bins, self.channels, self.low_hz, self.high_hz, first, cut_off)

    def scale_bits(self, windowed: Array) -> int:
        return scale_bits(windowed)

    def finished(self, logarithms: Array) -> Array:
        return np.minimum((logarithms * 256 + _LEVELS // 2) // _LEVELS, 255) if self.is_quantized else logarithms


KIND = LogMel

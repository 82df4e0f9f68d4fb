"""Functions of one int16 value that are straight on either side of zero, by TensorFlow Lite Micro's arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyedge.arithmetic.quantization import (
    Int64Array,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    quantize_real,
)
from tinyedge.arithmetic.tables import alpha_factor, scale_quotient
from tinyedge.graph.ir import Array, DType, Tensor, integer_range

_LOW, _HIGH = integer_range(DType.INT16)
_IDENTITY = quantize_multiplier(1.0)


@dataclass(frozen=True)
class PiecewiseS16:
    """Parameters: x from 0 on takes (multiplier, shift); below 0 it takes the other pair, and is turned to the other
    sign before that, or after it, where a sign is -1. Then it is kept within [low, high]."""

    elements: int
    multiplier: int
    shift: int
    negative_multiplier: int
    negative_shift: int
    sign_before: int
    sign_after: int
    low: int
    high: int

    def of(self, values: Array) -> Int64Array:
        x = values.astype(np.int64)
        above = multiply_by_quantized_multiplier(np.maximum(x, 0), self.multiplier, self.shift)
        turned = np.minimum(x, 0) * self.sign_before
        below = multiply_by_quantized_multiplier(turned, self.negative_multiplier, self.negative_shift)
        return np.clip(np.where(x >= 0, above, below * self.sign_after), self.low, self.high)


Piecewise = Callable[[Tensor, Tensor, Mapping[str, Any]], PiecewiseS16]
"""makes the parameters from the input tensor, the output tensor and the operator's options"""


def absolute(source: Tensor, target: Tensor, options: Mapping[str, Any]) -> PiecewiseS16:
    factor = _IDENTITY if source.scale == target.scale else quantize_multiplier(scale_quotient(source, target))
    return PiecewiseS16(source.elements, *factor, *factor, sign_before=-1, sign_after=1, low=_LOW, high=_HIGH)


def leaky_relu(source: Tensor, target: Tensor, options: Mapping[str, Any]) -> PiecewiseS16:
    slope = alpha_factor(source, target, options["alpha"])
    above, below = quantize_multiplier(scale_quotient(source, target)), quantize_multiplier(abs(slope))
    sign = -1 if slope < 0 else 1
    return PiecewiseS16(source.elements, *above, *below, sign_before=1, sign_after=sign, low=_LOW, high=_HIGH)


def relu(source: Tensor, target: Tensor, options: Mapping[str, Any]) -> PiecewiseS16:
    factor = quantize_multiplier(scale_quotient(source, target))
    return PiecewiseS16(source.elements, *factor, *factor, sign_before=1, sign_after=1, low=0, high=_HIGH)


def relu6(source: Tensor, target: Tensor, options: Mapping[str, Any]) -> PiecewiseS16:
    # Input and output are taken to have the same quantization: only the input's is looked at.
    six = min(quantize_real(6.0, source.scale, 0), _HIGH)
    return PiecewiseS16(source.elements, *_IDENTITY, *_IDENTITY, sign_before=1, sign_after=1, low=0, high=six)


MAKERS: Mapping[str, Piecewise] = {"abs": absolute, "leaky_relu": leaky_relu, "relu": relu, "relu6": relu6}

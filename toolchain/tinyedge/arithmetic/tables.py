"""The 256 results of each operator that is one function of one int8 value, by TensorFlow Lite Micro's arithmetic.

A maker takes the input tensor, the output tensor and the operator's options, and returns the results for the inputs
-128 to 127. Some functions end in float32 on the way, where others use fixed point; what decides is always the kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tinyedge.arithmetic import fixed_point
from tinyedge.arithmetic.quantization import (
    Int64Array,
    activation_range,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    quantize_real,
    requantize,
    rounding_divide_by_pot,
)
from tinyedge.graph.ir import Tensor, integer_range

Options = Mapping[str, Any]
Table = Callable[[Tensor, Tensor, Options], Int64Array]

INPUTS = np.arange(-128, 128, dtype=np.int64)
_RSQRT_SHIFT = 20
"""bits by which rsqrt lifts its intermediate result"""


def scale_quotient(source: Tensor, target: Tensor) -> float:
    """Quotient of the scales."""
    return source.scale / target.scale


def alpha_factor(source: Tensor, target: Tensor, alpha: float) -> float:
    """Input scale times alpha by output scale."""
    return source.scale * alpha / target.scale


def rsqrt_factor(source: Tensor, target: Tensor) -> float:
    """1 / (sqrt(input scale) * output scale)."""
    return 1.0 / (math.sqrt(source.scale) * target.scale)


def relu(source: Tensor, target: Tensor, options: Options) -> Int64Array:
    factor = scale_quotient(source, target)
    low, high = activation_range("relu", target.dtype, target.scale, target.zero_point)
    return requantize(INPUTS - source.zero_point, *quantize_multiplier(factor), target.zero_point, low, high)


def relu6(source: Tensor, target: Tensor, options: Options) -> Int64Array:
    # Input and output are taken to have the same quantization: only the input's is looked at.
    smallest, largest = integer_range(source.dtype)
    six = min(max(quantize_real(6.0, source.scale, source.zero_point), smallest), largest)
    return np.clip(INPUTS, source.zero_point, six)


def leaky_relu(source: Tensor, target: Tensor, options: Options) -> Int64Array:
    values = INPUTS - source.zero_point
    slope = alpha_factor(source, target, options["alpha"])
    positive = multiply_by_quantized_multiplier(values, *quantize_multiplier(scale_quotient(source, target)))
    negative = multiply_by_quantized_multiplier(values, *quantize_multiplier(abs(slope)))
    scaled = np.where(values >= 0, positive, -negative if slope < 0 else negative)
    return _saturate(scaled + target.zero_point)


def logistic(source: Tensor, target: Tensor, options: Options) -> Int64Array:
    return _saturate(_of_q4(source, fixed_point.logistic, 23) - 128)


def tanh(source: Tensor, target: Tensor, options: Options) -> Int64Array:
    return _saturate(_of_q4(source, fixed_point.tanh, 24))


def _of_q4(source: Tensor, function: Callable[[Int64Array, int], Int64Array], right_shift: int) -> Int64Array:
    """A function of the input in Q4.27, shifted right; far from zero, beyond what any shift leaves in int8."""
    values = INPUTS - source.zero_point
    multiplier, shift = quantize_multiplier(source.scale * (1 << 27))
    radius = math.floor(15 * (1 << 27) / 2.0**shift)
    inside = np.abs(values) < radius
    scaled = multiply_by_quantized_multiplier(np.where(inside, values, 0), multiplier, min(shift, 30))
    results = rounding_divide_by_pot(function(scaled, 4), right_shift)
    # The lower end is asked for first, so that it wins where the radius is 0.
    return np.where(values <= -radius, -1024, np.where(values >= radius, 1024, results))


def hard_swish(source: Tensor, target: Tensor, options: Options) -> Int64Array:
    """x * relu6(x + 3) / 6 in 16-bit fixed point."""
    fine_scale = source.scale / 128
    to_output, output_exponent = quantize_multiplier(fine_scale / target.scale)
    to_unit, unit_exponent = quantize_multiplier(fine_scale / (3.0 / 32768.0))
    fine = (INPUTS - source.zero_point) << 7
    on_output_scale = _high_mul_16(fine, _multiplier_16(to_output))
    # [-3, 3] becomes [-1, 1]; the last doubling comes after the product, where it saturates rightly.
    unit = fine
    if unit_exponent > 0:
        unit = _saturate_16(unit << (unit_exponent - 1))
    unit = _high_mul_16(unit, _multiplier_16(to_unit))
    unit = _saturate_16(unit << 1) if unit_exponent > 0 else rounding_divide_by_pot(unit, -unit_exponent)
    unit = (unit + (1 << 15)) >> 1
    product = unit * on_output_scale
    truncated = np.sign(product) * (np.abs(product) >> 15)
    return _saturate(rounding_divide_by_pot(truncated, -output_exponent) + target.zero_point)


def _multiplier_16(multiplier: int) -> int:
    """A 31-bit multiplier rounded to 15 bits."""
    return min((multiplier + (1 << 15)) >> 16, (1 << 15) - 1)


def _high_mul_16(value: Int64Array, multiplier: int) -> Int64Array:
    """value * multiplier / 2**15, halves rounded up."""
    return (value * multiplier + (1 << 14)) >> 15


def _saturate_16(value: Int64Array) -> Int64Array:
    return np.clip(value, -(1 << 15), (1 << 15) - 1)


def elu(source: Tensor, target: Tensor, options: Options) -> Int64Array:
    """In float32. The device's expf is taken to be rounded correctly, which good ones miss once in some 500 values, by
    one unit in the last of 24 bits; that shows in an int8 once in some 10**7 tables."""
    real = np.float32(source.scale) * (INPUTS - source.zero_point).astype(np.float32)
    falling = np.exp(np.minimum(real, 0).astype(np.float64)).astype(np.float32) - np.float32(1.0)
    results = np.where(real < 0, falling, real) * (np.float32(1.0) / np.float32(target.scale))
    rounded = np.copysign(np.floor(np.abs(results.astype(np.float64)) + 0.5), results).astype(np.float32)
    return _saturate((rounded + np.float32(target.zero_point)).astype(np.int64))


def absolute(source: Tensor, target: Tensor, options: Options) -> Int64Array:
    values = np.abs(INPUTS - source.zero_point)
    if source.scale != target.scale:
        values = multiply_by_quantized_multiplier(values, *quantize_multiplier(scale_quotient(source, target)))
    return _saturate(values + target.zero_point)


def rsqrt(source: Tensor, target: Tensor, options: Options) -> Int64Array:
    """1 / sqrt(x), the largest value for 0. Inputs below the zero point do not occur (a rule of the operator)."""
    values = INPUTS - source.zero_point
    root, root_shift = fixed_point.inverse_square_root(np.maximum(values, 1))
    lifted = multiply_by_quantized_multiplier(1, root, root_shift + _RSQRT_SHIFT)
    multiplier, shift = quantize_multiplier(rsqrt_factor(source, target))
    results = multiply_by_quantized_multiplier(lifted, multiplier, shift - _RSQRT_SHIFT) + target.zero_point
    return _saturate(np.where(values == 0, 127, results))


def _saturate(values: Int64Array) -> Int64Array:
    return np.clip(values, -128, 127)

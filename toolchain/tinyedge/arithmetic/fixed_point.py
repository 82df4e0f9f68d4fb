"""Fixed-point functions as gemmlowp defines them, on numpy arrays. Qa.b: a integer and b fractional bits of 32.

Source: the published fixedpoint.h of gemmlowp; constants are exp(-2**k) and the coefficients of its polynomials.
"""

from __future__ import annotations

import numpy as np

from tinyedge.arithmetic.quantization import Int64Array, rounding_divide_by_pot, saturating_rounding_doubling_high_mul

ONE_Q31 = (1 << 31) - 1
_EXP_MINUS_EIGHTH = 1895147668
_THIRD = 715827883
_EXP_OF_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-1/4), exp(-1/2), ... exp(-16) in Q0.31"""
_HALF_SQRT_2 = 1518500250
"""sqrt(2) / 2 in Q0.31"""
_ROOT_4_OF_HALF = 1805811301
"""sqrt(sqrt(1/2)) in Q0.31"""
_LOG_2 = 1488522236
"""log(2) in Q0.31"""

_mul = saturating_rounding_doubling_high_mul


def shift_left_saturating(value: Int64Array, amount: int) -> Int64Array:
    """value * 2**amount within int32.

    >>> shift_left_saturating(np.array([1, 1 << 30, -(1 << 30)]), 2)
    array([          4,  2147483647, -2147483648])
    """
    clamped: Int64Array = np.clip(value << amount, -(1 << 31), (1 << 31) - 1)
    return clamped


def exp_on_negative_values(value: Int64Array, integer_bits: int = 5) -> Int64Array:
    """exp of non-positive numbers in Q5.26 (or of 2 to 5 other integer bits), as Q0.31.

    >>> (exp_on_negative_values(np.array([0, -(1 << 26)])) / 2**31).round(5)
    array([1.     , 0.36788])
    """
    quarter = 1 << (29 - integer_bits)
    below_quarter = (value & (quarter - 1)) - quarter
    x = (below_quarter << integer_bits) + (1 << 28)
    x2 = _mul(x, x)
    x3 = _mul(x2, x)
    x4 = _mul(x2, x2)
    cubic = _mul(rounding_divide_by_pot(x4, 2) + x3, _THIRD)
    polynomial = rounding_divide_by_pot(cubic + x2, 1)
    result = _EXP_MINUS_EIGHTH + _mul(_EXP_MINUS_EIGHTH, x + polynomial)
    remainder = below_quarter - value
    for bit, factor in enumerate(_EXP_OF_POWERS[: integer_bits + 2]):
        result = np.where(remainder & (quarter << bit), _mul(result, factor), result)
    return np.where(value == 0, ONE_Q31, result)


def one_over_one_plus(value: Int64Array) -> Int64Array:
    """1 / (1 + x) for x in [0, 1) in Q0.31, as Q0.31.

    >>> one_over_one_plus(np.array([0, 1 << 30])) / 2**31
    array([1.        , 0.66666667])
    """
    return shift_left_saturating(_reciprocal_of_half(value), 1)


def one_minus_over_one_plus(value: Int64Array) -> Int64Array:
    """(1 - x) / (1 + x) for x in [0, 1) in Q0.31, as Q0.31.

    >>> (one_minus_over_one_plus(np.array([0, 1 << 30])) / 2**31).round(6)
    array([1.      , 0.333333])
    """
    return shift_left_saturating(_reciprocal_of_half(value) - (1 << 29), 2)


def _reciprocal_of_half(value: Int64Array) -> Int64Array:
    """2 / (1 + x) for x in [0, 1) in Q0.31, as Q2.29, by three Newton-Raphson steps."""
    half_denominator = (value + ONE_Q31 + 1) >> 1
    x: Int64Array = 1515870810 + _mul(half_denominator, -1010580540)
    for _ in range(3):
        x = x + shift_left_saturating(_mul(x, (1 << 29) - _mul(half_denominator, x)), 2)
    return x


def logistic(value: Int64Array, integer_bits: int) -> Int64Array:
    """1 / (1 + exp(-x)) as Q0.31.

    >>> (logistic(np.array([0, 1 << 27, -(1 << 27)]), 4) / 2**31).round(6)
    array([0.5     , 0.731059, 0.268941])
    """
    positive = one_over_one_plus(exp_on_negative_values(-np.abs(value), integer_bits))
    return np.where(value == 0, 1 << 30, np.where(value > 0, positive, ONE_Q31 - positive))


def tanh(value: Int64Array, integer_bits: int) -> Int64Array:
    """The hyperbolic tangent as Q0.31.

    >>> (tanh(np.array([0, 1 << 27, -(1 << 27)]), 4) / 2**31).round(6)
    array([ 0.      ,  0.761594, -0.761594])
    """
    # The same bits with one more integer bit are twice the value.
    positive = one_minus_over_one_plus(exp_on_negative_values(-np.abs(value), integer_bits + 1))
    return np.where(value == 0, 0, np.where(value < 0, -positive, positive))


def inverse_square_root(value: Int64Array) -> tuple[Int64Array, Int64Array]:
    """1 / sqrt(x) of non-negative int32, as multiplier and shift (positive: left); that of 0 is taken to be 1.

    >>> multiplier, shift = inverse_square_root(np.array([1, 4, 10000]))
    >>> (multiplier * 2.0 ** (shift - 31)).round(6)
    array([1.  , 0.5 , 0.01])
    """
    value = np.asarray(value, np.int64)
    small = value <= 1
    # Into [2**27, 2**29) by an even number of bits.
    bits = np.frexp(np.where(small, 4, value).astype(np.float64))[1].astype(np.int64)
    pairs = (29 - bits) // 2
    scaled = np.where(small, 1 << 27, value)
    scaled = np.where(pairs >= 0, scaled << np.maximum(2 * pairs, 0), scaled >> np.maximum(-2 * pairs, 0))
    half = rounding_divide_by_pot(scaled >> 1, 1)
    x = np.full_like(scaled, 1 << 28)
    for _ in range(5):
        cube = shift_left_saturating(_mul(_mul(x, x), x), 6)
        x = shift_left_saturating(_mul((1 << 28) + (1 << 27), x) - _mul(half, cube), 3)
    x = _mul(x, _HALF_SQRT_2)
    right = 11 - pairs
    multiplier = np.where(small, ONE_Q31, x << np.maximum(-right, 0))
    return multiplier, np.where(small, 0, -np.maximum(right, 0))


def log_of_q12(value: Int64Array) -> Int64Array:
    """The natural logarithm of numbers from 1 on in Q12.19, as Q5.26.

    The value is brought near sqrt(sqrt(1/2)) by a power of two and, as one of two candidates, by sqrt(1/2); a rational
    function gives the logarithm there.

    >>> (log_of_q12(np.array([1 << 19, 10 << 19, 4000 << 19])) / 2**26).round(5)
    array([0.     , 2.30259, 8.29405])
    """
    quarter = 1 << 23  # in Q6.25, as the powers below
    zeros = 32 - np.frexp(value.astype(np.float64))[1].astype(np.int64)
    first = shift_left_saturating(_mul(_shift_left_saturating_by(value, zeros - 1), _HALF_SQRT_2), 1)
    first_power = ((12 - zeros) << 25) + quarter
    headroom = 31 - np.frexp(_mul(value, _HALF_SQRT_2).astype(np.float64))[1].astype(np.int64)
    second = _shift_left_saturating_by(value, headroom)
    second_power = ((12 - headroom) << 25) - quarter
    r = np.minimum(first, second)
    power = np.maximum(first_power, second_power)
    p = (r + _ROOT_4_OF_HALF + 1) >> 1
    q = 2 * (r - _ROOT_4_OF_HALF)
    square = _mul(q, q)
    numerator = _mul(q, r) + _mul(_mul(q, square), 117049297)
    denominator = _mul(p, 1057819769 + q + _mul(127690142, square)) + _mul(638450708, q)
    ratio = _mul(rounding_divide_by_pot(numerator, 6), one_over_one_plus(denominator))
    return shift_left_saturating(_mul(power, _LOG_2) + ratio, 1)


def _shift_left_saturating_by(value: Int64Array, amounts: Int64Array) -> Int64Array:
    shifted: Int64Array = np.minimum(value << amounts, ONE_Q31)
    return shifted

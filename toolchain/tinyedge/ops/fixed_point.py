"""Fixed-point functions as gemmlowp defines them, on numpy arrays. Qa.b: a integer and b fractional bits of 32.

Source: the published fixedpoint.h of gemmlowp; constants are exp(-2**k) and the coefficients of its polynomials.
"""

from __future__ import annotations

import numpy as np

from tinyedge.graph.quantization import (
    Int64Array,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)

ONE_Q31 = (1 << 31) - 1
_EXP_MINUS_EIGHTH = 1895147668
_THIRD = 715827883
_EXP_OF_POWERS = (1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242)
"""exp(-1/4), exp(-1/2), ... exp(-16) in Q0.31"""

_mul = saturating_rounding_doubling_high_mul


def shift_left_saturating(value: Int64Array, amount: int) -> Int64Array:
    """value * 2**amount within int32.

    >>> shift_left_saturating(np.array([1, 1 << 30, -(1 << 30)]), 2)
    array([          4,  2147483647, -2147483648])
    """
    clamped: Int64Array = np.clip(value << amount, -(1 << 31), (1 << 31) - 1)
    return clamped


def exp_on_negative_values(value: Int64Array) -> Int64Array:
    """exp of non-positive numbers in Q5.26, as Q0.31.

    >>> (exp_on_negative_values(np.array([0, -(1 << 26)])) / 2**31).round(5)
    array([1.     , 0.36788])
    """
    quarter = 1 << 24
    below_quarter = (value & (quarter - 1)) - quarter
    x = (below_quarter << 5) + (1 << 28)
    x2 = _mul(x, x)
    x3 = _mul(x2, x)
    x4 = _mul(x2, x2)
    cubic = _mul(rounding_divide_by_pot(x4, 2) + x3, _THIRD)
    polynomial = rounding_divide_by_pot(cubic + x2, 1)
    result = _EXP_MINUS_EIGHTH + _mul(_EXP_MINUS_EIGHTH, x + polynomial)
    remainder = below_quarter - value
    for bit, factor in enumerate(_EXP_OF_POWERS):
        result = np.where(remainder & (quarter << bit), _mul(result, factor), result)
    return np.where(value == 0, ONE_Q31, result)


def one_over_one_plus(value: Int64Array) -> Int64Array:
    """1 / (1 + x) for x in [0, 1) in Q0.31, as Q0.31, by three Newton-Raphson steps.

    >>> one_over_one_plus(np.array([0, 1 << 30])) / 2**31
    array([1.        , 0.66666667])
    """
    half_denominator = (value + ONE_Q31 + 1) >> 1
    x = 1515870810 + _mul(half_denominator, -1010580540)
    for _ in range(3):
        x = x + shift_left_saturating(_mul(x, (1 << 29) - _mul(half_denominator, x)), 2)
    return shift_left_saturating(x, 1)

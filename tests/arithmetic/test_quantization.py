"""The fixed-point arithmetic against its definition in exact integers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tinyedge.arithmetic.quantization import (
    activation_range,
    multiply_by_quantized_multiplier,
    multiply_wide,
    quantize_multiplier,
    requantize,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)
from tinyedge.graph.ir import DType, integer_range

INT32 = st.integers(-(1 << 31), (1 << 31) - 1)


def half_away(value: Fraction) -> int:
    whole = int(abs(value) + Fraction(1, 2))
    return whole if value >= 0 else -whole


def high_mul_by_definition(a: int, b: int) -> int:
    """With a nudge of the product's sign and a division that truncates, as published."""
    if a == b == -(1 << 31):
        return (1 << 31) - 1
    product = a * b
    nudged = product + ((1 << 30) if product >= 0 else 1 - (1 << 30))
    return nudged // (1 << 31) if nudged >= 0 else -(-nudged // (1 << 31))


@given(INT32, INT32)
@example(-(1 << 31), -(1 << 31))
@example(-(1 << 31), (1 << 31) - 1)
@example(-1, 1 << 30)
@example(1, -(1 << 30))
def test_high_mul(a: int, b: int) -> None:
    assert saturating_rounding_doubling_high_mul(a, b) == high_mul_by_definition(a, b)


@given(INT32, st.integers(0, 31))
@example(-(1 << 31), 31)
@example((1 << 31) - 1, 31)
def test_rounding_division(value: int, exponent: int) -> None:
    assert rounding_divide_by_pot(value, exponent) == half_away(Fraction(value, 1 << exponent))


@given(st.floats(2.0**-31, 2.0**29))
def test_multiplier_is_within_half_a_unit(real: float) -> None:
    multiplier, shift = quantize_multiplier(real)
    assert 1 << 30 <= multiplier < 1 << 31
    assert -31 <= shift <= 30
    error = Fraction(multiplier) * Fraction(2) ** (shift - 31) - Fraction(real)
    assert abs(error) <= Fraction(1, 2) * Fraction(2) ** (shift - 31)


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (0.0, (0, 0)),
        (1.0, (1 << 30, 1)),
        (np.nextafter(1.0, 0.0), (1 << 30, 1)),  # rounds up to a power of two
        (2.0**-32, (1 << 30, -31)),
        (np.nextafter(2.0**-32, 0.0), (1 << 30, -31)),  # rounded before it is judged too small
        (2.0**-33, (0, 0)),
        (5e-324, (0, 0)),
        (2.0**29, (1 << 30, 30)),
    ],
)
def test_corners_of_multipliers(real: float, expected: tuple[int, int]) -> None:
    assert quantize_multiplier(float(real)) == expected


@given(INT32, st.integers(1 << 30, (1 << 31) - 1), st.integers(-31, 0))
def test_scaling_rounds_twice(value: int, multiplier: int, shift: int) -> None:
    once = high_mul_by_definition(value, multiplier)
    assert multiply_by_quantized_multiplier(value, multiplier, shift) == half_away(Fraction(once, 1 << -shift))


def test_double_rounding_differs_from_single() -> None:
    """0.49999998 rounds up to a half in the high multiplication, and the half to one."""
    multiplier, shift = quantize_multiplier(0.49999998)
    assert multiply_by_quantized_multiplier(1, multiplier, shift) == 1
    assert half_away(Fraction(multiplier) * Fraction(2) ** (shift - 31)) == 0


def test_a_left_shift_wraps_at_32_bits() -> None:
    assert multiply_by_quantized_multiplier((1 << 30) + 1, 1 << 30, 2) == 2


def test_arguments_broadcast_per_channel() -> None:
    accumulators = np.array([[100, 100], [-100, -100]])
    multipliers, shifts = np.array([quantize_multiplier(0.5), quantize_multiplier(0.25)]).T
    np.testing.assert_array_equal(requantize(accumulators, multipliers, shifts, 1, -30, 127), [[51, 26], [-30, -24]])


@pytest.mark.parametrize(
    ("activation", "scale", "zero_point", "expected"),
    [
        ("none", 0.1, 3, (-128, 127)),
        ("relu", 0.1, 3, (3, 127)),
        ("relu", 0.1, -128, (-128, 127)),
        ("relu6", 0.1, 3, (3, 63)),
        ("relu6", 0.01, 3, (3, 127)),
        ("relu_n1_to_1", 0.5, 3, (1, 5)),
        ("relu_n1_to_1", 2.0, 3, (2, 4)),  # a half, rounded away from zero on both sides
    ],
)
def test_activation_ranges(activation: str, scale: float, zero_point: int, expected: tuple[int, int]) -> None:
    assert activation_range(activation, DType.INT8, scale, zero_point) == expected


def test_unknown_activations_are_a_key_error() -> None:
    with pytest.raises(KeyError):
        activation_range("tanh", DType.INT8, 0.1, 0)


def test_integer_ranges() -> None:
    assert integer_range(DType.UINT8) == (0, 255)
    assert integer_range(DType.INT16) == (-32768, 32767)


def test_wide_multiplication_rounds_once_with_16_bits() -> None:
    multiplier, shift = quantize_multiplier(0.3)
    shortened = (multiplier + (1 << 15)) >> 16
    values = np.array([-(1 << 47), (1 << 47) - 1, -3, -1, 0, 1, 2, 12345])
    wide = [int(value) * shortened for value in values]
    right = 15 - shift
    expected = [((product + (1 << (right - 1))) >> right) + (1 << 31) & 0xFFFFFFFF for product in wide]
    assert (multiply_wide(values, multiplier, shift) + (1 << 31)).tolist() == expected
    assert multiply_wide(1 << 20, (1 << 31) - 1, 0) == (((1 << 20) * 0x7FFF + (1 << 14)) >> 15)

"""Constants with which sums and differences of int8 need no double rounding: sought offline, proved over all pairs.

The output is clamp((first(x) + second(y) + k) >> f) in 32 bits, where `first` and `second` are a core's cheap product
of an input with a constant. Whether a, b, k and f exist that give TensorFlow Lite Micro's result is found out by
trying all 65,536 pairs of inputs: for given a, b and f each pair bounds k from below and above. They exist for nearly
all layers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.quantization import multiply_by_quantized_multiplier, requantize
from tinyedge.ops.add import Add
from tinyedge.ops.contract import Layer
from tinyedge.ops.sub import Sum

Int64Array = npt.NDArray[np.int64]

INT31 = 1 << 31
NEIGHBOURS = range(-2, 3)
"""how far from the rounded factors constants are looked for"""
_OFFSETS = sorted(
    ((x, y) for x in NEIGHBOURS for y in NEIGHBOURS), key=lambda pair: (abs(pair[0]) + abs(pair[1]), pair)
)
_INPUTS = np.arange(-128, 128, dtype=np.int64)


@dataclass(frozen=True)
class Factors:
    """Factors of the two inputs, what is added to their products, and the bits behind the point."""

    a: int
    b: int
    k: int
    fraction: int


@dataclass(frozen=True)
class Form:
    """A core's product of each int8 input with a factor, which is given with `bits` bits more than the fraction."""

    product: Callable[[int], Int64Array]
    bits: int = 0


PRODUCTS = Form(lambda factor: factor * _INPUTS)
HALVES = Form(lambda factor: (factor * (_INPUTS << 8)) >> 16, 8)
"""the upper half of a product with 16 bits: SMLAWx, VQDMULH"""
HALVES_FRACTIONS = (20, 21, 19, 22, 18, 17, 16)
"""bits behind the point in the form of halves, the first first, so that layers share code"""


@dataclass(frozen=True)
class SumScales:
    """The scales of a sum of two int8 operands, or of a difference.

    operands  of each: zero point, multiplier, shift
    output    multiplier, shift, zero point
    limits    of the output
    """

    left_shift: int
    operands: tuple[tuple[int, int, int], tuple[int, int, int]]
    subtract: bool
    output: tuple[int, int, int]
    limits: tuple[int, int]

    @property
    def sign(self) -> int:
        """Of the second operand."""
        return -1 if self.subtract else 1

    def scaled(self, operand: int) -> Int64Array:
        """Every value of an operand, brought to the common scale."""
        zero_point, multiplier, shift = self.operands[operand]
        scaled = multiply_by_quantized_multiplier((_INPUTS - zero_point) << self.left_shift, multiplier, shift)
        return scaled * (self.sign if operand else 1)

    def outputs(self) -> Int64Array:
        """The output for every pair of inputs. Shape: [256, 256], from -128 on"""
        sums = self.scaled(0)[:, None] + self.scaled(1)[None, :]
        return requantize(sums, *self.output, *self.limits).astype(np.int64)

    def real_factors(self) -> tuple[float, float]:
        """What the values of each operand are multiplied by, without the sign."""
        multiplier, shift, _ = self.output
        output = multiplier * 2.0 ** (shift - 31 + self.left_shift)
        first, second = (output * factor * 2.0 ** (power - 31) for _, factor, power in self.operands)
        return first, second


def sum_scales(p: Add | Sum) -> SumScales:
    """The scales of a layer in int8."""
    output, limits = (p.output_multiplier, p.output_shift, p.output_zero_point), (p.activation_min, p.activation_max)
    if isinstance(p, Sum):
        first, second = ((each.zero_point, each.multiplier, each.shift) for each in p.operands)
        return SumScales(p.left_shift, (first, second), p.subtract, output, limits)
    first = (p.input1_zero_point, p.input1_multiplier, p.input1_shift)
    second = (p.input2_zero_point, p.input2_multiplier, p.input2_shift)
    return SumScales(p.left_shift, (first, second), False, output, limits)


def all_outputs(p: Add | Sum) -> Int64Array:
    """The output for every pair of inputs. Shape: [256, 256], from -128 on"""
    return sum_scales(p).outputs()


def find_factors(p: Add | Sum, form: Form, fractions: tuple[int, ...]) -> Factors | None:
    """Constants that are right for all pairs of inputs, of the first fraction that has any; None without any.

    Of a difference, b is negative.
    """
    return _find_factors(sum_scales(p), form, fractions)


def find_halves(p: Add | Sum) -> Factors | None:
    """The constants of the form of halves; None when none are right for all inputs."""
    return find_factors(p, HALVES, HALVES_FRACTIONS)


@lru_cache(maxsize=256)
def _find_factors(scales: SumScales, form: Form, fractions: tuple[int, ...]) -> Factors | None:
    expected = scales.outputs()
    real = scales.real_factors()
    for fraction in fractions:
        a, b = (round(factor * 2.0 ** (fraction + form.bits)) for factor in real)
        for da, db in _OFFSETS:
            if 0 <= a + da < INT31 and 0 <= b + db < INT31:
                second = scales.sign * (b + db)
                k = _find_constant(scales.limits, expected, form.product(a + da), form.product(second), fraction)
                if k is not None:
                    return Factors(a + da, second, k, fraction)
    return None


def _find_constant(
    limits: tuple[int, int], expected: Int64Array, first: Int64Array, second: Int64Array, fraction: int
) -> int | None:
    """k with which the products give the expected outputs; None when there is none, or sums leave int32."""
    sums = first[:, None] + second[None, :]
    low, high = limits
    least = np.where(expected > low, (expected << fraction) - sums, -INT31).max()
    most = np.where(expected < high, ((expected + 1) << fraction) - 1 - sums, INT31).min()
    k = int(least + most) // 2
    largest = np.abs(first).max() + np.abs(second).max()
    return k if least <= most and abs(k) + int(largest) < INT31 else None


def elementwise(layer: Layer) -> str:
    """Empty when both operands have an element for each of the output's."""
    p: Add = layer.params
    elements = layer.outputs[0].elements
    for shape in (p.shape1, p.shape2):
        if int(np.prod(shape)) != elements:
            return f"an operand of shape {list(shape)} is broadcast"
    return ""

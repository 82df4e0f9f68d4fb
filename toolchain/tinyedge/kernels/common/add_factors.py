"""Constants with which `add` on int8 needs no double rounding: sought offline, proved over all pairs of inputs.

The output is clamp((first(x) + second(y) + k) >> f) in 32 bits, where `first` and `second` are a core's cheap product
of an input with a constant. Whether a, b, k and f exist that give TensorFlow Lite Micro's result is found out by
trying all 65,536 pairs of inputs: for given a, b and f each pair bounds k from below and above. They exist for nearly
all layers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tinyedge.ops import add
from tinyedge.ops.add import Add
from tinyedge.ops.contract import Layer

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


def all_outputs(p: Add) -> Int64Array:
    """The output for every pair of inputs. Shape: [256, 256], from -128 on"""
    plain = dataclasses.replace(p, constant2=None)
    return add.reference(plain, (_INPUTS[:, None], _INPUTS[None, :]))[0].astype(np.int64)


def find_factors(p: Add, form: Form, fractions: tuple[int, ...]) -> Factors | None:
    """Constants that are right for all pairs of inputs, of the first fraction that has any; None without any."""
    scalars = {key: value for key, value in vars(p).items() if isinstance(value, int)}
    return _find_factors(tuple(sorted(scalars.items())), form, fractions)


def find_halves(p: Add) -> Factors | None:
    """The constants of the form of halves; None when none are right for all inputs."""
    return find_factors(p, HALVES, HALVES_FRACTIONS)


@lru_cache(maxsize=256)
def _find_factors(scalars: tuple[tuple[str, int], ...], form: Form, fractions: tuple[int, ...]) -> Factors | None:
    p = Add(shape1=(), shape2=(), output_shape=(), constant2=None, **dict(scalars))
    expected = all_outputs(p)
    output = p.output_multiplier * 2.0 ** (p.output_shift - 31 + p.left_shift)
    real = [
        output * multiplier * 2.0 ** (shift - 31)
        for multiplier, shift in ((p.input1_multiplier, p.input1_shift), (p.input2_multiplier, p.input2_shift))
    ]
    for fraction in fractions:
        a, b = (round(factor * 2.0 ** (fraction + form.bits)) for factor in real)
        for da, db in _OFFSETS:
            if 0 <= a + da < INT31 and 0 <= b + db < INT31:
                k = _find_constant(p, expected, form.product(a + da), form.product(b + db), fraction)
                if k is not None:
                    return Factors(a + da, b + db, k, fraction)
    return None


def _find_constant(p: Add, expected: Int64Array, first: Int64Array, second: Int64Array, fraction: int) -> int | None:
    """k with which the products give the expected outputs; None when there is none, or sums leave int32."""
    sums = first[:, None] + second[None, :]
    least = np.where(expected > p.activation_min, (expected << fraction) - sums, -INT31).max()
    most = np.where(expected < p.activation_max, ((expected + 1) << fraction) - 1 - sums, INT31).min()
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

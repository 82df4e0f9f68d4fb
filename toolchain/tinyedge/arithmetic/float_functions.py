"""Operators in float32 that are one function of each element, as TensorFlow Lite Micro's float kernels compute them.

Functions of the C library are taken to be rounded correctly, which good ones miss once in some hundred values, by one
unit in the last of 24 bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.quantization import ACTIVATIONS

Floats = npt.NDArray[np.float32]
Function = Callable[..., Floats]
"""(options of the operator, operands) -> result, all float32"""

_CUTOFF_HIGH, _CUTOFF_LOW = np.float32(16.619047164916992188), np.float32(-9.0)
"""beyond these the float kernel of logistic takes 1, or the exponential"""
_HALF, _ONE, _THREE, _SIX = np.float32(0.5), np.float32(1), np.float32(3), np.float32(6)


def _of_double(function: Callable[[Any], Any]) -> Function:
    """A function of the C library: computed in double precision, then rounded."""
    return lambda options, x: np.asarray(function(x.astype(np.float64)), np.float32)


def _fused(function: Callable[[Floats, Floats], Floats]) -> Function:
    """A function of two operands whose result is clamped by the fused activation."""

    def result(options: Mapping[str, Any], x: Floats, y: Floats) -> Floats:
        low, high = activation_limits(options.get("fused_activation_function", "none"))
        value = function(x, y)
        value = np.where(value < low, low, value)
        return np.asarray(np.where(value > high, high, value), np.float32)

    return result


def activation_limits(activation: str) -> tuple[np.float32, np.float32]:
    """What a fused activation clamps to: without one the ends of float32, so that infinity becomes a number.

    >>> activation_limits("relu6")
    (np.float32(0.0), np.float32(6.0))
    """
    low, high = ACTIVATIONS[activation]
    end = np.finfo(np.float32).max
    return np.float32(-end if low is None else low), np.float32(end if high is None else high)


def _elu(options: Mapping[str, Any], x: Floats) -> Floats:
    falling = np.expm1(np.minimum(x, 0).astype(np.float64)).astype(np.float32)
    return np.where(x < 0, falling, x)


def _logistic(options: Mapping[str, Any], x: Floats) -> Floats:
    rising = np.exp(x.astype(np.float64)).astype(np.float32)
    falling = np.exp(-x.astype(np.float64)).astype(np.float32)
    return np.where(x > _CUTOFF_HIGH, _ONE, np.where(x < _CUTOFF_LOW, rising, _ONE / (_ONE + falling)))


def _larger(options: Mapping[str, Any], x: Floats, y: Floats) -> Floats:
    return np.asarray(np.where(x > y, x, y), np.float32)


def _smaller(options: Mapping[str, Any], x: Floats, y: Floats) -> Floats:
    return np.asarray(np.where(x < y, x, y), np.float32)


def _round(options: Mapping[str, Any], x: Floats) -> Floats:
    """Halves to even, by what is left above the whole number below: what rounds up to zero is not negative."""
    below = np.floor(x)
    rest = x - below
    return np.where((rest > _HALF) | ((rest == _HALF) & (below % 2 != 0)), below + _ONE, below)


def _hard_swish(options: Mapping[str, Any], x: Floats) -> Floats:
    return np.asarray(x * np.minimum(_SIX, np.maximum(np.float32(0), x + _THREE)) / _SIX, np.float32)


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "abs": lambda options, x: np.abs(x),
        "add": _fused(lambda x, y: x + y),
        "ceil": lambda options, x: np.ceil(x),
        "cos": _of_double(np.cos),
        "div": _fused(lambda x, y: x / y),
        "elu": _elu,
        "exp": _of_double(np.exp),
        "floor": lambda options, x: np.floor(x),
        "hard_swish": _hard_swish,
        "leaky_relu": lambda options, x: np.where(x > 0, x, x * np.float32(options["alpha"])),
        "log": _of_double(np.log),
        "logistic": _logistic,
        "maximum": _larger,
        "minimum": _smaller,
        "mul": _fused(lambda x, y: x * y),
        "neg": lambda options, x: -x,
        "prelu": lambda options, x, y: np.where(x >= 0, x, x * y),
        "relu": lambda options, x: np.where(x < 0, np.float32(0), x),
        "relu6": lambda options, x: np.where(x > _SIX, _SIX, np.where(x < 0, np.float32(0), x)),
        "round": _round,
        "rsqrt": lambda options, x: _ONE / np.sqrt(x),
        "sin": _of_double(np.sin),
        "sqrt": lambda options, x: np.sqrt(x),
        "square": lambda options, x: x * x,
        "squared_difference": lambda options, x, y: (x - y) * (x - y),
        "sub": _fused(lambda x, y: x - y),
        "tanh": _of_double(np.tanh),
    }
)
"""by TFLite's names in lower case"""

OF_TWO = frozenset(("add", "div", "maximum", "minimum", "mul", "prelu", "squared_difference", "sub"))
"""those of two operands; the others have one"""
OF_LIBRARY = frozenset(("cos", "elu", "exp", "log", "logistic", "sin", "tanh"))
"""those that call the C library: the last bit depends on whose it is. All others are sums, products, quotients, square
roots and comparisons, which IEEE 754 fixes to the last bit"""


def apply(name: str, options: Mapping[str, Any], *operands: Floats) -> Floats:
    """The result of an operator, rounded to float32 at every step.

    >>> apply("square", {}, np.array([-1.5, 2.0], np.float32))
    array([2.25, 4.  ], dtype=float32)
    >>> apply("add", {"fused_activation_function": "relu"}, np.array([-3, 2], np.float32), np.float32(1))
    array([0., 3.], dtype=float32)
    """
    with np.errstate(all="ignore"):
        return np.asarray(FUNCTIONS[name](options, *operands), np.float32)

"""Operators that TensorFlow Lite Micro computes in float32 only, or not at all, and what to use instead in int8."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FLOAT_ONLY: Mapping[str, str] = MappingProxyType(
    {
        "ceil": "",
        "cos": "",
        "exp": "softmax and logistic hold exponentials that int8 has",
        "floor": "",
        "l2_pool_2d": "average_pool_2d of the squares, mul(x, x), is close to it",
        "log": "log_softmax holds a logarithm that int8 has",
        "neg": "subtract from a constant zero: sub(0, x)",
        "round": "",
        "sin": "",
        "sqrt": "rsqrt is there in int8, and mul(x, rsqrt(x)) is the square root of x",
        "square": "multiply by itself: mul(x, x)",
    }
)
"""what its kernels refuse in int8, with a way round where there is one"""

NO_KERNEL: Mapping[str, str] = MappingProxyType(
    {
        "relu_0_to_1": "minimum and maximum with constants clamp",
        "relu_n1_to_1": "minimum and maximum with constants clamp",
    }
)
"""what it has no kernel for"""

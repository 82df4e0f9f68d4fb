"""C text that the portable kernels share: parameter structs and constants with the names of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.arithmetic.quantization import WIDE_FRACTION_BITS, short_multiplier
from tinyedge.arithmetic.window import Window
from tinyedge.kernels.contract import Constant

UINT16_MAX = 65535

Value = int | str | Mapping[str, "Value"]
"""a C expression, or the members of a nested struct"""


def c_int(value: int) -> str:
    """An int32 as a C constant expression; the smallest one has no literal.

    >>> c_int(-5), c_int(-(2**31))
    ('-5', '(-2147483647 - 1)')
    """
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)


def params_struct(ctype: str, name: str, members: Mapping[str, Value]) -> str:
    """The definition of a constant parameter struct.

    >>> print(params_struct("te_size", "p", {"size": {"h": 1, "w": 2}, "data": "q"}), end="")
    static const te_size p = {
        .size = {.h = 1, .w = 2},
        .data = q,
    };
    """
    lines = "".join(f"    .{member} = {_value(value)},\n" for member, value in members.items())
    return f"static const {ctype} {name} = {{\n{lines}}};\n"


def _value(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return c_int(value)
    return "{" + ", ".join(f".{member} = {_value(inner)}" for member, inner in value.items()) + "}"


def array(values: list[int]) -> str:
    """The initializer of an array of integers.

    >>> array([1, -2])
    '{1, -2}'
    """
    return "{" + ", ".join(c_int(value) for value in values) + "}"


def window_members(window: Window) -> dict[str, Value]:
    """The members of te_window."""
    return {
        "input_h": window.input_h,
        "input_w": window.input_w,
        "output_h": window.output_h,
        "output_w": window.output_w,
        "kernel_h": window.kernel_h,
        "kernel_w": window.kernel_w,
        "stride_h": window.stride_h,
        "stride_w": window.stride_w,
        "dilation_h": window.dilation_h,
        "dilation_w": window.dilation_w,
        "pad_top": window.pad_top,
        "pad_left": window.pad_left,
    }


def weights_constant(prefix: str, weights: npt.NDArray[Any], comment: str) -> Constant:
    """int8 weights, flattened in the order of their axes."""
    return Constant(f"{prefix}_weights", "int8_t", np.ascontiguousarray(weights, np.int8).reshape(-1), 4, comment)


def channel_constants(
    prefix: str, bias: npt.NDArray[Any], multiplier: npt.NDArray[Any], shift: npt.NDArray[Any]
) -> tuple[Constant, Constant, Constant]:
    """What a layer has per output channel: bias and multiplier in int32, shift in int8."""
    return (
        Constant(f"{prefix}_bias", "int32_t", np.asarray(bias).astype(np.int32), 4, "bias"),
        Constant(f"{prefix}_multiplier", "int32_t", np.asarray(multiplier).astype(np.int32)),
        Constant(f"{prefix}_shift", "int8_t", np.asarray(shift).astype(np.int8), 1),
    )


def wide_channel_constants(
    prefix: str, bias: npt.NDArray[Any], multiplier: npt.NDArray[Any], shift: npt.NDArray[Any]
) -> tuple[Constant, Constant, Constant]:
    """What a layer of int16 has per output channel: bias in int64, the short multiplier, the right shift."""
    right = (WIDE_FRACTION_BITS - shift).astype(np.uint8)
    return (
        Constant(f"{prefix}_bias", "int64_t", bias, 8, "bias"),
        Constant(f"{prefix}_multiplier", "int16_t", short_multiplier(multiplier).astype(np.int16), 2),
        Constant(f"{prefix}_right", "uint8_t", right, 1, "right shifts"),
    )

"""Numbers written as C."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.errors import InternalError

LINE_WIDTH = 120
_C_TYPES = {
    "int8_t": "int8",
    "uint8_t": "uint8",
    "int16_t": "int16",
    "uint16_t": "uint16",
    "int32_t": "int32",
    "uint32_t": "uint32",
    "int64_t": "int64",
    "uint64_t": "uint64",
    "float": "float32",
}


def c_values(values: npt.NDArray[Any], ctype: str) -> str:
    """The elements of a one-dimensional array as C, in lines of at most LINE_WIDTH characters.

    Raises: InternalError when `ctype` does not hold numbers of the array's type

    >>> c_values(np.array([1, -2**31], np.int32), "int32_t")
    '    1, (-2147483647 - 1),'
    """
    if _C_TYPES.get(ctype) != values.dtype.name or values.ndim != 1:
        raise InternalError(f"a constant of {values.dtype.name}{list(values.shape)} cannot become `{ctype}[]`")
    words = [f"{_literal(value, ctype)}," for value in values.tolist()]
    lines = []
    line = "   "
    for word in words:
        if len(line) + 1 + len(word) > LINE_WIDTH:
            lines.append(line)
            line = "   "
        line += " " + word
    return "\n".join([*lines, line])


def _literal(value: Any, ctype: str) -> str:
    if ctype == "float":
        return float_literal(value)
    if ctype == "int32_t" and value == -(2**31):
        return "(-2147483647 - 1)"  # C has no negative literals, and 2147483648 is no int
    if ctype == "int64_t":
        return "(-INT64_C(9223372036854775807) - 1)" if value == -(2**63) else f"INT64_C({value})"
    if ctype == "uint64_t":
        return f"UINT64_C({value})"
    return f"{value}u" if ctype == "uint32_t" else str(value)


def float_literal(value: float) -> str:
    """The shortest C literal that reads back to the same float32.

    Raises: InternalError when it is not finite

    >>> float_literal(0.0), float_literal(0.25), float_literal(1e-10)
    ('0.0f', '0.25f', '1e-10f')
    """
    if not np.isfinite(value):
        raise InternalError(f"a constant holds {value}, which C99 cannot write down")
    text = shortest_float(value)
    return text + "f" if "." in text or "e" in text else text + ".0f"


def shortest_float(value: float) -> str:
    """The shortest decimal text that reads back to the same float32.

    >>> shortest_float(0.1), shortest_float(float(np.float32(1) / 256))
    ('0.1', '0.00390625')
    """
    return str(np.float32(value))

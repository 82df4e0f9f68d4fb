"""Values written as C."""

from __future__ import annotations

import jinja2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyedge.errors import InternalError
from tinyedge.generate.render import comment_text, render
from tinyedge.literals import LINE_WIDTH, c_values, shortest_float


@given(st.text())
def test_no_text_leaves_its_comment(text: str) -> None:
    safe = comment_text(text)
    assert "*" not in safe
    assert "\n" not in safe
    assert "\\" not in safe
    assert "?" not in safe  # trigraphs
    assert safe.isascii()
    assert len(safe) <= 60


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_floats_read_back(value: float) -> None:
    assert np.float32(shortest_float(value)) == np.float32(value)
    literal = c_values(np.array([value], np.float32), "float").strip()
    assert literal.endswith("f,")
    assert "." in literal or "e" in literal
    assert np.float32(literal.removesuffix("f,")) == np.float32(value)


@pytest.mark.parametrize(
    ("ctype", "values", "text"),
    [
        ("int8_t", [-128, 127], "-128, 127,"),
        ("int32_t", [-(2**31), 2**31 - 1], "(-2147483647 - 1), 2147483647,"),
        ("uint32_t", [2**32 - 1], "4294967295u,"),
        ("int64_t", [-(2**63), 1], "(-INT64_C(9223372036854775807) - 1), INT64_C(1),"),
        ("float", [1.0, 1e-10, -0.0], "1.0f, 1e-10f, -0.0f,"),
    ],
)
def test_limits_of_types(ctype: str, values: list[float], text: str) -> None:
    dtype = "float32" if ctype == "float" else ctype.removesuffix("_t")
    assert c_values(np.array(values, dtype), ctype).strip() == text


def test_lines_are_short() -> None:
    lines = c_values(np.arange(-1000, 1000, dtype=np.int16), "int16_t").split("\n")
    assert max(map(len, lines)) <= LINE_WIDTH
    assert [int(word) for word in " ".join(lines).replace(",", " ").split()] == list(range(-1000, 1000))


@pytest.mark.parametrize(
    ("values", "ctype"),
    [
        (np.zeros(1, np.int16), "int8_t"),
        (np.zeros((1, 1), np.int8), "int8_t"),
        (np.zeros(1, np.int8), "struct te_params"),
        (np.array([np.inf], np.float32), "float"),
    ],
)
def test_what_cannot_be_written_is_refused(values: np.ndarray, ctype: str) -> None:
    with pytest.raises(InternalError):
        c_values(values, ctype)


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        render("te_image.h.j2")

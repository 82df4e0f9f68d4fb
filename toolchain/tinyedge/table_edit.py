"""Values of a TOML file set in place: comments, order and everything else stay as they are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from tinyedge.tables import TableError

_HEAD = re.compile(r"\s*\[\s*(?P<name>[^\[\]]+?)\s*\]\s*(#.*)?$")


def set_values(text: str, table: Sequence[str], values: Mapping[str, int | float]) -> str:
    """The same file with `values` in the table of that name, `()` for the top; a table that is not there is added.

    Raises: TableError when the file is no TOML, or states the table in a way that cannot be changed line by line

    >>> print(set_values("a = 1  # one\\n", (), {"a": 2000, "b": 0.5}), end="")
    a = 2_000  # one
    b = 0.5
    >>> print(set_values("a = 1\\n", ("x", "y-z"), {"a": 2}), end="")
    a = 1
    <BLANKLINE>
    [x.y-z]
    a = 2
    """
    expected = _with_values(_parse(text), table, values)
    lines = text.splitlines()
    begin, end = _range(lines, table)
    if begin is None:
        if lines and lines[-1].strip():
            lines.append("")
        lines.append(f"[{'.'.join(map(_key, table))}]")
        begin = end = len(lines)
    missing = dict(values)
    for at in range(begin, end):
        for name, value in values.items():
            match = re.match(rf"(\s*{re.escape(name)}\s*=\s*)[^#]*?(\s*#.*)?$", lines[at])
            if match:
                lines[at] = f"{match[1]}{_number(value)}{match[2] or ''}"
                missing.pop(name, None)
    while end > begin and not lines[end - 1].strip():
        end -= 1
    lines[end:end] = [f"{name} = {_number(value)}" for name, value in missing.items()]
    edited = "\n".join(lines) + "\n"
    if _parse(edited) != expected:
        raise TableError(f"its table `{'.'.join(table)}` is not written line by line")
    return edited


def _range(lines: Sequence[str], table: Sequence[str]) -> tuple[int | None, int]:
    """(first line in the table, the line behind it); None where there is no such table."""
    heads = [(i, tuple(_words(match["name"]))) for i, line in enumerate(lines) if (match := _HEAD.match(line))]
    starts = [(0, ()), *((i + 1, name) for i, name in heads)]
    ends = [*(i for i, _ in heads), len(lines)]
    for (start, name), end in zip(starts, ends, strict=True):
        if name == tuple(table):
            return start, end
    return None, len(lines)


def _words(name: str) -> list[str]:
    """The parts of a dotted key."""
    return [bare or quoted for bare, quoted in re.findall(r"([A-Za-z0-9_-]+)|[\"']([^\"']*)[\"']", name)]


def _with_values(document: dict[str, Any], table: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
    inner = document
    for name in table:
        inner = inner.setdefault(name, {})
        if not isinstance(inner, dict):
            raise TableError(f"`{name}` is no table")
    inner.update(values)
    return document


def _parse(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TableError(f"it cannot be read as TOML: {error}") from error


def _number(value: float) -> str:
    return f"{value:_}" if isinstance(value, int) else repr(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'

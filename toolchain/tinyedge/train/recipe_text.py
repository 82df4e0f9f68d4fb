"""recipe.toml with other techniques: all else, comments too, stays as a person wrote it."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tinyedge.table_keys import to_toml
from tinyedge.train.compress.contract import Technique

_TABLE = re.compile(r"^\s*\[")
_COMPRESS = re.compile(r"^\s*\[\[\s*compress\s*\]\]")


def table_of(technique: Technique) -> dict[str, Any]:
    """The table of [[compress]] that makes a technique, without keys that have their default."""
    fields = dataclasses.fields(technique)  # type: ignore[arg-type]
    values = {field.name: getattr(technique, field.name) for field in fields}
    kept = {
        field.name: list(values[field.name]) if isinstance(values[field.name], tuple) else values[field.name]
        for field in fields
        if values[field.name] != field.default
    }
    return {"technique": technique.name, **kept}


def with_techniques(text: str, tables: Sequence[Mapping[str, Any]]) -> str:
    """The recipe with these tables of [[compress]], where the first one was, else at the end.

    >>> print(with_techniques("[fit]\\nepochs = 2\\n[[compress]]\\nx = 1\\n[convert]\\n", [{"technique": "int4"}]))
    [fit]
    epochs = 2
    <BLANKLINE>
    [[compress]]
    technique = "int4"
    <BLANKLINE>
    [convert]
    <BLANKLINE>
    """
    before: list[str] = []
    behind: list[str] = []
    inside = found = False
    for line in text.splitlines():
        if _TABLE.match(line):
            inside = bool(_COMPRESS.match(line))
            found = found or inside
        if not inside:
            (behind if found else before).append(line)
    blocks = [["[[compress]]", *(f"{key} = {to_toml(value)}" for key, value in table.items()), ""] for table in tables]
    head = "\n".join(before).rstrip()
    middle = "\n".join(line for block in blocks for line in block).rstrip()
    parts = [part for part in (head, middle, "\n".join(behind).strip()) if part]
    return "\n\n".join(parts) + "\n"

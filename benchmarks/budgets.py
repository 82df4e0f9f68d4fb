"""Budgets: what models cost when they were last agreed on, by the digest of the model. Growth over 3 % is an error."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.models import LEVELS, Row
from tinyedge.report.budgets import GROWTH_PERCENT

BUDGETS = Path(__file__).with_name("budgets.toml")
FIGURES = ("instructions", "cycles", "arena_bytes", "code_bytes", "flash_bytes")
Budgets = Mapping[str, Any]

_HEADER = """\
# What each model costs at each optimization: instructions counted and cycles modelled of one inference, bytes.
# A table is named by the first 16 digits of the SHA-256 of the model file. `at_most` is what is promised, the other
# figures are what was found; growth over 3 % of them fails. `python -m benchmarks --thorough --update-budgets` writes
# this file, and leaves promises and models that it did not measure as they are.
"""


def read_budgets(path: Path = BUDGETS) -> Budgets:
    """The file; empty when there is none."""
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def figures(row: Row) -> dict[str, int]:
    """The figures of a row that budgets hold."""
    return {
        "instructions": int(row.instructions.value),
        "cycles": int(row.cycles.value),
        "arena_bytes": row.arena_bytes,
        "code_bytes": row.code_bytes,
        "flash_bytes": row.flash_bytes,
    }


def key_of(row: Row) -> str:
    """The table of a row's model."""
    return row.digests["model"][:16]


def budget_of(row: Row, budgets: Budgets) -> dict[str, int]:
    """The figures agreed on for a row; empty when there are none for its board and compiler."""
    model = budgets.get(key_of(row), {})
    if (model.get("board"), model.get("compiler")) != (row.board, row.compiler):
        return {}
    return dict(model.get(row.optimize, {}))


def promise_of(row: Row, budgets: Budgets) -> dict[str, int]:
    """What is promised for a row."""
    return dict(budgets.get(key_of(row), {}).get("at_most", {}).get(row.optimize, {}))


def compare(rows: Iterable[Row], budgets: Budgets) -> list[str]:
    """One line for each figure that grew by more than GROWTH_PERCENT over its budget."""
    lines = []
    for row in rows:
        found = figures(row)
        for name, budget in budget_of(row, budgets).items():
            if found[name] * 100 > budget * (100 + GROWTH_PERCENT):
                growth = 100 * (found[name] - budget) / budget
                lines.append(f"{row.model} {row.optimize} {name}: {found[name]:,}, budget {budget:,} ({growth:+.1f} %)")
    return lines


def write_budgets(rows: Iterable[Row], path: Path = BUDGETS) -> None:
    """Take the figures of `rows` as the budgets; promises and other models stay."""
    models = {key: dict(value) for key, value in read_budgets(path).items()}
    for row in rows:
        model = models.setdefault(key_of(row), {})
        if (model.get("board"), model.get("compiler")) != (row.board, row.compiler):
            for level in LEVELS:
                model.pop(level, None)
        model |= {"name": row.model, "board": row.board, "compiler": row.compiler, row.optimize: figures(row)}
    parts = [_HEADER]
    for key, model in sorted(models.items(), key=lambda item: (item[1].get("name", ""), item[0])):
        parts.append(
            f'\n["{key}"]\n' + "".join(f'{name} = "{model[name]}"\n' for name in ("name", "board", "compiler"))
        )
        for group, names in ((model, ""), (model.get("at_most", {}), "at_most.")):
            parts += [_table(f'"{key}".{names}{level}', group[level]) for level in LEVELS if level in group]
    path.write_text("".join(parts), encoding="utf-8")


def _table(name: str, values: Mapping[str, int]) -> str:
    return f"\n[{name}]\n" + "".join(f"{figure} = {values[figure]}\n" for figure in FIGURES if figure in values)

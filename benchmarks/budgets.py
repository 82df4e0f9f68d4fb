"""Budgets: what models cost when they were last agreed on, by the digest of the model. Growth over 3 % is an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.models import LEVELS, Refused, Row
from tinyedge.artifacts.budget import GROWTH_PERCENT
from tinyedge.errors import UsageError
from tinyedge.paths import write_whole
from tinyedge.tables import TableError, read_table, read_toml

BUDGETS = Path(__file__).with_name("budgets.toml")
Budgets = Mapping[str, Any]


@dataclass(frozen=True)
class _Figures:
    """What a model costs at one optimization, as far as it is agreed on."""

    instructions: int | None = None
    cycles: int | None = None
    arena_bytes: int | None = None
    code_bytes: int | None = None
    flash_bytes: int | None = None


@dataclass(frozen=True)
class _Levels:
    """Figures by optimization."""

    size: _Figures | None = None
    balanced: _Figures | None = None
    speed: _Figures | None = None


@dataclass(frozen=True)
class _BoardTable(_Levels):
    """What is known of a model on a board; `compiler` is the one that the figures are of."""

    compiler: str = ""
    at_most: _Levels | None = None
    """what is promised"""


FIGURES = tuple(field.name for field in fields(_Figures))

_HEADER = """\
# What each model costs on a board at each optimization: instructions counted and cycles modelled of one inference,
# bytes. A table is named by the first 16 digits of the SHA-256 of the model file, and the board. `at_most` is what is
# promised, the other figures are what was found with `compiler`; growth over 3 % of them fails, and so does a promise
# that is not kept. `python -m benchmarks --thorough --update-budgets` writes this file, and leaves promises, boards
# and models that it did not measure as they are.
"""


def read_budgets(path: Path = BUDGETS) -> Budgets:
    """The file, checked; empty when there is none. Raises: UsageError when it breaks a rule."""
    if not path.is_file():
        return {}
    try:
        budgets = read_toml(path)
        for key, model in budgets.items():
            for board, table in model.items():
                if board != "name":
                    read_table(_BoardTable, table, f"{key}.{board}")
    except TableError as error:
        raise UsageError(f"`{path}`: {error}", hint="`--update-budgets` writes this file") from error
    return budgets


def figures(row: Row) -> dict[str, int]:
    """The figures of a row that budgets hold; no cycles where nothing models them."""
    return {
        "instructions": int(row.instructions.value),
        **({} if row.cycles is None else {"cycles": int(row.cycles.value)}),
        "arena_bytes": row.arena_bytes,
        "code_bytes": row.code_bytes,
        "flash_bytes": row.flash_bytes,
    }


def key_of(row: Row) -> str:
    """The table of a row's model."""
    return _key(row.digests["model"])


def _key(digest: str) -> str:
    return digest[:16]


def _board_table(row: Row, budgets: Budgets) -> Mapping[str, Any]:
    """What is known of a row's model on its board."""
    found: Mapping[str, Any] = budgets.get(key_of(row), {}).get(row.board, {})
    return found


def budget_of(row: Row, budgets: Budgets) -> dict[str, int]:
    """The figures agreed on for a row; empty when there are none for its board and compiler."""
    table = _board_table(row, budgets)
    return dict(table.get(row.optimize, {})) if table.get("compiler") == row.compiler else {}


def promise_of(row: Row, budgets: Budgets) -> dict[str, int]:
    """What is promised for a row on its board, with any compiler."""
    return dict(_board_table(row, budgets).get("at_most", {}).get(row.optimize, {}))


def compare(rows: Iterable[Row], budgets: Budgets) -> list[str]:
    """One line for each figure that grew by more than GROWTH_PERCENT over its budget."""
    lines = []
    for row in rows:
        found = figures(row)
        for name, budget in budget_of(row, budgets).items():
            if name in found and found[name] * 100 > budget * (100 + GROWTH_PERCENT):
                growth = 100 * (found[name] - budget) / budget
                lines.append(f"{row.model} {row.optimize} {name}: {found[name]:,}, budget {budget:,} ({growth:+.1f} %)")
    return lines


def lost(refused: Iterable[Refused], budgets: Budgets) -> list[str]:
    """One line for each model that was taken once, as its budgets tell, and is refused now."""
    return [f"{model.model}: {model.reason}" for model in refused if _key(model.digest) in budgets]


def broken_promises(rows: Iterable[Row], budgets: Budgets) -> list[str]:
    """One line for each figure above what is promised."""
    lines = []
    for row in rows:
        found = figures(row)
        for name, most in promise_of(row, budgets).items():
            if name in found and found[name] > most:
                lines.append(f"{row.model} {row.optimize} {name}: {found[name]:,}, at most {most:,} is promised")
    return lines


def write_budgets(rows: Iterable[Row], path: Path = BUDGETS) -> None:
    """Take the figures of `rows` as the budgets; promises, other boards and other models stay."""
    models = {key: dict(value) for key, value in read_budgets(path).items()}
    for row in rows:
        model = models.setdefault(key_of(row), {})
        model["name"] = row.model
        table = model.setdefault(row.board, {})
        if table.get("compiler") != row.compiler:
            for level in LEVELS:
                table.pop(level, None)
        table |= {"compiler": row.compiler, row.optimize: figures(row)}
    parts = [_HEADER]
    for key, model in sorted(models.items(), key=lambda item: (item[1].get("name", ""), item[0])):
        parts.append(f'\n["{key}"]\nname = "{model.get("name", "")}"\n')
        for board, table in sorted((name, value) for name, value in model.items() if name != "name"):
            parts.append(f'\n["{key}".{board}]\ncompiler = "{table.get("compiler", "")}"\n')
            for group, names in ((table, ""), (table.get("at_most", {}), "at_most.")):
                parts += [_table(f'"{key}".{board}.{names}{level}', group[level]) for level in LEVELS if level in group]
    write_whole(path, "".join(parts).encode())


def _table(name: str, values: Mapping[str, int]) -> str:
    return f"\n[{name}]\n" + "".join(f"{figure} = {values[figure]}\n" for figure in FIGURES if figure in values)

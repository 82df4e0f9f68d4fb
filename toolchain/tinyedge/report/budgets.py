"""Figures compared with their budgets: growth beyond what a budget lets through is an error.

A budget file holds any of `FIGURES` at its top, for all boards, and in tables named `<board>` or `<board>-<compiler>`,
which go before the top; `[budget]` of tinyedge.toml holds the same for every model of a project:

    arena_bytes = 2048

    [nrf52840dk-zig]
    flash_bytes = 31000
    instructions = 180000
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyedge.artifacts import Measured
from tinyedge.artifacts.budget import FIGURES, Budget, BudgetFigures, BudgetSource
from tinyedge.errors import CheckError, UsageError
from tinyedge.report.junit import Case, is_whole
from tinyedge.tables import TableError, read_table, read_toml

Found = Mapping[str, float | None]
"""a value for each of `FIGURES`; None or missing where nothing knows it"""


@dataclass(frozen=True)
class BudgetLine:
    """One figure against its budget; `found` is None where nothing counts it."""

    figure: str
    budget: float
    found: float | None
    allowed_percent: float
    where: str
    """the file that says it"""

    @property
    def over(self) -> bool:
        """Whether it grew too much, or, of an accuracy, fell."""
        if self.found is None:
            return False
        if self.figure == "accuracy":
            return self.found < self.budget - 1e-9
        return self.found * 100 > self.budget * (100 + self.allowed_percent)

    @property
    def growth_percent(self) -> float:
        return 0.0 if self.found is None or not self.budget else 100 * (self.found - self.budget) / self.budget

    def __str__(self) -> str:
        if self.found is None:
            return f"{self.figure}: unknown, budget {_shown(self.budget)}"
        if self.figure == "accuracy":
            return f"accuracy: {self.found:.4f}, budget {self.budget:.4f} at least"
        return f"{self.figure}: {self.found:,.0f}, budget {self.budget:,.0f} ({self.growth_percent:+.1f} %)"


def budget_lines(budget: Budget, board: str, compiler: str, found: Found) -> tuple[BudgetLine, ...]:
    """The figures that have a budget on a board with a compiler, each compared."""
    return tuple(
        BudgetLine(name, limit.value, found.get(name), limit.growth_percent, str(limit.source.path))
        for name, limit in budget.limits(board, compiler).items()
    )


def require_budget(lines: Sequence[BudgetLine], model: str, board: str) -> None:
    """Raises: CheckError that names every figure over its budget."""
    over = [line for line in lines if line.over]
    if not over:
        return
    allowed = " or ".join(dict.fromkeys(f"{line.allowed_percent:g} %" for line in over if line.figure != "accuracy"))
    by = f" by more than {allowed}" if allowed else ""
    files = ", ".join(dict.fromkeys(f"`{line.where}`" for line in over))
    raise CheckError(
        f"model `{model}` on `{board}` is over its budget{by}:\n       " + "\n       ".join(map(str, over)),
        hint=f"make it smaller; or, if the growth is meant, `--update-budget` writes the new figures into {files}",
    )


def measured_lines(measured: Measured) -> tuple[BudgetLine, ...]:
    """The budget of a run, compared; empty where it has none."""
    budget = measured.built.prepared.budget
    if budget is None:
        return ()
    return budget_lines(budget, measured.built.prepared.board.name, compiler_of(measured), measured_figures(measured))


def compiler_of(measured: Measured) -> str:
    """The compiler's name without its version, as tables of budgets are called."""
    return measured.built.image.compiler.partition(" ")[0]


def measured_figures(measured: Measured) -> dict[str, float | None]:
    """What a run found of each figure that can have a budget."""
    built, run = measured.built, measured.run
    cycles = run.cycles if run.cycles is not None and run.cycles.kind != "measured" else None
    return {
        "flash_bytes": built.image.size.flash_bytes,
        "ram_bytes": built.image.size.ram_bytes,
        "arena_bytes": built.project.arena_bytes,
        "instructions": None if run.instructions is None else int(run.instructions.value),
        "cycles": None if cycles is None else int(cycles.value),
        "accuracy": run.device_accuracy if is_whole(measured) else None,
    }


def budget_cases(lines: Sequence[BudgetLine]) -> tuple[Case, ...]:
    """A test case for each figure that has a budget."""
    return tuple(
        Case(
            f"{line.figure} within the budget",
            str(line) if line.over else "",
            "nothing knows it here" if line.found is None else "",
        )
        for line in lines
    )


def read_budget_file(path: Path) -> BudgetSource:
    """A budget file. Raises: UsageError when it breaks a rule."""
    try:
        return BudgetSource(path, (), _figures(read_toml(path), ""))
    except TableError as error:
        raise _refused(f"`{path}`", error) from error


def read_budget_table(path: Path, table: tuple[str, ...], content: Any) -> BudgetSource:
    """The table of budgets that stands in the settings at `path`. Raises: UsageError when it breaks a rule."""
    try:
        return BudgetSource(path, table, _figures(content, ".".join(table)))
    except TableError as error:
        raise _refused(f"`{'.'.join(table)}` of `{path}`", error) from error


def _figures(content: Any, where: str) -> dict[str, BudgetFigures]:
    """The figures of the top as `""`, and those of each table in it."""
    if not isinstance(content, dict):
        raise TableError(f"`{where}` is {content!r}, not a table")
    top = {key: value for key, value in content.items() if not isinstance(value, dict)}
    tables = {key: value for key, value in content.items() if isinstance(value, dict)}
    prefix = f"{where}." if where else ""
    return {"": read_table(BudgetFigures, top, where)} | {
        name: read_table(BudgetFigures, table, f"{prefix}{name}") for name, table in tables.items()
    }


def _refused(what: str, error: TableError) -> UsageError:
    return UsageError(
        f"{what} is no readable budget: {error}", hint=f"figures are numbers: {', '.join(FIGURES)}; growth_percent"
    )


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:.4f}"

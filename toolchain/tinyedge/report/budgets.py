"""Budgets: what a model may cost. Growth of more than 3 % over the figures in its budget.toml is an error.

The file holds any of FIGURES at its top, for all boards, and in tables named `<board>` or `<board>-<compiler>`, which
go before the top:

    arena_bytes = 2048

    [nrf52840dk-zig]
    flash_bytes = 31000
    instructions = 180000
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from tinyedge.artifacts import Built, Run
from tinyedge.errors import CheckError, UsageError
from tinyedge.tables import TableError, read_table, read_toml, require_range

GROWTH_PERCENT = 3


@dataclass(frozen=True)
class _Figures:
    """What a table of a budget file holds."""

    flash_bytes: int | None = None
    ram_bytes: int | None = None
    arena_bytes: int | None = None
    instructions: int | None = None

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None:
                require_range(name, value, 1)


FIGURES = tuple(field.name for field in fields(_Figures))


@dataclass(frozen=True)
class BudgetLine:
    """One figure against its budget; `found` is None where nothing counts it."""

    figure: str
    budget: int
    found: int | None

    @property
    def over(self) -> bool:
        """Whether it grew too much."""
        return self.found is not None and self.found * 100 > self.budget * (100 + GROWTH_PERCENT)

    @property
    def growth_percent(self) -> float:
        return 0.0 if self.found is None else 100 * (self.found - self.budget) / self.budget


def check_budget(path: Path, built: Built, run: Run) -> tuple[BudgetLine, ...]:
    """The figures that the budget at `path` names, held against it.

    Raises: CheckError that names every figure over its budget; UsageError when the file is wrong
    """
    lines = compare_budget(path, built, run)
    over = [line for line in lines if line.over]
    if over:
        facts = "\n       ".join(
            f"{line.figure}: {line.found:,}, budget {line.budget:,} ({line.growth_percent:+.1f} %)" for line in over
        )
        raise CheckError(
            f"model `{built.prepared.model.name}` on `{built.prepared.board.name}` is over its budget by more than "
            f"{GROWTH_PERCENT} %:\n       {facts}",
            hint=f"make it smaller, or if the growth is meant, raise the figures in {path}",
        )
    return lines


def compare_budget(path: Path, built: Built, run: Run) -> tuple[BudgetLine, ...]:
    """The figures that the budget at `path` names for this board and compiler. Raises: UsageError."""
    board, compiler = built.prepared.board.name, built.image.compiler.partition(" ")[0]
    budget = _read_budget(path, (board, f"{board}-{compiler}"))
    found = {
        "flash_bytes": built.image.size.flash_bytes,
        "ram_bytes": built.image.size.ram_bytes,
        "arena_bytes": built.project.arena_bytes,
        "instructions": None if run.instructions is None else int(run.instructions.value),
    }
    return tuple(BudgetLine(figure, budget[figure], found[figure]) for figure in FIGURES if figure in budget)


def _read_budget(path: Path, tables: tuple[str, ...]) -> dict[str, int]:
    """The figures of the top and of `tables`, the later before the earlier."""
    chosen: dict[str, int] = {}
    try:
        document = read_toml(path)
        top = {key: value for key, value in document.items() if not isinstance(value, dict)}
        sections = {"": top} | {key: value for key, value in document.items() if isinstance(value, dict)}
        figures = {name: read_table(_Figures, section, name) for name, section in sections.items()}
    except TableError as error:
        raise UsageError(
            f"`{path}` is no readable budget: {error}", hint=f"figures are whole numbers: {', '.join(FIGURES)}"
        ) from error
    for name in ("", *tables):
        if name in figures:
            chosen |= {key: value for key, value in vars(figures[name]).items() if value is not None}
    return chosen

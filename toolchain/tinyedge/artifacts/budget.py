"""Budgets: what a model may cost on a board, from the files that say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from tinyedge.tables import require_range

GROWTH_PERCENT = 3.0
"""what a figure may exceed its budget by, where the budget says nothing else"""


@dataclass(frozen=True)
class BudgetFigures:
    """What a table of budgets holds."""

    flash_bytes: int | None = None
    """flash of the whole image"""
    ram_bytes: int | None = None
    """static RAM of the whole image, arena and stack included"""
    arena_bytes: int | None = None
    """the arena of the model's tensors"""
    instructions: int | None = None
    """of one inference, median over the samples; where an emulator counts them"""
    cycles: int | None = None
    """of one inference, median over the samples; where an emulator models them, of bounds the lower one"""
    accuracy: float | None = None
    """at least, on the device, over the whole test set"""
    growth_percent: float | None = None
    """what a figure may exceed its budget by; default: 3. An accuracy may not fall at all"""

    def __post_init__(self) -> None:
        for name, value in self.limits().items():
            require_range(name, value, 0, 1) if name == "accuracy" else require_range(name, value, 1)
        if self.growth_percent is not None:
            require_range("growth_percent", self.growth_percent, 0)

    def limits(self) -> dict[str, float]:
        """The figures that are limited, by name."""
        return {name: value for name in FIGURES if (value := getattr(self, name)) is not None}


FIGURES = tuple(each.name for each in fields(BudgetFigures) if each.name != "growth_percent")


@dataclass(frozen=True)
class BudgetSource:
    """A file with budgets.

    table   whose tables these are: `budget` of tinyedge.toml, `tool.tinyedge.budget`; empty for a whole file
    tables  figures for one board, or for one with one compiler, by `<board>` and `<board>-<compiler>`; `""`: for all
    """

    path: Path
    table: tuple[str, ...]
    tables: Mapping[str, BudgetFigures]


@dataclass(frozen=True)
class Limit:
    """A figure's budget, and where it stands."""

    value: float
    growth_percent: float
    source: BudgetSource
    table: str


@dataclass(frozen=True)
class Budget:
    """What a model may cost.

    sources   the project's settings first, then the file beside the model, which goes before them
    own_file  the budget file of the model, whether or not it is there; None: a model in memory has none
    """

    sources: tuple[BudgetSource, ...] = ()
    own_file: Path | None = field(default=None)

    def limits(self, board: str, compiler: str) -> dict[str, Limit]:
        """Each figure that has a budget on a board with a compiler (`zig`, `gcc`)."""
        found: dict[str, Limit] = {}
        growth = GROWTH_PERCENT
        for source, name, figures in self._tables(board, compiler):
            growth = growth if figures.growth_percent is None else figures.growth_percent
            found |= {figure: Limit(value, growth, source, name) for figure, value in figures.limits().items()}
        return {name: found[name] for name in FIGURES if name in found}

    def _tables(self, board: str, compiler: str) -> Iterable[tuple[BudgetSource, str, BudgetFigures]]:
        """The tables that are for this board and compiler; the later go before the earlier."""
        for source in self.sources:
            for name in ("", board, f"{board}-{compiler}"):
                if name in source.tables:
                    yield source, name, source.tables[name]

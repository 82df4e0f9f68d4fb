"""Two or more runs side by side, each compared with the first."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tinyedge.errors import CheckError, UsageError
from tinyedge.report.compare.documents import with_distinct_labels
from tinyedge.report.compare.subject import FIGURES, LAYER_FIGURES, Known, LayerFigures, Subject
from tinyedge.report.compare.thresholds import Thresholds

LimitOf = Callable[[str, float], float | None]
"""(figure, value of the first run) -> the worst value that is let through"""


@dataclass(frozen=True)
class Cell:
    """A figure of one run beside that of the first.

    change  in percent of the first; None of the first itself, where one is unknown, or from nothing
    limit   the worst value that is let through; None: it is not judged
    """

    known: Known | None
    change_percent: float | None = None
    limit: float | None = None
    regressed: bool = False


@dataclass(frozen=True)
class FigureRow:
    """One figure of all runs."""

    figure: str
    cells: tuple[Cell, ...]

    @property
    def differs(self) -> bool:
        return len({cell.known and (cell.known.value, cell.known.upper) for cell in self.cells}) > 1


@dataclass(frozen=True)
class LayerRow:
    """One layer of all runs; None where a run has none that is like it."""

    layers: tuple[LayerFigures | None, ...]
    figures: Mapping[str, FigureRow]

    @property
    def first(self) -> LayerFigures:
        return next(layer for layer in self.layers if layer is not None)

    @property
    def differs(self) -> bool:
        return any(row.differs for row in self.figures.values())


@dataclass(frozen=True)
class Regression:
    """A figure that is worse than what is let through."""

    label: str
    figure: str
    base: float
    found: float
    limit: float
    layer: LayerFigures | None = None

    def __str__(self) -> str:
        name = FIGURES[self.figure]
        where = "" if self.layer is None else f" of layer {self.layer.index} `{self.layer.operator}`"
        change = f"{100 * (self.found / self.base - 1):+.2f} %" if self.base else "from none"
        if name.better == "more" or self.figure == "mismatches":
            change = f"{self.found - self.base:+,.4g}"
        return (
            f"{self.label}: {name.title}{where} {number(self.figure, self.base)} -> "
            f"{number(self.figure, self.found)} ({change}; let through {number(self.figure, self.limit)})"
        )


@dataclass(frozen=True)
class Comparison:
    """Runs of which each is compared with the first."""

    subjects: tuple[Subject, ...]
    figures: tuple[FigureRow, ...]
    layers: tuple[LayerRow, ...]
    thresholds: Thresholds
    notes: tuple[str, ...] = ()
    missing: str = ""
    """why there is nothing to compare with: a run that one of two folders does not have"""
    lost: bool = False
    """whether it is the later one that does not have it"""

    @property
    def title(self) -> str:
        return self.subjects[0].name

    @property
    def regressions(self) -> tuple[Regression, ...]:
        found = []
        for row, layer in [
            *((row, None) for row in self.figures),
            *((row, layers.first) for layers in self.layers for row in layers.figures.values()),
        ]:
            base = row.cells[0].known
            for subject, cell in zip(self.subjects, row.cells, strict=True):
                if cell.regressed and cell.known is not None and base is not None and cell.limit is not None:
                    found.append(Regression(subject.label, row.figure, base.value, cell.known.value, cell.limit, layer))
        return tuple(found)


def compare_all(
    groups: Sequence[Sequence[Subject]], thresholds: Thresholds, *, by_name: bool = False
) -> tuple[Comparison, ...]:
    """What was given as A, B and so on: single runs side by side; of several runs, or `by_name`, those that are of the
    same model, board, runtime and aim.

    Raises: UsageError when runs of one group cannot be told apart
    """
    if not by_name and all(len(group) == 1 for group in groups):
        return (_compare(with_distinct_labels([group[0] for group in groups]), thresholds),)
    tables = [_by_key(group) for group in groups]
    keys = list(dict.fromkeys(key for table in tables for key in table))
    comparisons = []
    for key in keys:
        found = [table[key] for table in tables if key in table]
        if len(found) == len(tables):
            comparisons.append(_compare(with_distinct_labels(found), thresholds))
            continue
        lost = key in tables[0]
        without = [str(number) for number, table in enumerate(tables, 1) if key not in table]
        why = f"{found[0].name}: not in number {' and '.join(without)}"
        comparisons.append(Comparison((found[0],), (), (), thresholds, missing=why, lost=lost))
    return tuple(comparisons)


def require_no_regression(comparisons: Sequence[Comparison]) -> None:
    """Raises: CheckError that names every figure that is worse than what is let through, and every run that is lost."""
    told = [str(each) for comparison in comparisons for each in comparison.regressions]
    told += [comparison.missing for comparison in comparisons if comparison.lost]
    if told:
        raise CheckError(
            f"{len(told)} regression{'s' if len(told) > 1 else ''}:\n       " + "\n       ".join(told),
            hint="make it better; or, if it is meant, let it through: `--thresholds FILE`, docs/compare.md",
        )


def number(figure: str, value: float) -> str:
    """A value of a figure with its unit.

    >>> number("flash_bytes", 31234), number("accuracy", 0.98), number("latency_us", 61621.14)
    ('31,234 B', '0.9800', '61,621.1 us')
    """
    name = FIGURES[figure]
    if figure == "accuracy":
        return f"{value:.4f}"
    digits = 1 if name.unit in ("us", "uJ") else 0
    return f"{value:,.{digits}f}" + (f" {name.unit}" if name.unit else "")


def _by_key(group: Sequence[Subject]) -> dict[tuple[str, ...], Subject]:
    table: dict[tuple[str, ...], Subject] = {}
    for subject in group:
        if subject.key in table:
            raise UsageError(
                f"`{table[subject.key].label}` and `{subject.label}` are both of {subject.name}: nobody can tell which "
                "to compare",
                hint="remove one, or name the files one by one",
            )
        table[subject.key] = subject
    return table


def _compare(subjects: Sequence[Subject], thresholds: Thresholds) -> Comparison:
    rows = tuple(
        _row(name, [subject.figures.get(name) for subject in subjects], thresholds.limit)
        for name in FIGURES
        if any(name in subject.figures for subject in subjects)
    )
    layers = tuple(
        LayerRow(
            found,
            {
                name: _row(
                    name,
                    [_of_layer(layer, name, subject) for layer, subject in zip(found, subjects, strict=True)],
                    thresholds.layer_limit,
                )
                for name in LAYER_FIGURES
                if any(layer is not None and name in layer.figures for layer in found)
            },
        )
        for found in _aligned(subjects)
    )
    return Comparison(tuple(subjects), rows, layers, thresholds, _notes(subjects, rows))


def _of_layer(layer: LayerFigures | None, name: str, subject: Subject) -> Known | None:
    if layer is None or name not in layer.figures:
        return None
    whole = subject.figures.get(name)
    return Known(layer.figures[name], whole.kind if whole is not None else "unknown")


def _row(figure: str, known: Sequence[Known | None], limit_of: LimitOf) -> FigureRow:
    base = known[0]
    cells = [Cell(base)]
    for each in known[1:]:
        if base is None or each is None:
            cells.append(Cell(each))
            continue
        change = 100 * (each.value - base.value) / base.value if base.value else (0.0 if not each.value else None)
        limit = limit_of(figure, base.value) if base.kind == each.kind else None
        slack = 1e-9 * max(abs(base.value), 1)
        if limit is None:
            regressed = False
        elif FIGURES[figure].better == "more":
            regressed = each.value < limit - slack
        else:
            regressed = each.value > limit + slack
        cells.append(Cell(each, change, limit, regressed))
    return FigureRow(figure, tuple(cells))


def _aligned(subjects: Sequence[Subject]) -> list[tuple[LayerFigures | None, ...]]:
    """The layers of all, those of the first with what is like them in the others; what only others have comes last."""
    base = subjects[0].layers
    tables = [_pairs(base, subject.layers) for subject in subjects[1:]]
    rows: list[tuple[LayerFigures | None, ...]] = [
        (layer, *(table.get(at) for table in tables)) for at, layer in enumerate(base)
    ]
    for number, (subject, table) in enumerate(zip(subjects[1:], tables, strict=True), 1):
        paired = {id(layer) for layer in table.values()}
        for layer in subject.layers:
            if id(layer) not in paired:
                rows.append(tuple(layer if at == number else None for at in range(len(subjects))))
    return rows


def _pairs(base: Sequence[LayerFigures], other: Sequence[LayerFigures]) -> dict[int, LayerFigures]:
    """Place in `base` -> the layer of `other` that stands for it."""
    matcher = difflib.SequenceMatcher(
        None, [layer.likeness for layer in base], [layer.likeness for layer in other], autojunk=False
    )
    pairs: dict[int, LayerFigures] = {}
    for tag, begin, end, other_begin, other_end in matcher.get_opcodes():
        same_kinds = [layer.operator for layer in base[begin:end]] == [
            layer.operator for layer in other[other_begin:other_end]
        ]
        if tag == "equal" or (tag == "replace" and same_kinds):
            pairs |= {begin + at: other[other_begin + at] for at in range(end - begin)}
    return pairs


def _notes(subjects: Sequence[Subject], rows: Sequence[FigureRow]) -> tuple[str, ...]:
    notes = []
    for name in ("model", "board", "runtime", "compiler", "optimize", "emulator"):
        values = [getattr(subject, name) for subject in subjects]
        if len(set(values)) > 1:
            notes.append(f"{name} differs: {', '.join(value or 'unknown' for value in values)}")
    for row in rows:
        kinds = [cell.known.kind for cell in row.cells if cell.known is not None]
        if len(set(kinds)) > 1:
            notes.append(f"{FIGURES[row.figure].title} is {' and '.join(dict.fromkeys(kinds))}: not judged")
        base = row.cells[0].known
        if base is not None and any(cell.known is None for cell in row.cells):
            notes.append(f"{FIGURES[row.figure].title} is not known of all")
    return tuple(notes)

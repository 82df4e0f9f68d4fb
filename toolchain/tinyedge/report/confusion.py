"""The confusion matrix and the recall of each class, as tables: of a terminal, of a page."""

from __future__ import annotations

from tinyedge.artifacts import Measured
from tinyedge.artifacts.confusion import Confusion
from tinyedge.report.table import Cell, render_table

_MOST_COLUMNS = 80
_MOST_CLASSES = 24
"""whose matrix is printed"""
_MOST_ON_A_PAGE = 64


def shown_confusion(measured: Measured) -> Confusion | None:
    """The matrix of a run, where people see it: with names of classes, or of data that was given for it."""
    named = measured.samples.class_names or measured.samples.source
    return measured.run.confusion if named else None


def recall_table(confusion: Confusion) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Headers and rows: a class, its samples, recall and precision, and what it was most often taken for."""
    rows: list[tuple[Cell, ...]] = []
    for at, name in enumerate(confusion.class_names):
        mistake = confusion.worst_mistake(at)
        taken = f"{mistake[0]} ({mistake[1]:,})" if mistake else "-"
        rows.append(
            (name, sum(confusion.counts[at]), _share(confusion.recall(at)), _share(confusion.precision(at)), taken)
        )
    return ("class", "samples", "recall", "precision", "most often taken for"), rows


def matrix_table(confusion: Confusion) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]]:
    """Headers and rows: what samples are, and what the device said."""
    headers = ("is / said", *confusion.class_names)
    return headers, [(name, *row) for name, row in zip(confusion.class_names, confusion.counts, strict=True)]


def matrix_is_shown(confusion: Confusion) -> bool:
    """Whether a page has room for the matrix."""
    return len(confusion.class_names) <= _MOST_ON_A_PAGE


def class_tables(confusion: Confusion) -> list[tuple[tuple[str, ...], list[tuple[Cell, ...]]]]:
    """Both tables, for a page; of very many classes the first alone."""
    return [recall_table(confusion), *([matrix_table(confusion)] if matrix_is_shown(confusion) else [])]


def render_confusion(confusion: Confusion) -> str:
    """Both tables; the matrix only where it fits a terminal."""
    parts = [render_table(*recall_table(confusion))]
    if len(confusion.class_names) <= _MOST_CLASSES:
        matrix = render_table(*matrix_table(confusion))
        if max(map(len, matrix.splitlines())) <= _MOST_COLUMNS:
            parts.append(matrix)
    return "\n\n".join(parts)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"

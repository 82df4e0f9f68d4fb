"""A comparison for a terminal, as a document, as Markdown for a pull request, and as test cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyedge.report.compare.comparison import Cell, Comparison, FigureRow, LayerRow, number
from tinyedge.report.compare.pareto import Pareto
from tinyedge.report.compare.subject import FIGURES
from tinyedge.report.junit import Case
from tinyedge.report.markdown import escape_markdown, markdown_table
from tinyedge.report.table import render_table

_SHAPELESS = "scalar"


def render_comparisons(comparisons: Sequence[Comparison], *, all_layers: bool = False) -> str:
    """Figures side by side with their changes; layers that differ, or all of them."""
    return "\n\n".join(_render(comparison, all_layers=all_layers) for comparison in comparisons) + "\n"


def _render(comparison: Comparison, *, all_layers: bool) -> str:
    if comparison.missing:
        return f"{'LOST' if comparison.lost else 'new'}: {comparison.missing}"
    subjects = comparison.subjects
    title = subjects[0].name if len({subject.name for subject in subjects}) == 1 else ""
    parts = [title] if title else []
    parts.append(render_table(("", *figure_headers(comparison)), figure_rows(comparison)))
    layers = [row for row in comparison.layers if all_layers or row.differs]
    if layers:
        parts.append(render_table(layer_headers(comparison, layers), layer_rows(comparison, layers)))
    elif comparison.layers:
        parts.append(f"all {len(comparison.layers)} layers cost the same")
    if comparison.notes:
        parts.append("\n".join(f"note: {note}" for note in comparison.notes))
    return "\n\n".join(parts)


def figure_headers(comparison: Comparison) -> tuple[str, ...]:
    """Of `figure_rows`, behind the name of the figure."""
    first, *others = comparison.subjects
    if len(others) == 1:
        return first.label, others[0].label, "change", "let through"
    return (first.label, *(text for other in others for text in (other.label, "change")))


def figure_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """A row for each figure; of two runs with what is let through, and `WORSE` where it was more."""
    rows = []
    for row in comparison.figures:
        base, *others = row.cells
        cells = [_title(row), _value(row, base)]
        for cell in others:
            cells += [_value(row, cell), _change(row, cell)]
        if len(others) == 1:
            limit = others[0].limit
            cells.append("-" if limit is None else number(row.figure, limit))
        rows.append(tuple(cells))
    return rows


def layer_headers(comparison: Comparison, layers: Sequence[LayerRow]) -> tuple[str, ...]:
    figure = _layer_figure(layers)
    first, *others = comparison.subjects
    told = (f"{other.label} {figure}" for other in others)
    return (
        "layer",
        "operator",
        "output",
        f"{first.label} {figure}",
        *(text for each in told for text in (each, "change")),
    )


def layer_rows(comparison: Comparison, layers: Sequence[LayerRow]) -> list[tuple[str | int | None, ...]]:
    """A row for each layer: instructions where they are known, else cycles."""
    figure = _layer_figure(layers)
    rows = []
    for layer in layers:
        row = layer.figures.get(figure)
        cells: list[str | int | None] = []
        for at, each in enumerate(row.cells if row is not None else ()):
            cells.append(None if each.known is None else round(each.known.value))
            if at:
                cells.append(_change(row, each) if row is not None else "-")
        shape = "x".join(map(str, layer.first.output_shape)) or _SHAPELESS
        missing = [None] * (2 * len(comparison.subjects) - 1 - len(cells))
        rows.append((str(layer.first.index), layer.first.operator, shape, *cells, *missing))
    return rows


def _layer_figure(layers: Sequence[LayerRow]) -> str:
    return "instructions" if any("instructions" in layer.figures for layer in layers) else "cycles"


def _title(row: FigureRow) -> str:
    kinds = dict.fromkeys(cell.known.kind for cell in row.cells if cell.known is not None)
    return f"{FIGURES[row.figure].title} ({', '.join(kinds)})"


def _value(row: FigureRow, cell: Cell) -> str:
    if cell.known is None:
        return "unknown"
    upper = "" if cell.known.upper is None else f" to {number(row.figure, cell.known.upper)}"
    return number(row.figure, cell.known.value) + upper


def _change(row: FigureRow, cell: Cell) -> str:
    base = row.cells[0].known
    if base is None or cell.known is None:
        return "-"
    difference = cell.known.value - base.value
    if not difference:
        return "same"
    if row.figure == "accuracy":
        text = f"{difference:+.4f}"
    elif cell.change_percent is None or row.figure == "mismatches":
        text = f"{difference:+,.0f}"
    else:
        text = f"{cell.change_percent:+.2f} %"
    return f"{text} WORSE" if cell.regressed else text


def compare_document(comparisons: Sequence[Comparison], pareto: Pareto | None) -> dict[str, Any]:
    """`tinyedge.compare/1`: each run's figures, their changes against the first's, and what is a regression."""
    return {
        "schema": "tinyedge.compare/1",
        "ok": not any(comparison.regressions or comparison.lost for comparison in comparisons),
        "comparisons": [_comparison_document(comparison) for comparison in comparisons],
        "pareto": None
        if pareto is None
        else {"x": pareto.x, "y": pareto.y, "points": [vars(point) for point in pareto.points]},
    }


def _comparison_document(comparison: Comparison) -> dict[str, Any]:
    return {
        "runs": [
            {
                "label": subject.label,
                "model": subject.model,
                "board": subject.board,
                "runtime": subject.runtime,
                "compiler": subject.compiler,
                "optimize": subject.optimize,
                "emulator": subject.emulator,
                "digests": dict(subject.digests),
            }
            for subject in comparison.subjects
        ],
        "figures": {row.figure: _row_document(row) for row in comparison.figures},
        "layers": [
            {
                "index": layer.first.index,
                "operator": layer.first.operator,
                "output_shape": list(layer.first.output_shape),
                "kernels": [None if each is None else each.kernel for each in layer.layers],
                "figures": {name: _row_document(row) for name, row in layer.figures.items()},
            }
            for layer in comparison.layers
        ],
        "regressions": [
            {
                "label": each.label,
                "figure": each.figure,
                "layer": None if each.layer is None else each.layer.index,
                "base": each.base,
                "value": each.found,
                "limit": each.limit,
            }
            for each in comparison.regressions
        ],
        "missing": comparison.missing or None,
        "lost": comparison.lost,
        "notes": list(comparison.notes),
    }


def _row_document(row: FigureRow) -> list[dict[str, Any]]:
    return [
        {
            "kind": None if cell.known is None else cell.known.kind,
            "value": None if cell.known is None else cell.known.value,
            "change_percent": cell.change_percent,
            "limit": cell.limit,
            "regressed": cell.regressed,
        }
        for cell in row.cells
    ]


def compare_markdown(comparisons: Sequence[Comparison]) -> str:
    """What a pull request is told: one line of judgement, then the figures, and the layers folded away."""
    worse = sum(len(comparison.regressions) + comparison.lost for comparison in comparisons)
    told = f"**{worse} regression{'s' if worse > 1 else ''}**" if worse else "no regression"
    parts = [f"### tinyedge: {told}"]
    for comparison in comparisons:
        if comparison.missing:
            parts.append(f"{'Lost' if comparison.lost else 'New'}: {comparison.missing}")
            continue
        parts.append(f"#### {escape_markdown(comparison.title)}")
        parts.append(markdown_table(("figure", *figure_headers(comparison)), figure_rows(comparison)))
        layers = [row for row in comparison.layers if row.differs]
        if layers:
            table = markdown_table(layer_headers(comparison, layers), layer_rows(comparison, layers))
            parts.append(f"<details><summary>{len(layers)} layers differ</summary>\n\n{table}\n\n</details>")
        if comparison.notes:
            parts.append("\n".join(f"- {escape_markdown(note)}" for note in comparison.notes))
    return "\n\n".join(parts) + "\n"


def compare_cases(comparisons: Sequence[Comparison]) -> tuple[Case, ...]:
    """A test case for each figure of each run behind the first."""
    cases = []
    for comparison in comparisons:
        if comparison.missing:
            cases.append(Case(f"{comparison.title}: is there", comparison.missing if comparison.lost else ""))
            continue
        for at, subject in enumerate(comparison.subjects[1:], 1):
            where = f"{comparison.title}: {subject.label}"
            told = {
                (each.figure, each.layer is None): str(each)
                for each in comparison.regressions
                if each.label == subject.label
            }
            for row in comparison.figures:
                skipped = "" if row.cells[at].limit is not None else "not judged"
                cases.append(Case(f"{where}: {FIGURES[row.figure].title}", told.get((row.figure, True), ""), skipped))
            layers = [
                str(each) for each in comparison.regressions if each.label == subject.label and each.layer is not None
            ]
            if layers:
                cases.append(Case(f"{where}: layers", "; ".join(layers)))
    return tuple(cases)

"""A comparison as a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyedge.report.compare.comparison import Comparison, number
from tinyedge.report.compare.forms import figure_headers, figure_rows, layer_headers, layer_rows
from tinyedge.report.compare.pareto import Pareto, pareto_svg
from tinyedge.report.compare.subject import FIGURES
from tinyedge.report.page import NARROW, WIDE, Drawn, made_on, template


def compare_html(comparisons: Sequence[Comparison], pareto: Pareto | None) -> str:
    """Figures and layers of all runs, what is worse than what is let through, and the picture if there is one."""
    labels = dict.fromkeys(subject.label for comparison in comparisons for subject in comparison.subjects)
    single = len(comparisons) == 1
    return template("compare").render(
        title=" and ".join(labels) if single and len(labels) == 2 else f"{len(labels)} runs compared",
        date=made_on(),
        regressions=[
            *(str(each) for comparison in comparisons for each in comparison.regressions),
            *(comparison.missing for comparison in comparisons if comparison.lost),
        ],
        picture=None if pareto is None else Drawn(pareto_svg(pareto, WIDE), pareto_svg(pareto, NARROW)),
        picture_x="" if pareto is None else FIGURES[pareto.x].title,
        picture_y="" if pareto is None else FIGURES[pareto.y].title,
        points=[]
        if pareto is None
        else [
            (f"{p.letter} {p.label}", number(pareto.x, p.x), number(pareto.y, p.y), "front" if p.front else "")
            for p in pareto.points
        ],
        parts=[_part(comparison) for comparison in comparisons],
    )


def _part(comparison: Comparison) -> dict[str, Any]:
    layers = [row for row in comparison.layers if row.differs]
    return {
        "title": comparison.title,
        "missing": comparison.missing,
        "headers": () if comparison.missing else figure_headers(comparison),
        "figures": figure_rows(comparison),
        "layer_headers": layer_headers(comparison, layers) if layers else (),
        "layers": layer_rows(comparison, layers) if layers else (),
        "notes": comparison.notes,
        "origin": [
            (s.label, s.model, s.board, s.runtime, s.compiler, s.optimize, s.digests.get("model", ""))
            for s in comparison.subjects
        ],
    }

"""Runtimes side by side as files: a page, JUnit XML, and Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tinyedge.artifacts import Measured
from tinyedge.paths import write_whole
from tinyedge.report.bench import bench_lines, bench_rows, layer_rows
from tinyedge.report.budgets import budget_cases, measured_lines
from tinyedge.report.confusion import matrix_is_shown
from tinyedge.report.files import require_folder
from tinyedge.report.html import memory_maps, origin_rows
from tinyedge.report.junit import junit_xml, run_cases
from tinyedge.report.markdown import escape_markdown, markdown_table
from tinyedge.report.page import made_on, template


@dataclass(frozen=True)
class BenchFiles:
    """Where to write what of a bench; None: not at all. Raises: UsageError for a file in a folder that is not there"""

    html: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None

    def __post_init__(self) -> None:
        for path in (self.html, self.junit, self.markdown):
            if path is not None:
                require_folder(path)

    def write(self, runs: Sequence[Measured]) -> None:
        """Make all of them, then write them. Raises: OSError."""
        made = ((self.html, bench_html), (self.junit, bench_junit), (self.markdown, bench_markdown))
        contents = [(path, form(runs).encode()) for path, form in made if path is not None]
        for path, content in contents:
            write_whole(path, content)


def bench_html(runs: Sequence[Measured]) -> str:
    """Figures and layers side by side, then the memory of each."""
    title, *about = bench_lines(runs)
    headers, rows = bench_rows(runs)
    layers = layer_rows(runs)
    return template("bench").render(
        title=title,
        date=made_on(),
        good=not any(run.run.mismatches or run.run.selftest_failure for run in runs),
        about=[line.strip() for line in about],
        headers=headers,
        rows=rows,
        layer_headers=() if layers is None else layers[0],
        layers=() if layers is None else layers[1],
        runs=[
            {
                "name": run.built.project.runtime,
                "maps": memory_maps(run),
                "confusion": run.run.confusion
                if run.run.confusion is not None and matrix_is_shown(run.run.confusion)
                else None,
                "origin": origin_rows(run),
            }
            for run in runs
        ],
        run_notes=[f"{run.built.project.runtime}: {note}" for run in runs for note in run.run.notes],
    )


def bench_junit(runs: Sequence[Measured]) -> str:
    """The promises of each run, and its budget."""
    prepared = runs[0].built.prepared
    cases = [
        replace(case, name=f"{run.built.project.runtime}: {case.name}")
        for run in runs
        for case in (*run_cases(run), *budget_cases(measured_lines(run)))
    ]
    return junit_xml(f"tinyedge.bench.{prepared.model.name}.{prepared.board.name}", cases)


def bench_markdown(runs: Sequence[Measured]) -> str:
    """The same in short."""
    title, *about = bench_lines(runs)
    parts = [f"### {escape_markdown(title)}", "\n".join(f"- {escape_markdown(line)}" for line in about)]
    parts.append(markdown_table(*bench_rows(runs)))
    over = [str(line) for run in runs for line in measured_lines(run) if line.over]
    if over:
        parts.append("**over the budget:** " + "; ".join(map(escape_markdown, over)))
    return "\n\n".join(parts) + "\n"

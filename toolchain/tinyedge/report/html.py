"""Reports as HTML: a self-contained page for a run, pieces for a notebook; no script, no request to anywhere."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import jinja2

from tinyedge.artifacts import Measured
from tinyedge.report.confusion import class_tables, shown_confusion
from tinyedge.report.json import run_document
from tinyedge.report.svg import plan_svg
from tinyedge.report.table import Cell, format_cell
from tinyedge.report.text import layer_table, memory_rows, run_summary


def run_html(measured: Measured) -> str:
    """The report of a run as a page: summary, memory, layers, the memory plan, digests."""
    prepared, run = measured.built.prepared, measured.run
    headers, layers = layer_table(run)
    spent = [layer.cycles or layer.instructions or 0 for layer in run.layers]
    largest = max(spent, default=0) or 1
    confusion = shown_confusion(measured)
    return _template("run").render(
        title=f"{prepared.model.name} on {prepared.board.name}",
        about=f"{measured.built.project.runtime} runtime, {measured.built.image.compiler}, {measured.emulator}",
        mismatches=run.mismatches,
        selftest_failure=run.selftest_failure,
        summary=run_summary(measured),
        memory_headers=("memory", "used", "of", "share", "known from"),
        memory=memory_rows(measured),
        layer_headers=headers,
        layers=layers if run.layers else (),
        bars_rem=[8 * part / largest for part in spent],
        classes=() if confusion is None else class_tables(confusion),
        picture=plan_svg(prepared.memory) if prepared.memory is not None else "",
        notes=run.notes,
        digests=list(run_document(measured)["digests"].items()),
    )


def html_piece(title: str, about: str, tables: Sequence[tuple[Sequence[str], Sequence[Sequence[Cell]]]]) -> str:
    """A heading and tables (headers, rows), for a page of somebody else's: a notebook's."""
    return _template("piece").render(title=title, about=about, tables=tables)


@functools.cache
def _template(name: str) -> jinja2.Template:
    """Everything is escaped but what the template calls safe."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).with_name("templates")),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=True,
    )
    environment.filters["cell"] = format_cell
    return environment.get_template(f"{name}.html.j2")

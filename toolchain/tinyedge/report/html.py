"""One self-contained HTML page for a run: no script, no request to anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from tinyedge.artifacts import Measured
from tinyedge.report.json import run_document
from tinyedge.report.svg import plan_svg
from tinyedge.report.table import Cell, format_cell
from tinyedge.report.text import layer_table, memory_rows, run_summary

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1b1b1b; }
table { border-collapse: collapse; margin: 0.5rem 0 1.5rem; }
th, td { padding: 0.2rem 0.7rem; text-align: left; border-bottom: 1px solid #ddd; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
.good { color: #20682d; } .bad { color: #a30015; font-weight: bold; }
code { font-size: 0.85em; } svg { max-width: 100%; height: auto; }
.bar { background: #8ecae6; height: 0.7rem; min-width: 1px; }
"""


def run_html(measured: Measured) -> str:
    """The report of a run as a page: summary, memory, layers, the memory plan, digests."""
    prepared, run = measured.built.prepared, measured.run
    title = f"{prepared.model.name} on {prepared.board.name}"
    verdict = ("bad", f"{run.mismatches:,} mismatches") if run.mismatches else ("good", "bit-exact")
    about = f"{measured.built.project.runtime} runtime, {measured.built.image.compiler}, {measured.emulator}"
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style></head>',
        f'<body><h1>{escape(title)} <small class="{verdict[0]}">{verdict[1]}</small></h1>',
        f"<p>{escape(about)}</p>",
        _table((), run_summary(measured)),
        "<h2>Memory</h2>",
        _table(("memory", "used", "of", "share", "known from"), memory_rows(measured)),
    ]
    if run.layers:
        parts += ["<h2>Layers</h2>", _layers(measured)]
    if prepared.memory is not None:
        parts += ["<h2>Arena over time</h2>", plan_svg(prepared.memory)]
    if run.notes:
        parts += ["<h2>Notes</h2>", "<ul>", *(f"<li>{escape(note)}</li>" for note in run.notes), "</ul>"]
    digests = run_document(measured)["digests"].items()
    parts += ["<h2>Made from</h2>", _table((), list(digests)), "</body></html>"]
    return "\n".join(parts) + "\n"


def _layers(measured: Measured) -> str:
    headers, rows = layer_table(measured.run)
    spent = [layer.cycles or layer.instructions or 0 for layer in measured.run.layers]
    largest = max(spent, default=0) or 1
    bars = [f'<div class="bar" style="width:{8 * part / largest:.2f}rem"></div>' for part in spent] + [""]
    return _table((*headers, ""), rows, bars)


def _table(headers: Sequence[str], rows: Sequence[Sequence[Cell]], last: Sequence[str] = ()) -> str:
    """A table; `last` holds one more cell for each row, as HTML."""
    lines = ["<table>"]
    if headers:
        lines.append("<tr>" + "".join(f"<th>{escape(header)}</th>" for header in headers) + "</tr>")
    for i, row in enumerate(rows):
        cells = "".join(_cell(cell) for cell in row)
        lines.append(f"<tr>{cells}{f'<td>{last[i]}</td>' if last else ''}</tr>")
    return "\n".join((*lines, "</table>"))


def _cell(cell: Cell) -> str:
    start = '<td class="number">' if isinstance(cell, int) or cell is None else "<td>"
    return f"{start}{escape(format_cell(cell))}</td>"

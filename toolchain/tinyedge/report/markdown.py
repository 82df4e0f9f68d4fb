"""Markdown for pull requests: tables, and a run in short."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyedge.artifacts import Measured
from tinyedge.report.budgets import measured_lines
from tinyedge.report.table import Cell, format_cell
from tinyedge.report.text import memory_rows, run_summary

_ACTIVE = re.compile(r"([\\`*_{}\[\]<>#|~@!])")


def escape_markdown(text: str) -> str:
    """Text that Markdown shows as it is: names come from files.

    >>> escape_markdown("a|b <c>")
    'a\\\\|b \\\\<c\\\\>'
    """
    return _ACTIVE.sub(r"\\\1", " ".join(text.split()))


def markdown_table(headers: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table; a column is to the right where its cells begin with a digit."""
    texts = [[format_cell(cell) for cell in row] for row in rows]
    right = [
        bool(texts) and all(row[at][:1].isdigit() or row[at][:1] in "+-" for row in texts) for at in range(len(headers))
    ]
    lines = [
        "| " + " | ".join(escape_markdown(header) for header in headers) + " |",
        "|" + "|".join("--:" if numeric else "---" for numeric in right) + "|",
        *("| " + " | ".join(map(escape_markdown, row)) + " |" for row in texts),
    ]
    return "\n".join(lines)


def run_markdown(measured: Measured) -> str:
    """A run in short: whether it is right, its figures, its memory, and its budget."""
    run, prepared = measured.run, measured.built.prepared
    lines = measured_lines(measured)
    over = [line for line in lines if line.over]
    if run.mismatches or run.selftest_failure:
        told = f"**{run.mismatches:,} of {run.samples:,} samples differ**" if run.mismatches else "**self-test failed**"
    elif over:
        told = f"**{len(over)} figure{'s' if len(over) > 1 else ''} over the budget**"
    else:
        told = "every output right" + (", within the budget" if lines else "")
    parts = [
        f"### {escape_markdown(prepared.model.name)} on {escape_markdown(prepared.board.name)}: {told}",
        markdown_table(("figure", "of this run"), run_summary(measured)),
        markdown_table(("memory", "used", "of", "share", "known from"), memory_rows(measured)),
    ]
    if lines:
        rows = [
            (
                line.figure,
                _shown(line.figure, line.budget),
                "unknown" if line.found is None else _shown(line.figure, line.found),
                "over" if line.over else "kept",
            )
            for line in lines
        ]
        parts.append(markdown_table(("figure", "budget", "found", ""), rows))
    parts.append(f"{escape_markdown(measured.built.image.compiler)}, {escape_markdown(measured.emulator)}")
    return "\n\n".join(parts) + "\n"


def _shown(figure: str, value: float) -> str:
    return f"{value:.4f}" if figure == "accuracy" else f"{value:,.0f}"

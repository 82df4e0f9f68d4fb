"""The table of a benchmark, as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.budgets import FIGURES, Budgets, broken_promises, budget_of, compare, figures, promise_of
from benchmarks.models import Refused, Row
from tinyedge.report.table import Cell, render_table

_TITLES = {
    "instructions": "instructions",
    "cycles": "cycles",
    "arena_bytes": "arena B",
    "code_bytes": "code B",
    "flash_bytes": "flash B",
}


def render(rows: Sequence[Row], refused: Sequence[Refused], budgets: Budgets) -> str:
    """One line a model and optimization; what is above its promise is marked with `!`; then what is refused."""
    headers = ["model", "optimize", "MACs", *(_TITLES[name] for name in FIGURES), "differ", "plan s", "build s"]
    lines: list[list[Cell]] = []
    for row in rows:
        promise = promise_of(row, budgets)
        found = figures(row)
        cells = [_cell(found.get(name), promise.get(name)) for name in FIGURES]
        differ = f"{row.mismatches} of {row.samples}"
        lines.append(
            [row.model, row.optimize, row.macs, *cells, differ, f"{row.plan_seconds:.2f}", f"{row.build_seconds:.2f}"]
        )
    first = rows[0]
    error = first.cycles and first.cycles.error_percent
    notes = [
        f"on {first.board}, {first.compiler}, {first.emulator}",
        "instructions: counted, of one inference; cycles: modelled, waits for memory where they are known"
        + (f", error {error:g} %" if error else ""),
        "code: the flash image without the constants of the plan; differ: samples whose outputs are not the oracle's",
        *(f"! {line}" for line in broken_promises(rows, budgets)),
        *(f"over budget: {line}" for line in compare(rows, budgets)),
        *(f"{row.model} {row.optimize}: {_digests(row)}" for row in rows),
        *(f"refused: {model.reason}" for model in refused),
    ]
    return render_table(headers, lines) + "\n\n" + "\n".join(notes)


def _cell(value: int | None, promise: int | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}{'!' if promise is not None and value > promise else ''}"


def _digests(row: Row) -> str:
    return ", ".join(f"{name} {value[:16]}" for name, value in row.digests.items())


def document(rows: Sequence[Row], refused: Sequence[Refused], budgets: Budgets) -> dict[str, Any]:
    """`tinyedge.benchmarks/1`."""
    return {
        "schema": "tinyedge.benchmarks/1",
        "rows": [
            {
                "model": row.model,
                "board": row.board,
                "optimize": row.optimize,
                "macs": row.macs,
                "instructions": row.instructions.to_json(),
                "cycles": row.cycles and row.cycles.to_json(),
                "arena_bytes": row.arena_bytes,
                "code_bytes": row.code_bytes,
                "flash_bytes": row.flash_bytes,
                "verify": {"samples": row.samples, "mismatches": row.mismatches},
                "seconds": {"plan": round(row.plan_seconds, 3), "build": round(row.build_seconds, 3)},
                "compiler": row.compiler,
                "emulator": row.emulator,
                "digests": row.digests,
                "budget": budget_of(row, budgets) or None,
                "at_most": promise_of(row, budgets) or None,
            }
            for row in rows
        ],
        "refused": [{"model": model.model, "digest": model.digest, "reason": model.reason} for model in refused],
        "over_budget": compare(rows, budgets),
        "broken_promises": broken_promises(rows, budgets),
    }

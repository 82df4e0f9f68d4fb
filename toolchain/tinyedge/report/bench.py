"""Runtimes side by side: the same model on the same board, each figure with its ratio to the first runtime's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyedge.artifacts import Figure, Measured
from tinyedge.report.confusion import render_confusion, shown_confusion
from tinyedge.report.measured import measured_document
from tinyedge.report.percentiles import latency_spread
from tinyedge.report.table import Cell, describe_kind, format_time, render_table


@dataclass(frozen=True)
class _Row:
    """One figure of all runs; None where a run does not have it."""

    name: str
    values: tuple[float | None, ...]
    unit: str = ""

    def text(self, value: float | None) -> str:
        if value is None:
            return "unknown"
        return format_time(value) if self.unit == "us" else f"{value:,.0f}{self.unit and ' ' + self.unit}"

    def ratio(self, i: int) -> float | None:
        """Of run `i` to the first."""
        first, value = self.values[0], self.values[i]
        return value / first if first and value is not None else None


def render_bench(runs: Sequence[Measured]) -> str:
    """A column for each runtime and one for each ratio to the first."""
    names = [run.built.project.runtime for run in runs]
    notes = [f"note: {names[i]}: {note}" for i, run in enumerate(runs) for note in run.run.notes]
    layers = layer_rows(runs)
    tables = [
        render_table(*bench_rows(runs)),
        "" if layers is None else render_table(*layers),
        _classes(runs, names),
    ]
    return "\n\n".join(part for part in ("\n".join(bench_lines(runs)), *tables, "\n".join(notes)) if part) + "\n"


def bench_lines(runs: Sequence[Measured]) -> list[str]:
    """What was run, and in a line of each runtime what it is and whether it was right."""
    first = runs[0].built.prepared
    lines = [f"{first.model.name} on {first.board.name}, optimized for {first.plan.optimize}, {runs[0].emulator}"]
    for run in runs:
        library = run.built.project.library
        about = f", {library.name}" if library is not None else ""
        verdict = f"{run.run.samples:,} samples, {run.run.mismatches:,} mismatches"
        if run.run.selftest_failure:
            verdict += "; SELF-TEST FAILED"
        if run.run.device_accuracy is not None and run.samples.source:
            verdict += f"; accuracy {run.run.device_accuracy:.4f} on {run.samples.source}"
        lines.append(f"  {run.built.project.runtime}: {run.built.image.compiler}{about}; {verdict}")
    return lines


def bench_rows(runs: Sequence[Measured]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Headers, and a row for each figure."""
    names = [run.built.project.runtime for run in runs]
    headers = ("of one inference, median", *names, *(f"{name} / {names[0]}" for name in names[1:]))
    return headers, [
        (row.name, *(row.text(value) for value in row.values), *(_times(row.ratio(i)) for i in range(1, len(runs))))
        for row in _rows(runs)
    ]


def bench_document(runs: Sequence[Measured]) -> dict[str, Any]:
    """`tinyedge.bench/2`: the document of each run, its bytes of code, and every figure's ratio to the first run's."""
    names = [run.built.project.runtime for run in runs]
    documents = []
    for run in runs:
        document = measured_document(run)
        document["memory"]["code_bytes"] = _code_bytes(run)
        documents.append(document)
    return {
        "schema": "tinyedge.bench/2",
        "model": documents[0]["model"],
        "board": documents[0]["board"],
        "runtimes": names,
        "runs": documents,
        "ratios": {names[i]: {_key(row.name): row.ratio(i) for row in _rows(runs)} for i in range(1, len(runs))},
    }


def _rows(runs: Sequence[Measured]) -> list[_Row]:
    latencies = [run.run.latency_us for run in runs]
    spreads = [latency_spread(run) for run in runs]
    return [
        _Row(
            _title("instructions", [run.run.instructions for run in runs]), _values([r.run.instructions for r in runs])
        ),
        _Row(_title("cycles", [run.run.cycles for run in runs]), _values([run.run.cycles for run in runs])),
        _Row(_title("latency", latencies), _values(latencies), "us"),
        *(
            _Row(_title(f"latency {name}", latencies), tuple(None if s is None else s[name] for s in spreads), "us")
            for name in ("p95", "max")
            if any(spreads)
        ),
        _Row("arena", tuple(run.built.project.arena_bytes for run in runs), "B"),
        _Row("RAM (linked, with the stack reserved)", tuple(run.built.image.size.ram_bytes for run in runs), "B"),
        _Row("stack peak", tuple(run.run.stack_peak_bytes or None for run in runs), "B"),
        _Row("flash", tuple(run.built.image.size.flash_bytes for run in runs), "B"),
        _Row("code (flash without constants)", tuple(_code_bytes(run) for run in runs), "B"),
    ]


def _code_bytes(run: Measured) -> int:
    size = run.built.image.size
    return size.flash_bytes - size.constant_bytes


def _values(figures: Sequence[Figure | None]) -> tuple[float | None, ...]:
    return tuple(None if figure is None else figure.value for figure in figures)


def _title(name: str, figures: Sequence[Figure | None]) -> str:
    """A figure's name with its kind, and its error."""
    known = next((figure for figure in figures if figure is not None), None)
    if known is None:
        return name
    lower = ", the lower" if known.upper is not None else ""
    return f"{name} ({describe_kind(known)}{lower})"


def _key(title: str) -> str:
    return title.partition(" (")[0].replace(" ", "_")


def _times(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def layer_rows(runs: Sequence[Measured]) -> tuple[tuple[str, ...], list[tuple[Cell, ...]]] | None:
    """Headers, and instructions by layer of the file, cycles where nobody counts instructions, as on a board; a layer
    that a runtime fused into another has none of its own. None where no layers are known."""
    names = [run.built.project.runtime for run in runs]
    tables = [{layer.index: layer for layer in run.run.layers} for run in runs]
    indices = sorted({index for table in tables for index in table})
    if not indices:
        return None
    counted = any(layer.instructions is not None for table in tables for layer in table.values())
    figure = "instructions" if counted else "cycles"
    rows: list[tuple[Cell, ...]] = []
    for index in indices:
        known = next(table[index] for table in tables if index in table)
        counts = [getattr(table[index], figure) if index in table else None for table in tables]
        rows.append((str(index), known.operator, "x".join(map(str, known.output_shape)) or "scalar", *counts))
    return ("layer", "operator", "output", *(f"{name} {figure}" for name in names)), rows


def _classes(runs: Sequence[Measured], names: Sequence[str]) -> str:
    """The recall of each class; one column where all runtimes said the same, as they do unless one is wrong."""
    found = [
        (name, shown) for name, run in zip(names, runs, strict=True) if (shown := shown_confusion(run)) is not None
    ]
    if not found:
        return ""
    if len({confusion for _, confusion in found}) == 1:
        return render_confusion(found[0][1])
    return "\n\n".join(f"{name}\n{render_confusion(confusion)}" for name, confusion in found)

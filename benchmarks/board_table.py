"""The table of all boards, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.boards import FAILED, FITS, MISSING, TOO_LARGE, Cell, Ran
from tinyedge import __version__
from tinyedge.emulate import EMULATORS
from tinyedge.report.table import Cell as Text
from tinyedge.report.table import format_cell, render_table

_PAGE = """\
# Every board

Every board in every emulator that has it, as one run found them; [emulators.md](emulators.md) explains the counts.
`python -m benchmarks boards --page docs/board-table.md` makes this page anew.

"""


def render(cells: Sequence[Cell], left_out: Sequence[str]) -> str:
    """One line a board, model and compiler, and below what is to be said of them."""
    headers, lines = _table(cells)
    return render_table(headers, lines) + "\n\n" + "\n".join(_notes(cells, left_out))


def render_page(cells: Sequence[Cell], left_out: Sequence[str]) -> str:
    """The same as a page of Markdown."""
    headers, lines = _table(cells)
    rows = [headers, ["---"] * len(headers), *([format_cell(text) for text in line] for line in lines)]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return _PAGE + table + "\n" + "".join(f"- {note}\n" for note in _notes(cells, left_out))


def _table(cells: Sequence[Cell]) -> tuple[list[str], list[list[Text]]]:
    """(headers, lines)."""
    names = [name for name in EMULATORS if any(name in cell.board.emulators for cell in cells)]
    headers = ["board", "model", "compiler", "outcome", "flash B", "RAM B", "arena B", "image", *names]
    return [*headers, "bit-exact", "counts", "cycles"], [_line(cell, names) for cell in cells]


def _line(cell: Cell, names: Sequence[str]) -> list[Text]:
    outcome = "FAILED" if cell.problems else cell.outcome
    head: list[Text] = [cell.board.name, cell.model, cell.compiler.split()[0], outcome]
    if cell.image is None:
        return [*head, *[None] * (len(names) + 7)]
    size = cell.image.size
    runs = {run.emulator: run for run in cell.runs}
    counts: list[Text] = [_count(runs[name]) if name in runs else None for name in names]
    image = ", ".join(cell.checked) or None
    cycles = next((int(run.cycles.value) for run in cell.runs if run.cycles is not None), None)
    return [
        *head,
        size.flash_bytes,
        size.ram_bytes,
        cell.arena_bytes,
        image,
        *counts,
        _exact(cell),
        _agree(cell),
        cycles,
    ]


def _count(run: Ran) -> str:
    if run.outcome != FITS:
        return "FAILED" if run.outcome == FAILED else run.outcome
    return "ran" if run.instructions is None else f"{int(run.instructions.value):,}"


def _exact(cell: Cell) -> str | None:
    """How many samples were right, in the emulator that had the fewest."""
    ran = [run for run in cell.runs if run.outcome != MISSING]
    if not ran:
        return None
    worst = min(ran, key=lambda run: run.samples - run.mismatches)
    return f"{worst.samples - worst.mismatches:,} of {max(run.samples for run in ran):,}"


def _agree(cell: Cell) -> str | None:
    if cell.apart is None:
        return None
    return "equal" if not cell.apart else f"{cell.apart:,} apart"


def _notes(cells: Sequence[Cell], left_out: Sequence[str]) -> list[str]:
    counted = sum(cell.apart is not None for cell in cells)
    ran = [run for cell in cells for run in cell.runs if run.outcome != MISSING]
    notes = [
        f"{len(cells)} images: {_how_many(cells, FITS)} linked and checked, {_how_many(cells, TOO_LARGE)} too large, "
        f"{_how_many(cells, FAILED)} failed; {len(ran)} runs, {sum(run.is_right for run in ran)} bit-exact; "
        f"{counted} images counted by two emulators",
        f"with {', '.join(f'{name} {version}' for name, version in versions(cells).items())}",
        "flash, RAM: of the linked image, with the stack reserved; image: what was read back and checked; emulators: "
        "instructions (counted) of one inference, median; cycles: modelled, at zero wait states; counts: of all "
        "emulators, layer by layer",
        *left_out,
    ]
    notes += _missing(cells)
    notes += [f"does not fit: {cell.why}" for cell in cells if cell.outcome == TOO_LARGE]
    notes += [
        f"{_name(cell)}: {run.emulator} notes: {note}" for cell in cells for run in cell.runs for note in run.notes
    ]
    notes += problems(cells)
    return notes


def problems(cells: Iterable[Cell]) -> list[str]:
    """One line for everything that failed."""
    return [f"FAILED {_name(cell)}: {problem}" for cell in cells for problem in cell.problems]


def _name(cell: Cell) -> str:
    return f"{cell.board.name} {cell.model} {cell.compiler.split()[0]}"


def _how_many(cells: Sequence[Cell], outcome: str) -> int:
    return sum(cell.outcome == outcome for cell in cells)


def _missing(cells: Sequence[Cell]) -> list[str]:
    why = {run.emulator: run.why for cell in cells for run in cell.runs if run.outcome == MISSING}
    notes = []
    for name, text in why.items():
        boards = sorted({c.board.name for c in cells for r in c.runs if (r.emulator, r.outcome) == (name, MISSING)})
        notes.append(f"{text}; not run there: {', '.join(boards)}")
    return notes


def versions(cells: Sequence[Cell]) -> dict[str, str]:
    """Every program that made a figure, and tinyedge, with its version."""
    found = {"tinyedge": __version__}
    for cell in cells:
        name, _, version = cell.compiler.partition(" ")
        if version:
            found[name] = version
        found |= {run.emulator: run.version for run in cell.runs if run.version and run.emulator != "native"}
    return found


def document(cells: Sequence[Cell], left_out: Sequence[str]) -> dict[str, Any]:
    """`tinyedge.benchmarks.boards/1`."""
    return {
        "schema": "tinyedge.benchmarks.boards/1",
        "versions": versions(cells),
        "cells": [_cell_document(cell) for cell in cells],
        "left_out": list(left_out),
        "problems": problems(cells),
    }


def _cell_document(cell: Cell) -> dict[str, Any]:
    made: dict[str, Any] = {
        "board": cell.board.name,
        "core": cell.board.core.name,
        "model": cell.model,
        "compiler": cell.compiler,
        "outcome": cell.outcome,
        "why": cell.why or None,
        "problems": list(cell.problems),
    }
    if cell.image is None:
        return made
    size = cell.image.size
    return made | {
        "flash_bytes": size.flash_bytes,
        "flash_limit_bytes": size.flash_limit_bytes,
        "ram_bytes": size.ram_bytes,
        "ram_limit_bytes": size.ram_limit_bytes,
        "arena_bytes": cell.arena_bytes,
        "elf": cell.image.digest,
        "image_checked": list(cell.checked),
        "runs": [_run_document(run) for run in cell.runs],
        "counts_apart": cell.apart,
    }


def _run_document(run: Ran) -> dict[str, Any]:
    made: dict[str, Any] = {"emulator": run.emulator, "version": run.version or None, "outcome": run.outcome}
    if run.outcome == MISSING:
        return made | {"why": run.why}
    return made | {
        "why": run.why or None,
        "verify": {"samples": run.samples, "mismatches": run.mismatches},
        "instructions": None if run.instructions is None else run.instructions.to_json(),
        "layer_instructions": list(run.layers),
        "cycles": None if run.cycles is None else run.cycles.to_json(),
        "stack_peak_bytes": run.stack_peak_bytes,
        "notes": list(run.notes),
    }

"""Runs whose figures `benchmarks.rates` learns from: models built and emulated on a board of each core.

    python -m benchmarks.rates_counts counts.jsonl shared/models/*.tflite

A line for each run; runs that the file holds already are not made again.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tinyedge.artifacts import Built, FlashReads, Plan, PlanUnit, Silence
from tinyedge.boards import Board, Memory, list_boards, load_board
from tinyedge.build.flags import supports_gcc
from tinyedge.convert import DEFAULTS
from tinyedge.cost.flash import flash_parts
from tinyedge.cost.predict import profile_bytes
from tinyedge.cost.units import STREAM, unit_work
from tinyedge.emulate import choose
from tinyedge.emulate.contract import start_target
from tinyedge.errors import TinyEdgeError
from tinyedge.jobs.measure import measure
from tinyedge.jobs.train import load_model
from tinyedge.runtimes import make_runtime

COMPILERS = ("zig", "gcc")
BOARDS = ("mps2_an386", "rpi_pico", "mps3_an547", "esp32c3_devkitm", "nucleo_u575zi_q", "nucleo_h743zi", "bluepill")
"""one for each core that code is made for"""
CACHED_BOARDS = ("nrf52840dk", "nucleo_l4r5zi")
"""whose misses are counted, with one compiler"""
_FLASH_BYTES, _RAM_BYTES = 2 << 20, 1 << 20


def roomy(board: Board) -> Board:
    """The board with memory for all models: counts do not hang on it."""
    if board.flash.size_bytes >= _FLASH_BYTES // 4:
        return board
    memories = (Memory("flash", board.flash.start, _FLASH_BYTES), Memory("ram", board.ram.start, _RAM_BYTES))
    return dataclasses.replace(board, memories=memories)


def count_model(path: Path, board: Board, compiler: str, folder: Path) -> dict[str, Any]:
    """One run. Raises: TinyEdgeError when the model does not run there."""
    built = _build(path, board, compiler, folder)
    start = functools.partial(start_target, choose(board), built.image, board)
    run = measure(built, Silence(), start, "random:1", 1).run
    assert not run.mismatches
    assert run.instructions is not None
    return _facts(path, board, compiler, built) | {
        "instructions": int(run.instructions.value),
        "cycles": None if run.cycles is None else int(run.cycles.value),
        "reads": _reads(run.reads),
        "layers": [
            {"n": layer.instructions, "c": layer.cycles, "r": _reads(layer.reads), "kernel": layer.kernel}
            for layer in run.layers
        ],
    }


def build_model(path: Path, board: Board, compiler: str, folder: Path) -> dict[str, Any]:
    """Sizes alone."""
    return _facts(path, board, compiler, _build(path, board, compiler, folder))


def _build(path: Path, board: Board, compiler: str, folder: Path) -> Built:
    model = load_model(str(path), folder, Silence(), None, DEFAULTS).model
    runtime = make_runtime("aot")
    return runtime.build(runtime.prepare(model, board, "balanced", folder, Silence()), compiler, folder, Silence())


def _facts(path: Path, board: Board, compiler: str, built: Built) -> dict[str, Any]:
    """Sizes, and what was built: the work of each unit, the pieces of the firmware."""
    size, plan = built.image.size, built.prepared.memory
    assert plan is not None
    pieces = flash_parts(plan)
    return {
        "units": [_unit(plan, unit, board) for unit in plan.units],
        "constants": pieces.constant_bytes,
        "parts": dict(pieces.parts),
        "stated": dict(pieces.stated),
        "arena": plan.arena_bytes,
        "state": plan.state_bytes,
        "profile": profile_bytes(plan),
        "model": path.stem,
        "board": board.name,
        "core": board.core.name,
        "compiler": compiler,
        "flash": size.flash_bytes,
        "ram": size.ram_bytes,
    }


def _unit(plan: Plan, unit: PlanUnit, board: Board) -> dict[str, Any]:
    """A unit, what it executes, and how often its end is told."""
    work = unit_work(plan, unit, board.core)
    calls = work.get((STREAM, "calls"), 1.0) if unit.group is not None else 1.0
    parts = [[kernel, part, count] for (kernel, part), count in work.items()]
    return {"first": unit.first, "last": unit.last, "calls": calls, "work": parts}


def _reads(reads: FlashReads | None) -> list[int] | None:
    if reads is None:
        return None
    return [reads.code_misses, reads.data_misses, reads.code_lines, reads.stall_cycles]


def _wanted(models: Sequence[Path]) -> Iterator[tuple[str, str, Path | None]]:
    """(board, compiler, model); no model: the smallest, for its sizes alone."""
    for name in BOARDS:
        for compiler in COMPILERS:
            if compiler == "zig" or supports_gcc(load_board(name).core):
                yield from ((name, compiler, model) for model in models)
    for name in CACHED_BOARDS:
        yield from ((name, "zig", model) for model in models)
    for board in list_boards():
        for compiler in COMPILERS if board.memories else ():
            if board.name not in BOARDS and (compiler == "zig" or supports_gcc(board.core)):
                yield board.name, compiler, None


def _is_of(only: str, board: str) -> bool:
    return not only or board in only.split(",")


def main(arguments: Sequence[str]) -> None:
    """See the module."""
    only = os.environ.get("TINYEDGE_RATES_BOARDS", "")
    out, models = Path(arguments[0]), sorted(map(Path, arguments[1:]), key=lambda path: path.stat().st_size)
    lines = out.read_text().splitlines() if out.exists() else []
    done = {(r["board"], r["compiler"], r["model"], "layers" in r or "error" in r) for r in map(json.loads, lines)}
    with tempfile.TemporaryDirectory() as folder:
        for name, compiler, model in _wanted(models):
            path = model or models[0]
            if (name, compiler, path.stem, model is not None) in done or not _is_of(only, name):
                continue
            try:
                make = build_model if model is None else count_model
                record = make(path, roomy(load_board(name)), compiler, Path(folder) / f"{name}-{compiler}")
            except TinyEdgeError as error:
                record = {"model": path.stem, "board": name, "compiler": compiler, "error": str(error)}
            with out.open("a") as file:
                file.write(json.dumps(record) + "\n")
            print(name, compiler, path.stem, record.get("error", ""), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])

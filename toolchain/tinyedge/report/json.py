"""The documents of `--json`. Each names its schema; keys may be added to a schema, never renamed or removed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tinyedge.artifacts import (
    ArenaProof,
    Conversion,
    Figure,
    FirmwareProject,
    FlashReads,
    Image,
    Measured,
    Plan,
    QuantizedModel,
    Run,
    SizeTable,
)
from tinyedge.artifacts.folds import Folds
from tinyedge.boards import Board
from tinyedge.digests import digest
from tinyedge.report.memory import memory_over_time, peak_step
from tinyedge.report.weights import plan_weights, weights_json

_LARGEST = 10
"""symbols in a document"""


def run_document(measured: Measured) -> dict[str, Any]:
    """`tinyedge.run/2`: figures are of one inference, medians over the samples; null where nothing counts them.

    `cycles` hold the waits for memory where `memory_model` is `calibrated`. With `bounds`, `upper` stands beside the
    lower one in `cycles` and `latency_us`; with `zero_wait_states` there is no latency.
    """
    built, run = measured.built, measured.run
    model, board, plan = built.prepared.model, built.prepared.board, built.prepared.plan
    size, weights = built.image.size, plan_weights(built.prepared.memory)
    return {
        "schema": "tinyedge.run/2",
        "model": model.name,
        "board": board.name,
        "runtime": built.project.runtime,
        "compiler": built.image.compiler,
        "emulator": measured.emulator,
        **({"made_up_data": model.made_up} if model.made_up else {}),
        **({"trained_by": dict(model.trained_by)} if model.trained_by else {}),
        "accuracy": {
            "float": model.float_accuracy,
            "int8": model.int8_accuracy,
            "device": run.device_accuracy,
            "further": {
                head.name: {
                    "float": head.float_accuracy,
                    "int8": head.int8_accuracy,
                    "device": run.further_accuracies.get(head.name),
                }
                for head in model.further_labels
            },
        },
        "verify": {"samples": run.samples, "mismatches": run.mismatches, "first_mismatch": _mismatch(run)},
        "instructions": _figure(run.instructions, run.instructions_spread),
        "cycles": {"error_percent": None} | _figure(run.cycles, run.cycles_spread),
        "latency_us": _figure(run.latency_us, None),
        "memory": {
            "flash_bytes": size.flash_bytes,
            "ram_bytes": size.ram_bytes,
            "arena_bytes": built.project.arena_bytes,
            "state_bytes": built.project.state_bytes,
            "stack_peak_bytes": run.stack_peak_bytes,
            "flash_limit_bytes": size.flash_limit_bytes,
            "ram_limit_bytes": size.ram_limit_bytes,
        },
        "layers": [
            {
                "index": layer.index,
                "operator": layer.operator,
                "output_shape": list(layer.output_shape),
                "macs": layer.macs,
                "instructions": layer.instructions,
                "cycles": layer.cycles,
                "kernel": layer.kernel,
                "flash_reads": _reads(layer.reads),
                "weights": weights.get(layer.index),
            }
            for layer in run.layers
        ],
        "digests": {
            "model": model.digest,
            "samples": measured.samples.digest,
            "outputs": digest(*(array.tobytes() for array in run.outputs)),
            "project": built.project.digest,
            "elf": built.image.digest,
        },
        "optimize": plan.optimize,
        "library": _library(built.project),
        "arena": _arena(built.arena),
        "reference": measured.reference_name,
        "notes": list(run.notes),
        "selftest": run.selftest,
        "class_names": list(measured.samples.class_names or model.class_names),
        "data": measured.samples.source or None,
        "confusion": None if run.confusion is None else run.confusion.to_json(),
        "features": _features(measured),
        "memory_model": _memory_model(run),
        **({} if run.exits is None else {"early_exit": run.exits.to_json()}),
    }


def runs_document(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`tinyedge.runs/2`: a `tinyedge.run/2` for each model of one firmware."""
    return {"schema": "tinyedge.runs/2", "runs": list(runs)}


def build_document(project: FirmwareProject, image: Image, arena: ArenaProof | None = None) -> dict[str, Any]:
    """`tinyedge.build/1`: sizes, sections, the largest symbols, and the files."""
    files = {"elf": image.elf, "hex": image.hex, "bin": image.bin, "uf2": image.uf2}
    return {
        "schema": "tinyedge.build/1",
        "model": project.model,
        "board": project.board.name,
        "runtime": project.runtime,
        "compiler": image.compiler,
        "library": _library(project),
        "arena": _arena(arena),
        "memory": _size(image.size) | {"arena_bytes": project.arena_bytes, "state_bytes": project.state_bytes},
        "sections": [
            {"name": name, "flash_bytes": flash, "ram_bytes": ram} for name, flash, ram in image.size.sections
        ],
        "symbols": [
            {"name": symbol.name, "section": symbol.section, "bytes": symbol.bytes}
            for symbol in image.size.symbols[:_LARGEST]
        ],
        "files": {kind: None if path is None else str(path) for kind, path in files.items()},
        "digests": {"project": project.digest, "elf": image.digest},
    }


def train_document(model: QuantizedModel) -> dict[str, Any]:
    """`tinyedge.train/1`: accuracies, sparsity, size and further figures of a training."""
    return {"schema": "tinyedge.train/1"} | model.figures()


def folds_document(folds: Folds) -> dict[str, Any]:
    """`tinyedge.folds/1`: the metrics of each fold, their means and worst."""
    return {"schema": "tinyedge.folds/1"} | folds.to_json()


def conversion_document(conversion: Conversion, output: Path) -> dict[str, Any]:
    """`tinyedge.convert/1`: the model, how close it comes to its source, and the precision of each layer."""
    return {"schema": "tinyedge.convert/1"} | conversion.model.figures() | conversion.to_json() | {"file": str(output)}


def plan_document(plan: Plan) -> dict[str, Any]:
    """`tinyedge.plan/1`: kernels in order of execution, and the arena. Cycles are the planner's estimates."""
    return {
        "schema": "tinyedge.plan/1",
        "model": plan.graph.name,
        "optimize": plan.optimize,
        "arena_bytes": plan.arena_bytes,
        "lower_bound_bytes": plan.lower_bound_bytes,
        "state_bytes": plan.state_bytes,
        "peak_step": peak_step(plan),
        "layers": [
            {
                "step": step,
                "index": planned.layer.index,
                "operator": planned.layer.name,
                "output_shape": list(planned.layer.outputs[0].shape),
                "macs": planned.layer.macs,
                "kernel": planned.kernel.name,
                "estimated_cycles": planned.cost.cycles,
                "weights": weights_json(planned),
                "arena_used_bytes": memory.used_bytes,
            }
            for step, (planned, memory) in enumerate(zip(plan.layers, memory_over_time(plan), strict=False))
        ],
        "groups": [{"first": group.first, "last": group.last, "calls": len(group.calls)} for group in plan.groups],
        "buffers": [
            {
                "name": buffer.name,
                "tensor": buffer.tensor,
                "offset": buffer.offset,
                "bytes": buffer.bytes,
                "first": buffer.first,
                "last": buffer.last,
            }
            for buffer in plan.buffers
        ],
    }


def boards_document(boards: Sequence[Board]) -> dict[str, Any]:
    """`tinyedge.boards/1`: what the board files say."""
    return {"schema": "tinyedge.boards/1", "boards": [_board(board) for board in boards]}


def doctor_document(findings: Sequence[Mapping[str, Any]], *, ok: bool) -> dict[str, Any]:
    """`tinyedge.doctor/1`: the tools looked for, and whether the main job can run."""
    return {"schema": "tinyedge.doctor/1", "ok": ok, "tools": [dict(finding) for finding in findings]}


def _board(board: Board) -> dict[str, Any]:
    return {
        "name": board.name,
        "title": board.title,
        "aliases": list(board.aliases),
        "chip": board.chip,
        "family": board.family,
        "core": board.core.name,
        "isa": board.core.isa.value,
        "fpu": board.core.fpu,
        "clock_hz": board.clock_hz,
        "memories": [{"name": m.name, "start": m.start, "size_bytes": m.size_bytes} for m in board.memories],
        "flash_start": board.flash_start,
        "console": dict(board.console),
        "flashers": list(board.flashers),
        "emulators": list(board.emulators),
        "usb_ids": [f"{vendor:04x}:{product:04x}" for vendor, product in board.usb_ids],
        "sources": dict(board.sources),
        "caches": {
            name: {
                "size_bytes": cache.size_bytes,
                "ways": cache.ways,
                "line_bytes": cache.line_bytes,
                "sector_bytes": cache.fetched_bytes,
            }
            for name, cache in board.caches.items()
        },
        "energy": None if board.energy is None else dataclasses.asdict(board.energy),
        "calibration": None if board.calibration is None else dataclasses.asdict(board.calibration),
    }


def _figure(figure: Figure | None, spread: tuple[int, int] | None) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": None, "value": None} if figure is None else figure.to_json()
    return body | ({"spread": list(spread)} if spread is not None else {})


def _features(measured: Measured) -> dict[str, Any] | None:
    """What the device computed of samples: null where it was given the inputs themselves."""
    run, features = measured.run, measured.built.prepared.model.features
    if not run.rows or features is None:
        return None
    return {"kind": features.kind, "rows": run.rows, "instructions_per_row": _figure(run.row_instructions, None)}


def _memory_model(run: Run) -> dict[str, Any]:
    """What modelled cycles hold of the waits for memory, and what was read from flash."""
    calibration, kind = run.calibration, None
    if run.cycles is not None and run.cycles.kind == "modelled":
        zero = run.cycles.at_zero_wait_states
        kind = "zero_wait_states" if zero else "calibrated" if run.cycles.upper is None else "bounds"
    return {
        "kind": kind,
        "conditions": None if calibration is None else calibration.conditions,
        "source": None if calibration is None else calibration.source,
        "flash_reads": _reads(run.reads),
    }


def _reads(reads: FlashReads | None) -> dict[str, int] | None:
    """Counts of misses, and the cycles that the core waited for them (0 where nobody knows)."""
    return None if reads is None else dataclasses.asdict(reads)


def _mismatch(run: Run) -> dict[str, Any] | None:
    first = run.first_mismatch
    if first is None:
        return None
    return {
        "sample": first.sample,
        "layer": first.layer,
        "operator": first.operator,
        "output_byte": first.output_byte,
    }


def _library(project: FirmwareProject) -> str | None:
    """What a project carries of others, with its version."""
    return None if project.library is None else project.library.name


def _arena(arena: ArenaProof | None) -> dict[str, Any] | None:
    """How the arena of an interpreter is known: the smaller size that was tried, and what happened."""
    if arena is None:
        return None
    return {
        "bytes": arena.bytes,
        "origin": arena.origin,
        "fails_bytes": arena.fails_bytes,
        "message": arena.message,
    }


def _size(size: SizeTable) -> dict[str, int]:
    return {
        "flash_bytes": size.flash_bytes,
        "ram_bytes": size.ram_bytes,
        "flash_limit_bytes": size.flash_limit_bytes,
        "ram_limit_bytes": size.ram_limit_bytes,
    }

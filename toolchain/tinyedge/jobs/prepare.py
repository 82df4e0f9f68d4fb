"""A model for a board: found or trained, read, checked and planned, before anything is compiled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

from tinyedge.artifacts import Observer, Optimize, Plan, Prepared, QuantizedModel
from tinyedge.boards import load_board
from tinyedge.digests import digest
from tinyedge.errors import UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.train import find_model, model_name, train
from tinyedge.runtimes import Runtime, make_runtime


def prepare(choices: Choices, observer: Observer, runtime: Runtime | None = None) -> Prepared:
    """Model, graph and plan for the chosen board; refuses what cannot run or fit before anything is compiled.

    runtime  None: the chosen one
    """
    runtime = runtime or make_runtime(choices.runtime, choices.tflm)
    board = load_board(choices.board)
    found = find_model(choices.model)
    budget: Path | None = None
    if isinstance(found, Path):
        data = found.read_bytes()
        model = QuantizedModel(model_name(found), data, digest(data))
        optimize = choices.optimize or "balanced"
    else:
        model = train(found, choices.build_dir, observer)
        optimize = choices.optimize or found.optimize
        budget = found.folder / "budget.toml"
    prepared = runtime.prepare(model, board, cast(Optimize, optimize), choices.build_dir, observer)
    if budget is not None and runtime.has_budgets and budget.is_file():
        return replace(prepared, budget=budget)
    return prepared


def plan(choices: Choices, observer: Observer) -> Plan:
    """The plan of the arena. Raises: UsageError when the runtime plans its memory on the device."""
    prepared = prepare(choices, observer)
    if prepared.memory is None:
        raise UsageError(
            f"the runtime `{prepared.runtime}` plans its memory on the device: there is no plan to show",
            hint=f"leave out `--runtime {prepared.runtime}`",
        )
    return prepared.memory

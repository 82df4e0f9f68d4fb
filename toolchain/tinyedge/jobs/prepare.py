"""A model for a board: found or trained, read, checked and planned, before anything is compiled."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from tinyedge.artifacts import Observer, Optimize, Plan, Prepared
from tinyedge.boards import load_board
from tinyedge.errors import UsageError
from tinyedge.jobs.calibration_file import read_calibration
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.train import load_model
from tinyedge.runtimes import Runtime, make_runtime


def prepare(choices: Choices, observer: Observer) -> Prepared:
    """Model, graph and plan for the chosen board; refuses what cannot run or fit before anything is compiled."""
    return prepare_with_runtime(choices, observer)[1]


def prepare_with_runtime(choices: Choices, observer: Observer) -> tuple[Runtime, Prepared]:
    """The same, and the chosen runtime, which goes on with it."""
    board = load_board(choices.board)
    if choices.calibration is not None:
        board = read_calibration(choices.calibration, board)
    loaded = load_model(choices.model, choices.build_dir, observer, choices.data, choices.conversion)
    optimize = cast(Optimize, choices.optimize or loaded.optimize)
    runtime = make_runtime(choices.runtime, choices.tflm)
    prepared = runtime.prepare(
        loaded.model, board, optimize, choices.build_dir, observer, keep_inputs=choices.keep_inputs
    )
    if runtime.has_budgets and loaded.budget is not None:
        prepared = replace(prepared, budget=loaded.budget)
    return runtime, prepared


def plan(choices: Choices, observer: Observer) -> Plan:
    """The plan of the arena. Raises: UsageError when the runtime plans its memory on the device."""
    prepared = prepare(choices, observer)
    if prepared.memory is None:
        raise UsageError(
            f"the runtime `{prepared.runtime}` plans its memory on the device: there is no plan to show",
            hint=f"leave out `--runtime {prepared.runtime}`",
        )
    return prepared.memory

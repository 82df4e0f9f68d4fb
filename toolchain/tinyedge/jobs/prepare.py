"""A model for a board: found or trained, read, checked and planned, before anything is compiled."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from tinyedge.artifacts import Observer, Optimize, Plan, Prepared, RamCurve
from tinyedge.boards import load_board
from tinyedge.errors import UsageError
from tinyedge.graph.reader import read_model
from tinyedge.jobs.budget import find_budget
from tinyedge.jobs.calibration_file import read_calibration
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.train import load_model
from tinyedge.ops import check
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import plan_curve
from tinyedge.runtimes import RUNTIMES, Runtime, make_runtime


def prepare(choices: Choices, observer: Observer) -> Prepared:
    """Model, graph and plan for the chosen board; refuses what cannot run or fit before anything is compiled."""
    return prepare_with_runtime(choices, observer)[1]


def prepare_with_runtime(choices: Choices, observer: Observer) -> tuple[Runtime, Prepared]:
    """The same, and the chosen runtime, which goes on with it."""
    board = load_board(choices.board)
    if choices.calibration is not None:
        board = read_calibration(choices.calibration, board)
    loaded = load_model(choices.model, choices.build_dir, observer, choices.data, choices.conversion)
    budget = find_budget(loaded, choices)
    optimize = cast(Optimize, choices.optimize or loaded.optimize)
    runtime = make_runtime(choices.runtime, choices.tflm)
    max_ram_bytes = choices.max_ram_bytes
    if max_ram_bytes is None and runtime.has_budgets:  # what a recipe says of memory is of this runtime, as its budget
        max_ram_bytes = loaded.max_ram_bytes
    prepared = runtime.prepare(
        loaded.model,
        board,
        optimize,
        choices.build_dir,
        observer,
        keep_inputs=choices.keep_inputs,
        max_ram_bytes=max_ram_bytes,
        input_rows=choices.input_rows,
    )
    observe_features(prepared, observer)
    if runtime.has_budgets:
        prepared = replace(prepared, budget=budget)
    return runtime, prepared


def observe_features(prepared: Prepared, observer: Observer) -> None:
    """Tell what features a model has. Raises: ModelError when they do not fit its input."""
    if (filled := prepared.feature_input) is not None:
        features = filled.features
        observer.detail(
            f"features `{features.kind}`: {filled.rows} rows of {features.channels} from {filled.instants:,} instants"
        )


def ram_curve(choices: Choices, observer: Observer) -> RamCurve:
    """What the RAM of a model on a board's core can be traded for.

    Raises: UsageError when the runtime plans its memory on the device; ModelError
    """
    if choices.runtime != RUNTIMES[0]:
        raise UsageError(
            f"the runtime `{choices.runtime}` plans its memory on the device: it cannot trade time for RAM",
            hint=f"leave out `--runtime {choices.runtime}`",
        )
    board = load_board(choices.board)
    model = load_model(choices.model, choices.build_dir, observer, choices.data, choices.conversion).model
    graph = settle_graph(read_model(model.tflite, model.name))
    check(graph)
    with observer.progress("plan"):
        return plan_curve(
            optimize_graph(graph), board.core, keep_inputs=choices.keep_inputs, input_rows=choices.input_rows
        )


def plan(choices: Choices, observer: Observer) -> Plan:
    """The plan of the arena. Raises: UsageError when the runtime plans its memory on the device."""
    prepared = prepare(choices, observer)
    if prepared.memory is None:
        raise UsageError(
            f"the runtime `{prepared.runtime}` plans its memory on the device: there is no plan to show",
            hint=f"leave out `--runtime {prepared.runtime}`",
        )
    return prepared.memory

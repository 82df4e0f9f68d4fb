"""Constants of a board's memory, found by measuring on the board what the emulator counts."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

from tinyedge.artifacts import BoardCalibration, Measured, Observer, PredictedNetwork
from tinyedge.boards import Board, load_board
from tinyedge.chip import Calibration
from tinyedge.errors import CheckError, UsageError
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.run import run_each
from tinyedge.jobs.verify import verify_each
from tinyedge.timing.calibration import ErrorSummary, Event, Fit, Observation, fit

EVENTS: tuple[Event, ...] = ("code_misses", "data_misses")
_FEWEST_MODELS = 2
"""one of them is predicted by constants that the others gave"""
_FEWEST_CYCLES = 1000
"""of a layer: what reading the counter takes is too much of less"""


def calibrate(
    choices: Choices, observer: Observer, *, port: str | None = None, samples: int | None = None
) -> BoardCalibration:
    """Measure every layer of the models on a board that runs them, count the same in the emulator, and fit.

    The models are one firmware, as `tinyedge flash` of the same models writes it. A constant is cycles for a miss of
    the caches that the board's file describes; each layer is an observation.

    samples  how many are streamed through each model; None: as `measure` takes them

    Raises: UsageError for too few models or a board without caches; CheckError when an output differs; DeviceError
    """
    board = load_board(choices.board)
    if not board.caches:
        raise UsageError(
            f"board `{board.name}` has no [cache] in its file: there are no misses to give cycles to",
            hint="docs/latency.md shows what to write there",
        )
    if len(choices.others) + 1 < _FEWEST_MODELS:
        raise UsageError(
            f"a calibration needs {_FEWEST_MODELS} models or more: each is predicted by the others",
            hint=f"`tinyedge calibrate {choices.model} MODEL --board {board.name}`",
        )
    choices = dataclasses.replace(choices, calibration=None)
    measured = list(verify_each(choices, observer, port=port, samples=samples))
    counted = list(run_each(choices, observer, emulator_name="unicorn", samples=samples))
    for each in (*measured, *counted):
        if each.run.mismatches:
            raise CheckError(f"outputs of `{each.built.prepared.model.name}` differ: `tinyedge verify` shows where")
    return _find(board, measured, counted)


def _find(board: Board, measured: Sequence[Measured], counted: Sequence[Measured]) -> BoardCalibration:
    names = [each.built.prepared.model.name for each in measured]
    layers = [_layers(*pair) for pair in zip(measured, counted, strict=True)]
    networks = []
    for i, (name, silicon, emulated) in enumerate(zip(names, measured, counted, strict=True)):
        others = fit([each for j, of_model in enumerate(layers) if j != i for each in of_model], EVENTS)
        whole = _whole(name, silicon, emulated)
        networks.append(PredictedNetwork(name, whole.measured_cycles, others.predict(whole), whole.pipeline_cycles))
    errors = ErrorSummary.of([network.error for network in networks])
    all_layers = [each for of_model in layers for each in of_model]
    return BoardCalibration(
        board, len(all_layers), _calibration(board, fit(all_layers, EVENTS), errors, names), tuple(networks)
    )


def _calibration(board: Board, found: Fit, errors: ErrorSummary, names: Sequence[str]) -> Calibration:
    waits = f", {board.clock['wait_states']} wait states" if "wait_states" in board.clock else ""
    return Calibration(
        code_miss_cycles=found.cycles["code_misses"],
        data_miss_cycles=found.cycles["data_misses"],
        error_percent=float(max(1, math.ceil(errors.largest))),
        mean_error_percent=round(errors.mean, 1),
        conditions=f"{board.clock_hz / 1e6:g} MHz{waits}, as tinyedge's firmware sets the chip up",
        source=f"`tinyedge calibrate`, one left out at a time: {', '.join(names)}",
    )


def _layers(measured: Measured, counted: Measured) -> list[Observation]:
    """One observation for each layer that is long enough."""
    found = []
    for silicon, emulated in zip(measured.run.layers, counted.run.layers, strict=True):
        if silicon.cycles is None or emulated.cycles is None or emulated.reads is None:
            continue
        if silicon.cycles >= _FEWEST_CYCLES:
            reads = emulated.reads
            found.append(
                Observation(
                    name=f"{silicon.index} {silicon.operator}",
                    measured_cycles=silicon.cycles,
                    pipeline_cycles=emulated.cycles - reads.stall_cycles,
                    code_misses=reads.code_misses,
                    data_misses=reads.data_misses,
                    code_lines=reads.code_lines,
                )
            )
    return found


def _whole(name: str, measured: Measured, counted: Measured) -> Observation:
    reads, pipeline = counted.run.reads, counted.run.pipeline_cycles
    if measured.run.cycles is None or reads is None or pipeline is None:
        raise CheckError(f"the cycles of `{name}` are not known: nothing to compare")
    return Observation(
        name=name,
        measured_cycles=measured.run.cycles.value,
        pipeline_cycles=pipeline,
        code_misses=reads.code_misses,
        data_misses=reads.data_misses,
        code_lines=reads.code_lines,
    )

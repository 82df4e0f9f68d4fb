"""A plan on a board: whether it fits, and what it takes there in time and energy."""

from __future__ import annotations

from tinyedge.artifacts import Figure, Plan
from tinyedge.artifacts.prediction import AimFit, Prediction
from tinyedge.boards import Board
from tinyedge.cost.predict import predict

_NANO_TO_MICRO = 1e-3


def fit_plan(plan: Plan, board: Board, compiler: str, pipeline_error_percent: float | None) -> AimFit:
    """The same as `tinyedge run` would say, predicted.

    pipeline_error_percent  of the model of the core's timing; None where there is none

    Raises: UsageError when nothing is known of code for the board's core by that compiler
    """
    found = predict(plan, board, compiler)
    cycles = _cycles(found, board, pipeline_error_percent)
    latency = None
    if cycles is not None and not cycles.at_zero_wait_states:
        upper = None if cycles.upper is None else cycles.upper * 1e6 / board.clock_hz
        latency = Figure("predicted", cycles.value * 1e6 / board.clock_hz, cycles.error_percent, upper)
    return AimFit(
        prediction=found,
        flash_room_bytes=None if found.flash_bytes is None else board.flash_limit_bytes - found.flash_bytes,
        ram_room_bytes=None if found.ram_bytes is None else board.ram.size_bytes - found.ram_bytes,
        instructions=Figure("predicted", found.instructions, found.instructions_error_percent),
        cycles=cycles,
        latency_us=latency,
        energy_uj=_energy(cycles, board),
    )


def _cycles(found: Prediction, board: Board, pipeline_error_percent: float | None) -> Figure | None:
    """Of the pipeline, with waits for memory where somebody measured how long they take, or between two bounds."""
    if found.cycles is None or pipeline_error_percent is None or found.cycles_error_percent is None:
        return None
    pipeline_error = round(pipeline_error_percent + found.cycles_error_percent, 1)
    calibration = board.calibration
    if calibration is None or not found.misses:
        return Figure("predicted", found.cycles, pipeline_error, at_zero_wait_states=True)
    if calibration.code_line_cycles is not None:
        upper = found.cycles + round(calibration.code_line_cycles * found.misses["code_lines"])
        return Figure("predicted", found.cycles, upper=upper)
    waits = calibration.code_miss_cycles * found.misses["code_misses"]
    waits += calibration.data_miss_cycles * found.misses["data_misses"]
    total = found.cycles + round(waits)
    error = (calibration.error_percent or 0.0) + found.cycles_error_percent + found.misses_error_percent
    return Figure("predicted", total, round(error, 1))


def _energy(cycles: Figure | None, board: Board) -> Figure | None:
    if cycles is None or board.energy is None or cycles.at_zero_wait_states or cycles.upper is not None:
        return None
    error = (cycles.error_percent or 0.0) + board.energy.error_percent
    return Figure("predicted", cycles.value * board.energy.nj_per_cycle * _NANO_TO_MICRO, error)

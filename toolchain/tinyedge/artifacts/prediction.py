"""What is said of a model on boards before anything is compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tinyedge.artifacts.budget import Budget
from tinyedge.artifacts.run import Figure
from tinyedge.boards import Board


@dataclass(frozen=True)
class LayerPrediction:
    """Of one layer."""

    step: int
    kernel: str
    instructions: int
    constant_bytes: int


@dataclass(frozen=True)
class UnitPrediction:
    """Of layers `first` to `last` in order of execution, which run as one.

    layers  each by itself: together less than the unit, where rows slide and are copied between their calls
    """

    first: int
    last: int
    kernel: str
    instructions: int
    cycles: int | None
    constant_bytes: int
    layers: tuple[LayerPrediction, ...]


@dataclass(frozen=True)
class Prediction:
    """What a firmware of a plan will be found to take.

    instructions, cycles    of one inference; cycles without waits for memory, None where nothing models them
    misses                  of the caches in front of flash, by event; empty where they were never counted
    flash_bytes, ram_bytes  of the image; RAM with the stack. None for a board that no firmware was built for
    *_error_percent         the largest over the models that were counted; of misses in percent of an inference's cycles
    uncounted               kernels of which no run was ever counted: their share is the planner's estimate
    """

    instructions: int
    instructions_error_percent: float
    cycles: int | None
    cycles_error_percent: float | None
    misses: Mapping[str, int]
    misses_error_percent: float
    flash_bytes: int | None
    flash_error_percent: float
    ram_bytes: int | None
    arena_bytes: int
    state_bytes: int
    constant_bytes: int
    units: tuple[UnitPrediction, ...]
    uncounted: tuple[str, ...]


@dataclass(frozen=True)
class AimFit:
    """A model on a board, optimized for one aim.

    flash_room_bytes, ram_room_bytes  what is left; below 0: what is missing. None where there is no limit
    cycles      with waits for memory where the board is calibrated
    latency_us  None unless it is
    """

    prediction: Prediction
    flash_room_bytes: int | None
    ram_room_bytes: int | None
    instructions: Figure
    cycles: Figure | None
    latency_us: Figure | None
    energy_uj: Figure | None

    @property
    def fits(self) -> bool:
        return min(self.flash_room_bytes or 0, self.ram_room_bytes or 0) >= 0

    @property
    def over_bytes(self) -> int:
        """What is missing in all; 0 when it fits."""
        return -min(self.flash_room_bytes or 0, 0) - min(self.ram_room_bytes or 0, 0)


@dataclass(frozen=True)
class BoardFit:
    """A model on a board.

    aims     by aim, those that were planned
    refused  why nothing is predicted; then there are no aims
    advice   what would make it fit, where it does not
    """

    board: Board
    aims: Mapping[str, AimFit]
    refused: str = ""
    advice: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fit:
    """A model on all boards.

    aim    the one that was asked for
    notes  what the figures leave out
    """

    model: str
    model_digest: str
    compiler: str
    aim: str
    boards: tuple[BoardFit, ...]
    notes: tuple[str, ...] = ()
    budget: Budget | None = None
    """what the model may cost"""

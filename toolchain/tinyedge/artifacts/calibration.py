"""How long a board waits for its memory, as it was measured."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.boards import Board
from tinyedge.chip import Calibration


@dataclass(frozen=True)
class PredictedNetwork:
    """One network: what the board took, and what constants that its layers had no part in predict."""

    name: str
    measured_cycles: float
    predicted_cycles: float
    pipeline_cycles: int

    @property
    def error(self) -> float:
        return self.predicted_cycles / self.measured_cycles - 1


@dataclass(frozen=True)
class BoardCalibration:
    """A calibration, and how well it predicts."""

    board: Board
    layers: int
    """that it was fitted to"""
    calibration: Calibration
    networks: tuple[PredictedNetwork, ...]

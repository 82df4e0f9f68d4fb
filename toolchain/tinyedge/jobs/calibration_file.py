"""The file of `tinyedge calibrate`, read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from tinyedge.boards import Board
from tinyedge.chip import Calibration
from tinyedge.errors import UsageError
from tinyedge.tables import TableError, read_table, read_toml


@dataclass(frozen=True, kw_only=True)
class CalibrationFile:
    """What `tinyedge calibrate` writes."""

    board: str
    calibration: Calibration


def read_calibration(path: Path, board: Board) -> Board:
    """The board with the calibration of a file. Raises: UsageError when it is none, or another board's"""
    try:
        found = read_table(CalibrationFile, read_toml(path))
    except TableError as error:
        raise UsageError(f"calibration `{path}`: {error}", hint="`tinyedge calibrate` writes one") from None
    if found.board != board.name:
        raise UsageError(
            f"calibration `{path}` is of board `{found.board}`, not of `{board.name}`",
            hint=f"`tinyedge calibrate --board {board.name}` makes one",
        )
    return dataclasses.replace(board, calibration=found.calibration)

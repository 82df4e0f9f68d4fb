"""What a user chose: what every job starts from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tinyedge.artifacts import Protocols, QuantizedModel
from tinyedge.artifacts.budget import BudgetSource
from tinyedge.convert import DEFAULTS, Settings

PORTABLE_BOARD = "host"
"""whose kernels are plain C99: they run on any core"""


@dataclass(frozen=True)
class Choices:
    """What the user chose. `optimize` None: the recipe's choice, else balanced."""

    model: str | QuantizedModel
    """a name or a path, or the model itself"""
    board: str
    compiler: str
    optimize: str | None
    build_dir: Path
    runtime: str = "aot"
    """a name of `runtimes.RUNTIMES`"""
    tflm: Path | None = None
    """a source tree of TensorFlow Lite Micro; None: TINYEDGE_TFLM names it"""
    others: tuple[str | QuantizedModel, ...] = ()
    """further models for the same firmware"""
    arena: Literal["shared", "separate"] = "shared"
    """of several models: one that they run in one after the other, or one each"""
    keep_inputs: bool = False
    """no inference overwrites its inputs"""
    input_rows: bool = False
    """the rows of the input are given one by one"""
    max_ram_bytes: int | None = None
    """the fastest plan whose arena and state have at most so many bytes; None: the recipe's, else as `optimize` says"""
    protocol: Protocols = "tinyedge"
    """what the firmware speaks"""
    calibration: Path | None = None
    """a file of `tinyedge calibrate` that takes the place of the board's own"""
    data: Path | None = None
    """what a model of another world is calibrated and compared with, and a finished one is judged on"""
    budget: BudgetSource | None = None
    """what the settings of the project let a model cost"""
    conversion: Settings = DEFAULTS
    """how such a model is converted"""

    def of_each_model(self) -> tuple[Choices, ...]:
        """The same for each of the models by itself."""
        return tuple(replace(self, model=model, others=()) for model in (self.model, *self.others))

"""What a user chose: what every job starts from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

PORTABLE_BOARD = "host"
"""whose kernels are plain C99: they run on any core"""


@dataclass(frozen=True)
class Choices:
    """What the user chose. `optimize` None: the recipe's choice, else balanced."""

    model: str
    board: str
    compiler: str
    optimize: str | None
    build_dir: Path
    runtime: str = "aot"
    """a name of `runtimes.RUNTIMES`"""
    tflm: Path | None = None
    """a source tree of TensorFlow Lite Micro; None: TINYEDGE_TFLM names it"""
    others: tuple[str, ...] = ()
    """further models for the same firmware"""
    arena: Literal["shared", "separate"] = "shared"
    """of several models: one that they run in one after the other, or one each"""
    keep_inputs: bool = False
    """no inference overwrites its inputs"""

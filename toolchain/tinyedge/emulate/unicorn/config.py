"""What the worker is told about the machine to be: the part of a board that an emulator needs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tinyedge.boards import Board, Memory
from tinyedge.chip import Cache

_STALL_UNIT = 256


@dataclass(frozen=True)
class MachineConfig:
    """A machine and the program to run on it."""

    elf: str
    board: str
    core: str
    """key of tinyedge.boards.CORES"""
    family: str
    clock_hz: int
    memories: tuple[Memory, ...]
    vectors: int
    """address of the vector table at reset"""
    console_base: int
    """the serial peripheral that is the console"""
    helper: str | None
    """path of the native block hook; None: count in Python"""
    caches: Mapping[str, Cache] = field(default_factory=dict)
    """as Board.caches"""
    code_stall: int = 0
    """cycles that the core waits for 256 misses of code"""
    data_stall: int = 0
    """... of data"""

    @classmethod
    def of(cls, board: Board, elf: str, helper: str | None) -> MachineConfig:
        calibration = board.calibration
        return cls(
            elf=elf,
            board=board.name,
            core=board.core.name,
            family=board.family,
            clock_hz=board.clock_hz,
            memories=board.memories,
            vectors=board.flash_start,
            console_base=int(board.console["base"]),
            helper=helper,
            caches=board.caches,
            code_stall=round(calibration.code_miss_cycles * _STALL_UNIT) if calibration else 0,
            data_stall=round(calibration.data_miss_cycles * _STALL_UNIT) if calibration else 0,
        )

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> MachineConfig:
        values = json.loads(text)
        values["memories"] = tuple(Memory(**memory) for memory in values["memories"])
        values["caches"] = {name: Cache(**cache) for name, cache in values["caches"].items()}
        return cls(**values)

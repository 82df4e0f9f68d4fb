"""What an emulator is: it starts an image and hands out the console of its firmware."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.console.contract import Console

Counts = Literal["instructions", "cycles", "time"]


@dataclass(frozen=True)
class CounterReading:
    """What the emulator knew at one read of the cycle counter by the firmware."""

    instructions: int
    """executed since reset, exact"""
    cycles: int
    """modelled since reset"""


class EmulatorConsole(Console, Protocol):
    """A console whose other side is emulated."""

    def counter_readings(self) -> list[CounterReading]:
        """Readings of the cycle counter since the last call, oldest first; empty where the emulator cannot tell."""
        ...

    def statistics(self) -> dict[str, float]:
        """What the emulator tells of itself for `-v`: instructions, seconds, MIPS."""
        ...

    def notes(self) -> tuple[str, ...]:
        """What a user should know of this emulation, e.g. that it counts slowly, or a peripheral it does not model."""
        ...


class Emulator(Protocol):
    """One emulator. `counts` says what the firmware's cycle counter advances by; `time` is a clock of this computer."""

    name: str
    counts: Counts
    cycles_error_percent: float | None
    """stated error of the timing model; None where cycles are not modelled"""
    ticks_per_instruction: Fraction
    """what the firmware's counter advances by at each instruction, where `counts` is instructions; else 1"""

    def version(self) -> str:
        """Its version for reports. Raises: ToolError with the way to install it when it is missing."""
        ...

    def supports(self, board: Board) -> str:
        """Empty when it can run the board's firmware, otherwise the reason it cannot."""
        ...

    def start(self, image: Image, board: Board) -> EmulatorConsole:
        """Reset and run. Raises: ToolError when it is missing, DeviceError when it does not come up."""
        ...

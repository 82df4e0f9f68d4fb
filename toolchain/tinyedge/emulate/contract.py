"""What an emulator is: it starts an image and hands out the console of its firmware."""

from __future__ import annotations

from typing import Protocol

from tinyedge.artifacts import Counting, Image, Target
from tinyedge.boards import Board
from tinyedge.console.contract import CountedConsole


class Emulator(Protocol):
    """One emulator."""

    name: str
    counting: Counting
    """what the counter of a firmware in it says"""

    def version(self) -> str:
        """Its version for reports. Raises: ToolError with the way to install it when it is missing."""
        ...

    def supports(self, board: Board) -> str:
        """Empty when it can run the board's firmware, otherwise the reason it cannot."""
        ...

    def start(self, image: Image, board: Board) -> CountedConsole:
        """Reset and run. Raises: ToolError when it is missing, DeviceError when it does not come up."""
        ...


def start_target(emulator: Emulator, image: Image, board: Board) -> Target:
    """The firmware, started. Raises: as `Emulator.start`."""
    console = emulator.start(image, board)
    return Target(f"{emulator.name} {emulator.version()}", console, emulator.counting, emulated=True)

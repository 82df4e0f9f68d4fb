"""The host board: its firmware is a program of this computer, so "emulating" it is running it."""

from __future__ import annotations

import platform
import time

from tinyedge import process
from tinyedge.artifacts import Counting, Image
from tinyedge.boards import Board, Isa
from tinyedge.console.contract import Uncounted
from tinyedge.console.process import ProcessConsole


class NativeConsole(ProcessConsole, Uncounted):
    """The firmware's standard input and output. Nothing is counted: a program cannot see its own instructions."""

    keeps_input = True

    def __init__(self, child: process.Child) -> None:
        super().__init__(child)
        self._started = time.monotonic()

    def statistics(self) -> dict[str, float]:
        return {"seconds": time.monotonic() - self._started}


class NativeEmulator:
    """Runs the host board. Its counter is this computer's clock: no instructions, no cycles of any core, and a
    latency that is measured, but of this computer, while it does other things too."""

    name = "native"
    counting = Counting("time")

    def version(self) -> str:
        """What the program runs on, as there is no emulator to have a version."""
        return f"{platform.system()} {platform.release()} {platform.machine()}"

    def supports(self, board: Board) -> str:
        """Empty when it can run the board's firmware, otherwise the reason it cannot."""
        if board.core.isa is Isa.NATIVE:
            return ""
        return f"`native` runs programs of this computer; board `{board.name}` has a {board.core.name}"

    def start(self, image: Image, board: Board) -> NativeConsole:
        """Run the firmware from its start. Raises: ToolError when this computer cannot execute it."""
        del board  # everything it needs is in the program
        return NativeConsole(process.start([image.elf.absolute()]))

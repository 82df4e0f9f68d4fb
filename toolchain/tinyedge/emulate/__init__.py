"""Emulators, one file or folder each, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable

from tinyedge.boards import Board
from tinyedge.emulate.contract import Emulator
from tinyedge.emulate.native import NativeEmulator
from tinyedge.emulate.qemu import QemuEmulator
from tinyedge.emulate.renode.host import RenodeEmulator
from tinyedge.emulate.unicorn.host import UnicornEmulator
from tinyedge.errors import ToolError, UsageError
from tinyedge.tables import nearest

__all__ = ["EMULATORS", "choose", "emulator"]

EMULATORS: dict[str, Callable[[Board | None], Emulator]] = {
    "unicorn": UnicornEmulator,
    "qemu": QemuEmulator,
    "renode": RenodeEmulator,
    "native": lambda board: NativeEmulator(),
}
"""name -> makes the emulator; with a board it states the error of that board's timing model"""


def emulator(name: str, board: Board | None = None) -> Emulator:
    """The emulator of that name. Raises: UsageError, with the nearest name, when there is none."""
    make = EMULATORS.get(name)
    if make is None:
        raise UsageError(f"there is no emulator `{name}`", hint=nearest(name, EMULATORS))
    return make(board)


def choose(board: Board, name: str = "auto") -> Emulator:
    """The emulator `name`, or with `auto` the first of the board's that is installed and can run its firmware.

    Raises: UsageError when there is none of that name or it cannot run the board's firmware; ToolError when it, or
    with `auto` every one that could, is missing
    """
    if name != "auto":
        chosen = emulator(name, board)
        if reason := chosen.supports(board):
            usable = [other for other in board.emulators if other in EMULATORS]
            hint = f"board `{board.name}` runs in {', '.join(f'`{other}`' for other in usable)}" if usable else ""
            raise UsageError(reason, hint=hint)
        chosen.version()
        return chosen
    missing: ToolError | None = None
    for other in board.emulators:
        if other not in EMULATORS:
            continue
        chosen = emulator(other, board)
        if chosen.supports(board):
            continue
        try:
            chosen.version()
        except ToolError as error:
            missing = missing or error
            continue
        return chosen
    if missing is not None:
        raise missing
    raise UsageError(
        f"no emulator can run the firmware of board `{board.name}`",
        hint=f"flash it to the board: `tinyedge flash --board {board.name}`",
    )

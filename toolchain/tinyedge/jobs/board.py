"""The firmware on a board: where its serial line is, and how to open it."""

from __future__ import annotations

import time
from collections.abc import Callable

from tinyedge import wire
from tinyedge.artifacts import Counting, Target
from tinyedge.boards import Board
from tinyedge.console.serial import SerialConsole, find_port
from tinyedge.errors import DeviceError

_POLL_S = 0.1


def open_board(board: Board, port: str | None = None, patience_s: float = 0.0) -> Target:
    """The firmware on a board, at `port` or where the board's USB ids are; its ticks are cycles of its clock.

    patience_s  how long the port may take to appear

    Raises: DeviceError when it is not there or cannot be opened; UsageError when it could be at several ports
    """
    url, console = open_console(lambda: port or port_of(board), baud_of(board), patience_s)
    return Target(f"board at {url}", console, Counting("cycles", cycles="measured"))


def port_of(board: Board) -> str:
    """The serial port of a board, by its USB ids.

    Raises: DeviceError when there is none, with what to wire where the board has none; UsageError for several
    """
    if not board.usb_ids:
        raise DeviceError(f"board `{board.name}` has no serial port of its own: {how_to_wire(board)}", hint="`--port`")
    return find_port(board.name, board.usb_ids)


def baud_of(board: Board) -> int:
    """The baud rate of a board's console."""
    return int(board.console.get("baud", wire.DEFAULT_BAUD))


def open_console(find: Callable[[], str], baud: int, patience_s: float) -> tuple[str, SerialConsole]:
    """(port, console) of whatever port `find` names, tried again while it is not there.

    Raises: DeviceError of the last try
    """
    deadline = time.monotonic() + patience_s
    while True:
        try:
            url = find()
            return url, SerialConsole(url, baud)
        except DeviceError:
            if time.monotonic() >= deadline:
                raise
        time.sleep(_POLL_S)


def how_to_wire(board: Board) -> str:
    """What to connect where a board has no serial port of its own."""
    wiring = board.console.get("wiring", "connect a serial adapter to the pins that `tinyedge boards` names")
    return f"{wiring}; then give its port with `--port`"

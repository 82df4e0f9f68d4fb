"""Recordings of what a board sends, as files that recipes read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from tinyedge import wire
from tinyedge.artifacts import Observer
from tinyedge.boards import load_board
from tinyedge.collect import BrokenCollectError, Collected, CollectSettings, collect, look
from tinyedge.collect.files import check_label
from tinyedge.console.replay import ReplayConsole
from tinyedge.console.serial import SerialConsole
from tinyedge.errors import UsageError
from tinyedge.jobs.board import baud_of, open_console, port_of

_MOST_LOG_BYTES = 1 << 30


@dataclass(frozen=True)
class Sender:
    """Who sends. `port`: a serial port, its URL, or a file with what a board once sent; None: found by the board."""

    port: str | None = None
    board: str | None = None
    baud: int | None = None


def collect_from(
    sender: Sender, settings: CollectSettings, observer: Observer, *, only_look: bool = False
) -> Collected:
    """Record from a board, or only look at what it sends; its port is closed afterwards.

    Raises: BrokenCollectError with what was kept; DeviceError when the port is not there; UsageError
    """
    check_label(settings.label)
    where, console, live = _open(sender)
    try:
        return (look if only_look else collect)(console, replace(settings, live=live), observer)
    except BrokenCollectError as broken:
        broken.error.what = f"{broken.error.what} (`{where}`)" if where not in broken.error.what else broken.error.what
        raise
    finally:
        console.close()


def _open(sender: Sender) -> tuple[str, SerialConsole | ReplayConsole, bool]:
    """(name, console, whether bytes come as the board sends them)."""
    if sender.port is not None and Path(sender.port).is_file():
        path = Path(sender.port)
        if path.stat().st_size > _MOST_LOG_BYTES:
            raise UsageError(f"`{path}` is {path.stat().st_size:,} B; at most {_MOST_LOG_BYTES:,} B are played")
        return sender.port, ReplayConsole(path.read_bytes()), False
    board = None if sender.board is None else load_board(sender.board)
    if sender.port is None and board is None:
        raise UsageError("which port, or which board?", hint="`--port /dev/ttyACM0` or `--board nrf52840`")
    baud = sender.baud or (wire.DEFAULT_BAUD if board is None else baud_of(board))

    def find() -> str:
        if sender.port is not None:
            return sender.port
        assert board is not None
        return port_of(board)

    url, console = open_console(find, baud, 0.0)
    return url, console, True

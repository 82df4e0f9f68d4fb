"""The stages that need a real board: flash an image, prove that it runs, talk to it over its serial line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tinyedge import wire
from tinyedge.boards import Board
from tinyedge.console.serial import SerialConsole, find_port
from tinyedge.errors import CheckError, DeviceError, TinyEdgeError
from tinyedge.flash import choose_flasher
from tinyedge.flash.contract import TIMEOUT_S, UNTOUCHED, FlashError
from tinyedge.measure.replies import Hello
from tinyedge.measure.session import Session
from tinyedge.pipeline import Built, Choices, Measured, Observer, Target, build, check_banner, measure

_COME_BACK_S = 10.0
"""how long a port may take to come back after the board was flashed"""
_POLL_S = 0.1


@dataclass(frozen=True)
class FlashChoices:
    """How to flash.

    tool       a flash tool; None: the board's first that is installed
    port       the serial port of the console; None: found by USB ids
    probe      which debug probe, bootloader port, drive or gdb server; empty: the only one
    timeout_s  how long the tool may take
    confirm    read the banner afterwards
    """

    tool: str | None = None
    port: str | None = None
    probe: str = ""
    timeout_s: float = TIMEOUT_S
    confirm: bool = True


@dataclass(frozen=True, eq=False)
class FlashPlan:
    """What flashing would do; nothing was touched."""

    built: Built
    tool: str
    steps: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Flashed:
    """An image that was written, and what is known of it."""

    built: Built
    tool: str
    version: str
    verified: bool
    """the tool compared every byte"""
    port: str | None
    hello: Hello | None
    """the banner that proves that this image runs; None when it was not read"""
    why_unproved: str = ""


def plan_flash(choices: Choices, how: FlashChoices, observer: Observer) -> FlashPlan:
    """Build, and say what flashing would do. The tool need not be installed, the board not connected."""
    with _told(UNTOUCHED):
        built = build(choices, observer)
        board = built.prepared.board
        tool = choose_flasher(board, how.tool, installed=False)
        try:
            probe = how.probe or tool.find_probe(board, how.port or "")
        except TinyEdgeError:
            probe = "PROBE"
        return FlashPlan(built, tool.name, tuple(tool.describe(built.image, board, probe)))


def flash(choices: Choices, how: FlashChoices, observer: Observer) -> Flashed:
    """Build, write, verify where the tool can, then read the banner to prove that the board runs this very image.

    The tool, the port and the probe are settled before anything is touched. Every error says what was touched.

    Raises: ToolError when no tool is installed; DeviceError when the board is not there, is not written, or does not
    answer; CheckError when it runs another image or fails its self-test
    """
    with _told(UNTOUCHED):
        built = build(choices, observer)
        board = built.prepared.board
        tool = choose_flasher(board, how.tool)
        version = tool.available().version
        port = _console_port(board, how)
        probe = how.probe or tool.find_probe(board, port or "")
        with observer.progress(f"{tool.name}: write board `{board.name}`"):
            tool.write(built.image, board, probe, how.timeout_s)
    if port is None:
        why = _how_to_wire(board) if how.confirm else "the banner was not asked for"
        return Flashed(built, tool.name, version, tool.verifies, port, None, why)
    with _told(f"the flash of board `{board.name}` was written by `{tool.name}`"):
        hello = _confirm(built, port, observer)
    return Flashed(built, tool.name, version, tool.verifies, port, hello)


def verify(
    choices: Choices,
    observer: Observer,
    *,
    port: str | None = None,
    inputs: str | None = None,
    samples: int | None = None,
) -> Measured:
    """Stream samples through a board that runs this image, and compare every output byte with the oracle's.

    Raises: BrokenRunError with what was measured when the board fails in the middle; DeviceError when it is not
    there; TinyEdgeError when it runs another image
    """
    built = build(choices, observer)
    return measure(built, observer, lambda: open_board(built.prepared.board, port), choices.build_dir, inputs, samples)


def open_board(board: Board, port: str | None = None, patience_s: float = 0.0) -> Target:
    """The firmware on a board, at `port` or where the board's USB ids are; its ticks are cycles of its clock.

    patience_s  how long the port may take to appear

    Raises: DeviceError when it is not there or cannot be opened; UsageError when it could be at several ports
    """
    url, console = open_console(lambda: port or port_of(board), baud_of(board), patience_s)
    return Target(f"board at {url}", console, "cycles", cycles_kind="measured")


def port_of(board: Board) -> str:
    """The serial port of a board, by its USB ids.

    Raises: DeviceError when there is none, with what to wire where the board has none; UsageError for several
    """
    if not board.usb_ids:
        raise DeviceError(f"board `{board.name}` has no serial port of its own: {_how_to_wire(board)}", hint="`--port`")
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


def _console_port(board: Board, how: FlashChoices) -> str | None:
    """The port at which the banner will be read, which can be opened now; None where there is none to read.

    Raises: DeviceError, UsageError
    """
    if not how.confirm or not (how.port or board.usb_ids):
        return None
    url, console = open_console(lambda: how.port or port_of(board), baud_of(board), 0.0)
    console.close()
    return url


def _confirm(built: Built, port: str, observer: Observer) -> Hello:
    """The banner of the image that was just written."""
    target = open_board(built.prepared.board, port, _COME_BACK_S)
    try:
        with observer.progress(f"{target.label}: read the banner"):
            hello = Session(target.console).wait_for_banner()
    finally:
        target.console.close()
    check_banner(hello.image, built)
    if hello.selftest != "ok":
        raise CheckError(
            f"the board runs this image, but its self-test gave `{hello.selftest}`",
            hint="`tinyedge verify` shows the first layer that differs",
        )
    return hello


def _how_to_wire(board: Board) -> str:
    wiring = board.console.get("wiring", "connect a serial adapter to the pins that `tinyedge boards` names")
    return f"{wiring}; then give its port with `--port`"


@contextmanager
def _told(touched: str) -> Iterator[None]:
    """Errors from inside say what was touched, as FlashError does by itself."""
    try:
        yield
    except FlashError:
        raise
    except TinyEdgeError as error:
        if error.exit_code != 130:
            error.what += f"\n       {touched}"
        raise

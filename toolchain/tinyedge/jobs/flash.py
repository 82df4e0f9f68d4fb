"""A board flashed with the firmware of a model, and the proof that it runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tinyedge.artifacts import Built, Flashed, FlashPlan, Hello, Observer
from tinyedge.boards import Board
from tinyedge.errors import CheckError, TinyEdgeError
from tinyedge.flash import choose_flasher, way_without_probe
from tinyedge.flash.contract import TIMEOUT_S, UNTOUCHED, Flasher, FlashError
from tinyedge.jobs.board import baud_of, how_to_wire, open_board, open_console, port_of
from tinyedge.jobs.build import build, build_each
from tinyedge.jobs.choices import Choices
from tinyedge.measure.patience import banner_timeout_s
from tinyedge.measure.session import Session

_COME_BACK_S = 10.0
"""how long a port may take to come back after the board was flashed"""


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
        every = build_each(choices, observer)
        built = every[0]
        board = built.prepared.board
        tool = choose_flasher(board, how.tool)
        version = tool.available().version
        port = _console_port(board, how)
        probe = how.probe or tool.find_probe(board, port or how.port or "")
        with observer.progress(f"{tool.name}: write board `{board.name}`"):
            _write(tool, built, probe, how.timeout_s)
    if port is None:
        why = how_to_wire(board) if how.confirm else "the banner was not asked for"
        return Flashed(built, tool.name, version, tool.verifies, port, None, why)
    with _told(f"the flash of board `{board.name}` was written by `{tool.name}`"):
        hello = _confirm(every, port, observer)
    return Flashed(built, tool.name, version, tool.verifies, port, hello)


def _write(tool: Flasher, built: Built, probe: str, timeout_s: float) -> None:
    """Raises: FlashError, with the way to do without a probe where the board has none and none was found."""
    board = built.prepared.board
    try:
        tool.write(built.image, board, probe, timeout_s)
    except FlashError as error:
        if not error.reached and (way := way_without_probe(board, tool)):
            error.hint = f"{error.hint}; {way}"
        raise


def _console_port(board: Board, how: FlashChoices) -> str | None:
    """The port at which the banner will be read, which can be opened now; None where there is none to read.

    Raises: DeviceError, UsageError
    """
    if not how.confirm or not (how.port or board.usb_ids):
        return None
    url, console = open_console(lambda: how.port or port_of(board), baud_of(board), 0.0)
    console.close()
    return url


def _confirm(every: Sequence[Built], port: str, observer: Observer) -> Hello:
    """The banner of the image that was just written, whose models all pass their self-tests."""
    built = every[0]
    target = open_board(built.prepared.board, port, _COME_BACK_S)
    try:
        with observer.progress(f"{target.label}: read the banner"):
            plans = [each.prepared.plan for each in every]
            clock_hz = built.prepared.board.clock_hz
            patience_s = sum(banner_timeout_s(plan, clock_hz, emulated=False) for plan in plans)
            session = Session.with_target(target, patience_s)
            hello = session.wait_for_image(built.project.digest, patience_s)
            others = [session.choose_model(each.model_index) for each in every[1:] if each.model_index is not None]
    finally:
        target.console.close()
    for each in (hello, *others):
        if each.selftest != "ok":
            whose = f"`{each.model}`'s" if others else "its"
            raise CheckError(
                f"the board runs this image, but {whose} self-test gave `{each.selftest}`",
                hint="`tinyedge verify` shows the first layer that differs",
            )
    return hello


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

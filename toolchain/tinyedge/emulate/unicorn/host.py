"""The host's side: starts the worker, and makes a console of its pipes."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections import deque
from collections.abc import Iterator
from importlib import metadata

from tinyedge import process
from tinyedge.artifacts import Counting, Image
from tinyedge.boards import Board
from tinyedge.console.buffer import LineBuffer, PieceQueue, read_lines
from tinyedge.console.contract import CounterReading
from tinyedge.emulate.cycles import MODELS
from tinyedge.emulate.unicorn import frames
from tinyedge.emulate.unicorn.config import MachineConfig
from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.helper import native_helper
from tinyedge.emulate.unicorn.peripherals.families import FAMILIES
from tinyedge.errors import DeviceError, ToolError
from tinyedge.install import package_command

_WORKER = "tinyedge.emulate.unicorn.worker"
_START_TIMEOUT_S = 60.0
_ANSWER_TIMEOUT_S = 5.0
_KEPT_READINGS = 1 << 20
_START_AGAIN = "start it again; no hardware was touched"


class UnicornConsole:
    """The serial line of an emulated board. A thread sorts what the worker sends."""

    keeps_input = True

    def __init__(self, child: process.Child, config: MachineConfig, notes: tuple[str, ...] = ()) -> None:
        """Raises: DeviceError when the machine does not come up"""
        self._child = child
        self._notes = list(notes)
        self._buffer = LineBuffer()
        self._output = PieceQueue()
        self._readings: deque[CounterReading] = deque(maxlen=_KEPT_READINGS)
        self._statistics: dict[str, float] = {}
        self._answered = threading.Event()
        self._came_up = threading.Event()
        self._ready = False
        self._ending: Ending | None = None
        self._closed = threading.Event()
        self._receiver = threading.Thread(target=self._receive, name="unicorn worker", daemon=True)
        self._receiver.start()
        with contextlib.suppress(OSError):  # a worker that died already is reported below
            frames.write_frame(child.stdin, frames.START, config.to_json().encode())
        self._came_up.wait(_START_TIMEOUT_S)
        if not self._ready:
            ending = self._ending or Ending(f"the emulator did not come up within {_START_TIMEOUT_S:g} s", _START_AGAIN)
            self.close()
            raise DeviceError(ending.what, hint=ending.hint)

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        """Complete lines without their line end; ends when none came for `timeout_s` seconds.

        Raises: DeviceError, after all lines that came before, when the firmware broke a rule of its chip, halted, or
        ended, or the emulator did
        """
        return read_lines(self._read, self._buffer, timeout_s)

    def write(self, data: bytes) -> None:
        """Send bytes. Raises: DeviceError when the firmware or the emulator ended."""
        if self._closed.is_set() or self._ending is not None:
            raise self._gone()
        try:
            frames.write_frame(self._child.stdin, frames.INPUT, data)
        except (OSError, ValueError) as error:
            self._receiver.join(_ANSWER_TIMEOUT_S)  # it learns why
            raise self._gone() from error

    def counter_readings(self) -> list[CounterReading]:
        """Readings of the cycle counter since the last call, oldest first."""
        return [self._readings.popleft() for _ in range(len(self._readings))]

    def leave_reads_out(self) -> None:
        """From now on cycles lack the stalls of reads of flash; the emulation is faster for it."""
        with contextlib.suppress(OSError, ValueError):  # whoever reads learns why
            frames.write_frame(self._child.stdin, frames.LIGHT)

    def statistics(self) -> dict[str, float]:
        """instructions, cycles, seconds (without those spent on the host), mips, native_hook (1 or 0)."""
        if not self._closed.is_set() and self._ending is None:
            self._answered.clear()
            with contextlib.suppress(OSError, ValueError):
                frames.write_frame(self._child.stdin, frames.ASK)
                self._answered.wait(_ANSWER_TIMEOUT_S)
        return dict(self._statistics)

    def notes(self) -> tuple[str, ...]:
        """What a user should know of this emulation: what is slow, what is not modelled."""
        return tuple(self._notes)

    def last_words(self) -> list[str]:
        """The last lines the worker printed."""
        return self._child.last_words()

    def close(self) -> None:
        """End the worker; safe to call twice."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._output.close()
        self._child.stop()
        self._receiver.join(_ANSWER_TIMEOUT_S)
        self._child.close_pipes()

    def __enter__(self) -> UnicornConsole:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, seconds: float) -> bytes:
        piece = self._output.get(seconds)
        if piece is None:
            raise self._gone()
        return piece

    def _gone(self) -> DeviceError:
        ending = self._ending
        if ending is None or self._closed.is_set():
            return DeviceError("the console of the emulator is closed")
        return DeviceError(ending.what, hint=ending.hint)

    def _receive(self) -> None:
        """In a thread: sort what the worker sends, until it ends."""
        while (frame := self._next_frame()) is not None:
            self._sort(*frame)
        if self._ending is None:
            self._ending = self._died()
        self._output.put(b"")
        self._answered.set()
        self._came_up.set()

    def _next_frame(self) -> tuple[bytes, bytes] | None:
        try:
            return frames.read_frame(self._child.stdout)
        except (OSError, ValueError):
            return None

    def _sort(self, kind: bytes, body: bytes) -> None:
        if kind == frames.OUTPUT:
            self._output.put(body)
        elif kind == frames.READINGS:
            self._readings.extend(CounterReading(*reading) for reading in frames.unpack_readings(body))
        elif kind == frames.STATISTICS:
            self._statistics = json.loads(body)
            self._answered.set()
        elif kind == frames.NOTE:
            self._notes.append(body.decode())
        elif kind == frames.READY:
            self._ready = True
            self._came_up.set()
        elif kind == frames.END:
            self._ending = Ending.from_json(body)

    def _died(self) -> Ending:
        """The worker's pipe ended without a word of why."""
        code = self._child.wait(_ANSWER_TIMEOUT_S)
        how = "closed its output" if code is None else process.describe_exit(code)
        return Ending(f"the emulator's process {how}{process.quote_log(self._child.last_words())}", _START_AGAIN)


class UnicornEmulator:
    """The embedded emulator: exact instruction counts, cycles by a timing model. Each board runs in its own process."""

    name = "unicorn"

    def __init__(self, board: Board | None = None, *, native: bool = True) -> None:
        """`board` is the one whose cycles are stated, without one their error is the largest of all; `native` says
        whether the native counting hook is wanted."""
        errors = {name: model.error_percent for name, model in MODELS.items()}
        error = max(errors.values()) if board is None else errors.get(board.core.name)
        calibration = board.calibration if board is not None else None
        self.counting = Counting(
            "cycles",
            error_percent=error if calibration is None else calibration.error_percent,
            calibration=calibration,
            reads_flash=board is not None and bool(board.caches),
        )
        self._native = native

    def version(self) -> str:
        """Its version for reports. Raises: ToolError when it is missing."""
        try:
            return metadata.version("unicorn")
        except metadata.PackageNotFoundError as error:
            raise ToolError("`unicorn` is not installed", hint=f"`{package_command('unicorn')}` installs it") from error

    def supports(self, board: Board) -> str:
        """Empty when it can run the board's firmware, otherwise the reason it cannot."""
        if board.core.name not in MODELS:
            return f"`unicorn` has no {board.core.name}, the core of board `{board.name}`; it has {', '.join(MODELS)}"
        if board.family not in FAMILIES:
            known = ", ".join(FAMILIES)
            return f"`unicorn` has no peripherals of family `{board.family}` (board `{board.name}`); it has {known}"
        return ""

    def start(self, image: Image, board: Board) -> UnicornConsole:
        """Reset and run. Raises: ToolError when it is missing, DeviceError when it does not come up."""
        self.version()
        if reason := self.supports(board):
            raise DeviceError(reason, hint="`tinyedge boards` lists the emulators of each board")
        helper, notes = self._helper()
        config = MachineConfig.of(board, os.fspath(image.elf.absolute()), helper)
        child = process.start(process.python_module(_WORKER))
        try:
            return UnicornConsole(child, config, notes)
        except BaseException:
            child.stop()
            child.close_pipes()
            raise

    def _helper(self) -> tuple[str | None, tuple[str, ...]]:
        """The native counting hook, or a note why instructions are counted in Python."""
        if not self._native:
            return None, ("counting in Python, slowly, as asked for",)
        try:
            return os.fspath(native_helper()), ()
        except ToolError as error:
            reason = str(error).splitlines()[0]
            return None, (f"counting in Python, slowly, as the native hook cannot be built: {reason}",)

"""The serial line of a board in Renode: a socket on this computer, and a watch on the monitor that tells what broke.

Renode's exit status says nothing: a failed script ends it with 0 or leaves it hanging. So its output is read for its
errors, and everything has a time limit.
"""

from __future__ import annotations

import contextlib
import re
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

from tinyedge import process
from tinyedge.console.buffer import LONGEST_LINE_BYTES, READ_BYTES, LineBuffer, read_lines
from tinyedge.console.contract import CounterReading
from tinyedge.emulate.renode.platform import STARTED
from tinyedge.errors import DeviceError

_FAILED = "There was an error executing command"
_STOPPED = re.compile(r"\[ERROR\] \S+: (CPU abort.*)$")
_WARNING = re.compile(r"\[(?:WARNING|ERROR)\] (.*)$")
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_PORT_TAKEN = re.compile(r"in use|Only one usage", re.IGNORECASE)
_TELNET = 0xFF
"""what every command of telnet begins with, and no line of the firmware"""
_KEPT_NOTES = 5
_POLL_S = 0.05
_SETTLE_S = 0.3
"""how long the details of an error may take to follow its first line"""
_WRITE_TIMEOUT_S = 10.0
_AGAIN = "start it again; no hardware was touched"


class PortTakenError(DeviceError):
    """Another program took the port between its choice and Renode's start."""


class Monitor:
    """Reads all that Renode prints, in a thread, in bounded memory."""

    def __init__(self, child: process.Child) -> None:
        self._child = child
        self._tail: deque[str] = deque(maxlen=process.QUOTED_LINES)
        self._failed = False
        self._warnings: list[str] = []
        self.started = threading.Event()
        """the script came to its end"""
        self.ended = threading.Event()
        """Renode closed its output"""
        self.broken = threading.Event()
        """it printed an error: of the script, or of the emulated core"""
        self._thread = threading.Thread(target=self._read, name="renode monitor", daemon=True)
        self._thread.start()

    def error(self) -> DeviceError | None:
        """What it printed of an error; None when it did not."""
        if not self.broken.is_set():
            return None
        if self._failed:
            self.ended.wait(_SETTLE_S)
        text = process.quote_log(self.tail())
        if not self._failed:
            return DeviceError(f"the emulated core stopped{text}", hint=_AGAIN)
        kind = PortTakenError if _PORT_TAKEN.search(text) else DeviceError
        return kind(f"`renode` could not set up the machine{text}", hint="1.16 is the version known to work")

    def tail(self) -> list[str]:
        """The last lines it printed; behind an error, those that belong to it."""
        return list(self._tail)

    def warnings(self) -> tuple[str, ...]:
        """The first distinct warnings."""
        return tuple(self._warnings)

    def join(self, timeout_s: float) -> bool:
        """Whether the thread has ended."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            for raw in self._child.lines(LONGEST_LINE_BYTES):
                self._take(raw)
        self.ended.set()

    def _take(self, raw: str) -> None:
        line = _COLOURS.sub("", raw).strip()
        if not line:
            return
        if self.broken.is_set():
            if len(self._tail) < process.QUOTED_LINES:
                self._tail.append(line)
            return
        if _FAILED in line or _STOPPED.search(line):
            self._failed = _FAILED in line
            self._tail.clear()
            self._tail.append(line)
            self.broken.set()
            return
        self._tail.append(line)
        if STARTED in line and "log " not in line:  # not the echo of the script's command
            self.started.set()
        elif (warning := _WARNING.search(line)) and len(self._warnings) < _KEPT_NOTES:
            text = warning[1]
            if text not in self._warnings:
                self._warnings.append(text)


class RenodeConsole:
    """Console over the socket of Renode's serial terminal."""

    def __init__(
        self, child: process.Child, port: int, timeout_s: float, notes: tuple[str, ...], clean_up: Callable[[], None]
    ) -> None:
        """Waits until the firmware runs. `clean_up` is called once Renode has ended.

        Raises: PortTakenError; DeviceError when it does not come up in `timeout_s` seconds. Renode is ended then.
        """
        self._child = child
        self._clean_up = clean_up
        self._notes = notes
        self._started = time.monotonic()
        self._buffer = LineBuffer()
        self._silent = True
        self._closed = False
        self._socket: socket.socket | None = None
        self._monitor = Monitor(child)
        try:
            self._socket = self._connect(port, self._started + timeout_s, timeout_s)
        except BaseException:
            self.close()
            raise

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        """Complete lines without their line end; ends when none came for `timeout_s` seconds.

        Raises: DeviceError, after all lines that came before, when the core stopped or Renode ended
        """
        return read_lines(self._read, self._buffer, timeout_s)

    def write(self, data: bytes) -> None:
        """Send bytes. Raises: DeviceError when Renode ended, or took none in time."""
        try:
            self._line().sendall(data)
        except OSError as error:
            raise self._gone() from error

    def counter_readings(self) -> list[CounterReading]:
        """None: nobody sees the firmware read its counter."""
        return []

    def statistics(self) -> dict[str, float]:
        """seconds since the start, those spent on the host too."""
        return {"seconds": time.monotonic() - self._started}

    def notes(self) -> tuple[str, ...]:
        """How it counts, and the first warnings it printed."""
        return (*self._notes, *(f"renode warns: {text}" for text in self._monitor.warnings()))

    def close(self) -> None:
        """End Renode; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        if self._socket is not None:
            self._socket.close()
        self._child.stop()
        if self._monitor.join(_WRITE_TIMEOUT_S):
            self._child.close_pipes()
        self._clean_up()

    def __enter__(self) -> RenodeConsole:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self, port: int, deadline: float, timeout_s: float) -> socket.socket:
        """The serial line, once the script has ended well; trying again, as Renode opens it late."""
        line: socket.socket | None = None
        try:
            while line is None or not self._monitor.started.is_set():
                if (error := self._monitor.error()) is not None:
                    raise error
                if self._monitor.ended.is_set():
                    raise self._gone()
                if time.monotonic() > deadline:
                    lacking = "open the serial line" if line is None else "start the machine"
                    raise DeviceError(f"`renode` did not {lacking} within {timeout_s:g} s{self._quoted()}", hint=_AGAIN)
                if line is None:
                    with contextlib.suppress(OSError):
                        line = socket.create_connection(("127.0.0.1", port), timeout=_WRITE_TIMEOUT_S)
                if line is None or not self._monitor.started.is_set():
                    self._monitor.started.wait(_POLL_S)
        except BaseException:
            if line is not None:
                line.close()
            raise
        return line

    def _read(self, seconds: float) -> bytes:
        line = self._line()
        deadline = time.monotonic() + seconds
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            try:
                readable, _, _ = select.select([line], [], [], min(left, _POLL_S))
                data = line.recv(READ_BYTES) if readable else b""
            except (OSError, ValueError) as error:
                raise self._gone() from error
            if readable:
                return self._checked(data)
            if (error_seen := self._monitor.error()) is not None:
                raise error_seen
            if left <= 0:
                return b""

    def _checked(self, data: bytes) -> bytes:
        if not data:
            raise self._gone()
        if self._silent and data[0] == _TELNET:
            raise DeviceError(
                "the serial line of `renode` speaks telnet, not raw bytes",
                hint="its CreateServerSocketTerminal takes other arguments: 1.16 is the version known to work",
            )
        self._silent = False
        return data

    def _line(self) -> socket.socket:
        if self._closed or self._socket is None:
            raise DeviceError("the console of the emulator is closed")
        return self._socket

    def _gone(self) -> DeviceError:
        self._monitor.ended.wait(_SETTLE_S)
        if (error := self._monitor.error()) is not None:
            return error
        code = self._child.wait(_SETTLE_S)
        how = "closed the serial line" if code is None else process.describe_exit(code)
        return DeviceError(f"`renode` {how}{self._quoted()}", hint=_AGAIN)

    def _quoted(self) -> str:
        return process.quote_log(self._monitor.tail(), empty="; it printed nothing")

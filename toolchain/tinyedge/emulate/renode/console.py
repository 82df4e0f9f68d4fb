"""The serial line of a board in Renode: a pseudo-terminal, and a watch on the monitor that tells what broke.

Renode's exit status says nothing: a failed script ends it with 0 or leaves it hanging. So its output is read for its
errors, and everything has a time limit.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

from tinyedge import process
from tinyedge.console.buffer import LONGEST_LINE_BYTES, READ_BYTES, LineBuffer, read_lines
from tinyedge.console.contract import CounterReading
from tinyedge.emulate.renode.platform import STARTED
from tinyedge.errors import DeviceError
from tinyedge.systems import open_terminal, wait_readable

_FAILED = "There was an error executing command"
_STOPPED = re.compile(r"\[ERROR\] \S+: (CPU abort.*)$")
_WARNING = re.compile(r"\[(?:WARNING|ERROR)\] (.*)$")
_FRAME = re.compile(r"at \S.*\)(?: |$)")
"""a line of a .NET stack trace: a dozen of them would push out the words of the error"""
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_HARMLESS = re.compile(r"^(?:nvic|dwt|uart|clock|clint): (?:\[\w+: 0x\w+\] )?Unhandled ")
"""what a model of a device says of a bit it lacks; an access to what is not there at all is no such thing"""
_KEPT_NOTES = 5
_POLL_S = 0.05
_NAP_S = 0.002
_SETTLE_S = 0.3
"""how long the details of an error may take to follow its first line"""
_WRITE_TIMEOUT_S = 10.0
_AGAIN = "start it again; no hardware was touched"


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
        return DeviceError(f"`renode` could not set up the machine{text}", hint="1.16 is the version known to work")

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
        if not line or _FRAME.match(line):
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
            if text not in self._warnings and not _HARMLESS.search(text):
                self._warnings.append(text)


class RenodeConsole:
    """Console over the pseudo-terminal that Renode makes of the serial port."""

    keeps_input = False

    def __init__(self, child: process.Child, line: Path, timeout_s: float, clean_up: Callable[[], None]) -> None:
        """Waits until the firmware runs, and the line appears at the path `line`. `clean_up` is called at the end.

        Raises: DeviceError when it does not come up in `timeout_s` seconds. Renode is ended then.
        """
        self._child = child
        self._clean_up = clean_up
        self._started = time.monotonic()
        self._buffer = LineBuffer()
        self._closed = False
        self._line: int | None = None
        self._monitor = Monitor(child)
        try:
            self._line = self._connect(line, self._started + timeout_s, timeout_s)
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
        deadline = time.monotonic() + _WRITE_TIMEOUT_S
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._descriptor(), rest) :]
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DeviceError(f"`renode` took no input for {_WRITE_TIMEOUT_S:g} s", hint=_AGAIN) from None
                time.sleep(_NAP_S)
            except OSError as error:
                raise self._gone() from error

    def leave_reads_out(self) -> None:
        """They are not modelled anyway."""

    def counter_readings(self) -> list[CounterReading]:
        """None: nobody sees the firmware read its counter."""
        return []

    def statistics(self) -> dict[str, float]:
        """seconds since the start, those spent on the host too."""
        return {"seconds": time.monotonic() - self._started}

    def notes(self) -> tuple[str, ...]:
        """The first warnings it printed."""
        return tuple(f"renode warns: {text}" for text in self._monitor.warnings())

    def last_words(self) -> list[str]:
        """The last lines it printed."""
        return self._monitor.tail()

    def close(self) -> None:
        """End Renode; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        if self._line is not None:
            os.close(self._line)
        self._child.stop()
        if self._monitor.join(_WRITE_TIMEOUT_S):
            self._child.close_pipes()
        self._clean_up()

    def __enter__(self) -> RenodeConsole:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connect(self, path: Path, deadline: float, timeout_s: float) -> int:
        """The serial line, once the script has ended well; trying again, as Renode makes it late."""
        line: int | None = None
        try:
            while line is None or not self._monitor.started.is_set():
                if (error := self._monitor.error()) is not None:
                    raise error
                if self._monitor.ended.is_set():
                    raise self._gone()
                if time.monotonic() > deadline:
                    lacking = "make the serial line" if line is None else "start the machine"
                    raise DeviceError(f"`renode` did not {lacking} within {timeout_s:g} s{self._quoted()}", hint=_AGAIN)
                if line is None:
                    with contextlib.suppress(OSError):
                        line = open_terminal(path)
                if line is None or not self._monitor.started.is_set():
                    self._monitor.started.wait(_POLL_S)
        except BaseException:
            if line is not None:
                os.close(line)
            raise
        return line

    def _read(self, seconds: float) -> bytes:
        line = self._descriptor()
        deadline = time.monotonic() + seconds
        while True:
            left = max(deadline - time.monotonic(), 0.0)
            try:
                wait_readable(line, min(left, _POLL_S))
                if not (data := os.read(line, READ_BYTES)):
                    raise self._gone()
                return data
            except BlockingIOError:
                pass
            except (OSError, ValueError) as error:
                raise self._gone() from error
            if (error_seen := self._monitor.error()) is not None:
                raise error_seen
            if left <= 0:
                return b""

    def _descriptor(self) -> int:
        if self._closed or self._line is None:
            raise DeviceError("the console of the emulator is closed")
        return self._line

    def _gone(self) -> DeviceError:
        self._monitor.ended.wait(_SETTLE_S)
        if (error := self._monitor.error()) is not None:
            return error
        code = self._child.wait(_SETTLE_S)
        how = "closed the serial line" if code is None else process.describe_exit(code)
        return DeviceError(f"`renode` {how}{self._quoted()}", hint=_AGAIN)

    def _quoted(self) -> str:
        return process.quote_log(self._monitor.tail(), empty="; it printed nothing")

"""The console of a firmware that runs as a child process: its standard input and output."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

from tinyedge.console.buffer import READ_BYTES, LineBuffer, PieceQueue, read_lines
from tinyedge.errors import DeviceError
from tinyedge.process import Child, describe_exit, quote_log
from tinyedge.systems import never_block, wait_writable

_WRITE_TIMEOUT_S = 10.0
_START_AGAIN = "start it again; no hardware was touched"
_EXIT_TIMEOUT_S = 1.0
"""how long a child that closed its output may take to end"""


class ProcessConsole:
    """Console over a child made by `process.start`; closing it ends the child.

    Output that is there when the child ends is still handed out before the DeviceError.
    """

    def __init__(self, child: Child) -> None:
        self.child = child
        self._buffer = LineBuffer()
        self._pieces = PieceQueue()
        self._closed = False
        self._pump = threading.Thread(target=self._pump_stdout, daemon=True)
        self._pump.start()
        never_block(child.stdin)

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        """Complete lines without their line end; ends when none came for `timeout_s` seconds.

        Raises: DeviceError with the exit code and the last lines of standard error when the child ended
        """
        return read_lines(self.read, self._buffer, timeout_s)

    def write(self, data: bytes) -> None:
        """Send bytes. Raises: DeviceError when the child ended, or did not take them in time."""
        deadline = time.monotonic() + _WRITE_TIMEOUT_S
        rest = memoryview(data)
        while rest:
            if self._closed:
                raise DeviceError(f"the console of `{self.child.name}` is closed")
            try:
                sent = self.child.stdin.write(rest)
            except (BrokenPipeError, ConnectionError) as error:
                raise self._gone() from error
            if sent:
                rest = rest[sent:]
            elif time.monotonic() > deadline:
                raise DeviceError(f"`{self.child.name}` took no input for {_WRITE_TIMEOUT_S:g} s", hint=_START_AGAIN)
            else:
                wait_writable(self.child.stdin, 0.1)

    def close(self) -> None:
        """End the child; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._pieces.close()
        self.child.stop()
        self._pump.join(timeout=2.0)  # a grandchild that left the group may hold a pipe open
        if not self._pump.is_alive():
            self.child.close_pipes()

    def last_words(self) -> list[str]:
        """The last lines the child wrote to standard error."""
        return self.stderr_tail().splitlines()

    def stderr_tail(self) -> str:
        """The last lines the child wrote to standard error."""
        return "\n".join(self.child.last_words())

    def read(self, timeout_s: float) -> bytes:
        """Bytes as they come, at most READ_BYTES; none when the time is over. Raises: DeviceError as `lines`."""
        if self._closed:
            raise DeviceError(f"the console of `{self.child.name}` is closed")
        piece = self._pieces.get(timeout_s)
        if piece is None:
            raise self._gone()
        return piece

    def _gone(self) -> DeviceError:
        code = self.child.wait(_EXIT_TIMEOUT_S)
        what = "closed its output" if code is None else describe_exit(code)
        rest = self._buffer.take_unfinished().decode("utf-8", "replace")
        quoted = quote_log(f"{rest}\n{self.stderr_tail()}")
        return DeviceError(f"`{self.child.name}` {what}{quoted}", hint=_START_AGAIN)

    def _pump_stdout(self) -> None:
        """Moves what the child prints to the queue; an empty piece is the end."""
        descriptor = self.child.stdout.fileno()
        piece = b"more"
        while piece:
            try:
                piece = os.read(descriptor, READ_BYTES)
            except OSError:
                piece = b""
            self._pieces.put(piece)

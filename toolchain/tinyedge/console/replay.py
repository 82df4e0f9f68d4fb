"""A recorded log as a console, and a console that records one.

A session numbers its requests the same way each time, so the log of a session that began with the banner can be
played to the same session again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from tinyedge.console.buffer import READ_BYTES, LineBuffer, read_lines
from tinyedge.console.contract import Console
from tinyedge.errors import DeviceError


class ReplayConsole:
    """Plays what a device once sent, as fast as it is read. What is written to it is kept in `written`."""

    def __init__(self, log: bytes) -> None:
        self._log = log
        self._position = 0
        self._buffer = LineBuffer()
        self.written: list[bytes] = []

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        """The lines of the log; a last line without an end counts as lost. Raises: DeviceError when it is over."""
        return read_lines(self.read, self._buffer, timeout_s)

    def write(self, data: bytes) -> None:
        """Kept, and ignored."""
        self.written.append(data)

    def close(self) -> None:
        """Nothing is left to be played."""
        self._position = len(self._log)

    def read(self, timeout_s: float) -> bytes:
        """The next bytes of the log, at most READ_BYTES. Raises: DeviceError when it is over."""
        del timeout_s
        if self._position >= len(self._log):
            raise DeviceError(f"the recorded log of {len(self._log):,} B is over", hint="record a longer session")
        piece = self._log[self._position : self._position + READ_BYTES]
        self._position += len(piece)
        return piece


class RecordingConsole:
    """Hands everything through, and writes every line that came to `sink`."""

    def __init__(self, console: Console, sink: BinaryIO) -> None:
        self._console = console
        self._sink = sink

    def lines(self, timeout_s: float) -> Iterator[bytes]:
        """The lines of the console, recorded as they are taken."""
        for line in self._console.lines(timeout_s):
            self._sink.write(line + b"\n")
            yield line

    def write(self, data: bytes) -> None:
        """Hand on."""
        self._console.write(data)

    def close(self) -> None:
        """Close the console; the sink stays open."""
        self._console.close()

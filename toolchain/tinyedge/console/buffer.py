"""Turns a stream of bytes into lines, in bounded memory and bounded time, whatever the other side sends."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator

LONGEST_LINE_BYTES = 1024
"""a line longer than this is noise: cut, dropped and counted"""
READ_BYTES = 4096
"""how many bytes a console should ask for at once: what bounds the lines waiting in a `LineBuffer`"""


class LineBuffer:
    r"""Assembles lines from pieces. Holds at most one unfinished line and the lines of the pieces fed last.

    >>> buffer = LineBuffer()
    >>> buffer.feed(b"<1 ok ~AB")
    >>> buffer.pop() is None
    True
    >>> buffer.feed(b"CD\r\nnext")
    >>> buffer.pop()
    b'<1 ok ~ABCD'
    """

    def __init__(self, longest_bytes: int = LONGEST_LINE_BYTES) -> None:
        self._longest = longest_bytes
        self._unfinished = bytearray()
        self._overlong = False
        self._lines: deque[bytes] = deque()
        self.dropped = 0
        """lines dropped because they were too long"""

    def feed(self, data: bytes) -> None:
        """Take the bytes that just arrived."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._append(piece)
            if self._overlong:
                self.dropped += 1
            else:
                self._lines.append(bytes(self._unfinished.removesuffix(b"\r")))
            self._unfinished.clear()
            self._overlong = False
        self._append(rest)

    def pop(self) -> bytes | None:
        """The oldest complete line without its line end; None when there is none."""
        return self._lines.popleft() if self._lines else None

    def take_unfinished(self) -> bytes:
        """The bytes after the last line end, which are then forgotten: what a closed stream ended with."""
        rest = b"" if self._overlong else bytes(self._unfinished)
        self._unfinished.clear()
        self._overlong = False
        return rest

    def _append(self, piece: bytes) -> None:
        if self._overlong or len(self._unfinished) + len(piece) > self._longest:
            self._overlong = True
            self._unfinished.clear()
        else:
            self._unfinished += piece


def read_lines(
    read: Callable[[float], bytes],
    buffer: LineBuffer,
    timeout_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[bytes]:
    """Complete lines as `read` delivers them; ends when none was completed for `timeout_s` seconds.

    `read(seconds)` waits at most that long and returns at most READ_BYTES bytes, none when the time is over; with 0
    it returns what is there. Time that the caller spends between two lines does not count. Lines that the caller
    leaves behind stay in `buffer` for the next call.
    """
    deadline = clock() + timeout_s
    looked = False
    while True:
        while (line := buffer.pop()) is not None:
            yield line
            deadline = clock() + timeout_s
        left = deadline - clock()
        if left <= 0 and looked:
            return
        buffer.feed(read(max(left, 0.0)))
        looked = True

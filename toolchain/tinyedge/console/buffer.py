"""Turns a stream of bytes into lines, in bounded memory and bounded time, whatever the other side sends."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

LONGEST_LINE_BYTES = 1024
"""a line longer than this is noise: cut, dropped and counted"""
READ_BYTES = 4096
"""how many bytes a console should ask for at once: what bounds the lines waiting in a `LineBuffer`"""
QUEUED_PIECES = 64
"""pieces that wait in a `PieceQueue` before the other side has to"""


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


class PieceQueue:
    """Hands what a thread reads to whoever asks for its lines. A full one makes the thread wait."""

    def __init__(self) -> None:
        self._pieces: queue.Queue[bytes] = queue.Queue(QUEUED_PIECES)
        self._ended = False
        self._closed = threading.Event()

    def put(self, piece: bytes) -> None:
        """Hand on a piece; an empty one says that nothing more will come. Waits for room unless closed."""
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._pieces.put(piece, timeout=0.1)
                return

    def get(self, timeout_s: float) -> bytes | None:
        """The oldest piece; empty when none came in time, None when nothing more will come."""
        if self._ended or self._closed.is_set():
            return None
        try:
            piece = self._pieces.get(timeout=timeout_s) if timeout_s > 0 else self._pieces.get_nowait()
        except queue.Empty:
            return b""
        self._ended = not piece
        return piece or None

    def close(self) -> None:
        """Let nobody wait any longer, and drop what comes."""
        self._closed.set()


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

"""Frames of int16 with a number and a checksum, each token declared once; the C sender's header states the same.

    offset  bytes
    0       2      'T' 'E'
    2       1      axes, 1 to 32
    3       1      rows, 1 to 255: samples of each axis
    4       2      number of the frame, which counts to 65,535 and starts again at 0
    6       2 n    n = axes * rows int16, a row after the other
    6+2n    4      CRC-32 as in zlib over all before it

Numbers are little-endian.
"""

from __future__ import annotations

import struct
import zlib

from tinyedge.collect.contract import MOST_AXES, Event, Lost, Row, Rows
from tinyedge.errors import DeviceError

MAGIC = b"TE"
HEAD_BYTES = 6
CRC_BYTES = 4
NUMBERS = 1 << 16
_FEWEST_BYTES = HEAD_BYTES + 2 + CRC_BYTES


def encode_frame(number: int, rows: list[Row]) -> bytes:
    """One frame, as a board sends it.

    >>> encode_frame(7, [(1, -2)]).hex()
    '5445020107000100feffa670a621'
    """
    values = [int(value) for row in rows for value in row]
    body = MAGIC + struct.pack(f"<BBH{len(values)}h", len(rows[0]), len(rows), number, *values)
    return body + struct.pack("<I", zlib.crc32(body))


class FrameDecoder:
    """Finds good frames among any bytes; what is none is skipped and counted."""

    def __init__(self) -> None:
        self.axis_names: tuple[str, ...] = ()
        self.damaged = 0
        self.hints: tuple[str, ...] = ()
        self._buffer = bytearray()
        self._next: int | None = None
        self._rows_of_last = 0
        self._in_noise = False

    @property
    def found(self) -> bool:
        """Whether a good frame came."""
        return bool(self.axis_names)

    def feed(self, data: bytes) -> list[Event]:
        """The samples of the frames that are complete now. Raises: DeviceError when the number of axes changes."""
        self._buffer += data
        return self._take(ended=False)

    def finish(self) -> list[Event]:
        """The frames behind one that was cut short."""
        return self._take(ended=True)

    def _take(self, *, ended: bool) -> list[Event]:
        events: list[Event] = []
        while len(self._buffer) >= _FEWEST_BYTES or (ended and self._buffer):
            size = self._size()
            if size is not None and size > len(self._buffer) and not ended:
                break
            if size is None or size > len(self._buffer) or not self._is_good(size):
                self._skip()
                continue
            events += self._read(size)
            del self._buffer[:size]
            self._in_noise = False
        return events

    def _size(self) -> int | None:
        """The bytes of the frame that may start here; None when none can."""
        if not self._buffer.startswith(MAGIC) or len(self._buffer) < HEAD_BYTES:
            return None
        axes, rows = self._buffer[2], self._buffer[3]
        return HEAD_BYTES + 2 * axes * rows + CRC_BYTES if 1 <= axes <= MOST_AXES and rows > 0 else None

    def _is_good(self, size: int) -> bool:
        body = bytes(self._buffer[: size - CRC_BYTES])
        return bytes(self._buffer[size - CRC_BYTES : size]) == struct.pack("<I", zlib.crc32(body))

    def _skip(self) -> None:
        """Leave out what stands before the next place where a frame may start."""
        if self.found and not self._in_noise:  # before the first frame it is the rest of one, or a greeting
            self.damaged += 1
        self._in_noise = True
        at = self._buffer.find(MAGIC[:1], 1)
        del self._buffer[: at if at > 0 else len(self._buffer)]

    def _read(self, size: int) -> list[Event]:
        axes, count, number = struct.unpack_from("<BBH", self._buffer, 2)
        if self.found and axes != len(self.axis_names):
            raise DeviceError(
                f"the board now sends frames of {axes} axes, and sent {len(self.axis_names)} before",
                hint="collect each by itself",
            )
        self.axis_names = self.axis_names or tuple(f"a{i}" for i in range(axes))
        values = struct.unpack_from(f"<{axes * count}h", self._buffer, HEAD_BYTES)
        rows = Rows([values[at : at + axes] for at in range(0, axes * count, axes)])
        events: list[Event] = []
        if self._next is not None and number != self._next:
            ahead = (number - self._next) % NUMBERS
            if ahead == NUMBERS - 1:
                return []  # the last one, sent again
            events.append(Lost(0 if number == 0 else ahead * self._rows_of_last))  # 0: the board began anew
        self._next = (number + 1) % NUMBERS
        self._rows_of_last = count
        return [*events, rows]

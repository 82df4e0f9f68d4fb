"""What goes over the pipes between tinyedge and the worker: a kind, a length, and that many bytes.

To the worker: START (JSON of MachineConfig), INPUT (bytes for the firmware's serial line), ASK (statistics, please),
LIGHT (follow reads of flash no longer).
From it: READY (JSON: version, notes), OUTPUT (bytes of the serial line), READINGS (a Reading each, of 64
bits), STATISTICS (JSON), NOTE (text), END (JSON of Ending).
"""

from __future__ import annotations

import dataclasses
import json
import struct
from dataclasses import dataclass
from typing import IO

START, INPUT, ASK, LIGHT = b"S", b"I", b"A", b"L"
READY, OUTPUT, READINGS, STATISTICS, NOTE, END = b"R", b"O", b"C", b"T", b"N", b"E"

_HEAD = struct.Struct("<cI")
_READING = struct.Struct("<6Q")
Reading = tuple[int, int, int, int, int, int]
"""the fields of console.contract.CounterReading"""
_LONGEST_BYTES = 1 << 24


@dataclass(frozen=True)
class Ending:
    """Why the firmware no longer runs."""

    what: str
    hint: str = ""

    def to_json(self) -> bytes:
        return json.dumps(dataclasses.asdict(self)).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Ending:
        return cls(**json.loads(text))


def write_frame(stream: IO[bytes], kind: bytes, body: bytes = b"") -> None:
    """Write one frame. Raises: OSError when the other side is gone."""
    data = memoryview(_HEAD.pack(kind, len(body)) + body)
    while data:
        data = data[stream.write(data) or 0 :]


def read_frame(stream: IO[bytes]) -> tuple[bytes, bytes] | None:
    """The next frame, waiting for it; None when the stream ended, also within a frame or with nonsense."""
    head = _read(stream, _HEAD.size)
    if head is None:
        return None
    kind, length = _HEAD.unpack(head)
    if length > _LONGEST_BYTES:
        return None
    body = _read(stream, length)
    return None if body is None else (kind, body)


def pack_readings(readings: list[Reading]) -> bytes:
    """The body of READINGS."""
    return b"".join(_READING.pack(*reading) for reading in readings)


def unpack_readings(body: bytes) -> list[Reading]:
    """What `pack_readings` packed.

    >>> unpack_readings(pack_readings([(1, 2, 0, 0, 0, 0), (3, 4, 1, 0, 0, 7)]))
    [(1, 2, 0, 0, 0, 0), (3, 4, 1, 0, 0, 7)]
    """
    return list(_READING.iter_unpack(body))


def _read(stream: IO[bytes], count: int) -> bytes | None:
    data = b""
    while len(data) < count:
        piece = stream.read(count - len(data))
        if not piece:
            return None
        data += piece
    return data

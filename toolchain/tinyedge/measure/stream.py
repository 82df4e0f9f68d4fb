"""Plays a recording through a firmware that listens, and compares every row, output and result with the host's."""

from __future__ import annotations

import math
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from tinyedge import wire
from tinyedge.artifacts import Target
from tinyedge.artifacts.streamed import Effort
from tinyedge.console.contract import CounterReading
from tinyedge.features.stream import Heard, Stream
from tinyedge.measure.replies import Streaming
from tinyedge.measure.session import Session

Array = npt.NDArray[Any]
_TICKS = 1 << 32
_TICKED_S = 1.0
_ROW, _RUN, _HEARD = "row", "run", "heard"
_KINDS = ("features", "outputs", "results")


@dataclass(frozen=True, eq=False)
class Expected:
    """What the host computed of the same recording.

    rows     [rows, channels] of the network's integers
    outputs  [runs, *shape]
    """

    rows: Array
    outputs: Array
    heard: Sequence[Heard]


@dataclass
class _Sums:
    """Checksums over all rows, outputs and results so far."""

    features: int = 0
    outputs: int = 0
    results: int = 0
    rows: int = 0
    runs: int = 0


@dataclass
class _Work:
    """What was counted of one part.

    ticks   of the first `ticked` instructions
    """

    instructions: int = 0
    ticks: int = 0
    ticked: int = 0

    def all_ticks(self) -> float:
        """Of all instructions, as the first ones took them."""
        return self.ticks * self.instructions / self.ticked if self.ticked else self.ticks


@dataclass
class Played:
    """What is known when a recording was played.

    differs    what differed first from the host, and at which instant; empty: nothing
    ticked     instants in which ticks were taken; those behind them are told from the instructions
    """

    differs: str = ""
    at_instant: int = 0
    ticked: int = 0
    rows: int = 0
    runs: int = 0
    is_counted: bool = True
    features: _Work = field(default_factory=_Work)
    network: _Work = field(default_factory=_Work)

    def effort(self, part: _Work, seconds: float, *, ticks_are_cycles: bool) -> Effort:
        """For a second of signal."""
        return Effort(
            part.instructions / seconds if self.is_counted else None,
            part.all_ticks() / seconds if ticks_are_cycles else None,
        )


def play(
    session: Session,
    target: Target,
    stream: Stream,
    samples: Array,
    expected: Expected,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Played:
    """Feed a recording in small pieces, as a sensor would, and compare after each.

    Where ticks are slow to come by, as an emulator follows what is read of flash, they are of the first input and a
    second more.

    samples  [instants, axes]

    Raises: DeviceError when the firmware does not answer, or restarted
    """
    data = samples.tobytes()
    piece = wire.CHUNK_BYTES // stream.instant_bytes * stream.instant_bytes
    sums = _Sums()
    played = Played()
    played.ticked = _ticked_instants(target, stream, piece // stream.instant_bytes, len(samples))
    target.console.counter_readings()
    readings: deque[CounterReading] = deque()
    for number, reply in enumerate(_replies(session, target, data, piece, played.ticked * stream.instant_bytes)):
        instants = min((number + 1) * piece, len(data)) // stream.instant_bytes
        steps = list(_steps(stream, sums, instants, expected))
        _compare(played, sums, reply, steps, instants)
        readings += target.console.counter_readings()
        _count(played, steps, reply, readings, is_ticked=instants <= played.ticked)
        progress(instants, len(samples))
    played.rows, played.runs = sums.rows, sums.runs
    return played


def _ticked_instants(target: Target, stream: Stream, piece: int, instants: int) -> int:
    """How many are played with ticks: all of them, or whole pieces with an inference in them."""
    if not target.counting.reads_flash:
        return instants
    wanted = stream.filled.instants + math.ceil(_TICKED_S * stream.filled.features.rate_hz)
    return min(-(-wanted // piece) * piece, instants)


def _replies(session: Session, target: Target, data: bytes, piece: int, ticked: int) -> Iterator[Streaming | None]:
    """All pieces; before the first one behind byte `ticked` is sent, all others were answered."""
    yield from session.stream(data[:ticked], piece)
    if ticked < len(data):
        target.console.leave_reads_out()
        yield from session.stream(data, piece, ticked)


def _steps(stream: Stream, sums: _Sums, instants: int, expected: Expected) -> Iterator[str]:
    """What the firmware does with the instants up to this one; the checksums go on over what the host computed."""
    while sums.rows < stream.filled.features.rows(instants):
        row = expected.rows[sums.rows]
        sums.features = zlib.crc32(row.tobytes(), sums.features)
        sums.rows += 1
        yield _ROW
        if sums.runs == stream.runs(sums.rows):
            continue
        heard = expected.heard[sums.runs]
        sums.outputs = zlib.crc32(expected.outputs[sums.runs].tobytes(), sums.outputs)
        words = struct.pack("<IIi", heard.instant % _TICKS, heard.run, heard.detected)
        sums.results = zlib.crc32(words + struct.pack(f"<{len(heard.sums)}i", *heard.sums), sums.results)
        sums.runs += 1
        yield from (_RUN, _HEARD)


def _compare(played: Played, sums: _Sums, reply: Streaming | None, steps: Sequence[str], instants: int) -> None:
    if played.differs or not (reply or steps):
        return
    if reply is None:
        played.differs = f"no row where the host has row {sums.rows:,}"
    elif (reply.rows, reply.runs) != (sums.rows, sums.runs):
        played.differs = f"{reply.rows:,} rows and {reply.runs:,} inferences instead of {sums.rows:,} and {sums.runs:,}"
    else:
        found = dict(zip(_KINDS, (reply.row_crc, reply.out_crc, reply.heard_crc), strict=True))
        played.differs = next((kind for kind, crc in found.items() if crc != getattr(sums, kind)), "")
    played.at_instant = instants


def _count(
    played: Played, steps: Sequence[str], reply: Streaming | None, readings: deque[CounterReading], *, is_ticked: bool
) -> None:
    """Share the ticks out, and the instructions between two readings of the counter, which are taken off the front.

    The firmware reads it at the start, before and behind what it does for a step itself, and at the end. Readings
    of pieces that were sent ahead may follow.
    """
    if reply and is_ticked:
        played.features.ticks += reply.ticks - reply.network_ticks
        played.network.ticks += reply.network_ticks
    wanted = 2 * len(steps) + 2
    if len(readings) < wanted:
        played.is_counted = False
        return
    taken = [readings.popleft() for _ in range(wanted)]
    for at, step in enumerate([*steps, _ROW]):
        part = played.features if step == _ROW else played.network
        instructions = taken[2 * at + 1].instructions - taken[2 * at].instructions
        part.instructions += instructions
        part.ticked += instructions if is_ticked else 0

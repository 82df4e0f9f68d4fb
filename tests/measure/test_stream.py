"""Playing a recording: what is compared, and how the counter's readings are shared out, with a firmware by hand."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest

from tinyedge.artifacts import Counting, Target
from tinyedge.console.contract import CounterReading, Uncounted
from tinyedge.features.imu import Imu
from tinyedge.features.quantize import FeatureInput
from tinyedge.features.stream import Stream, StreamSettings, fit_stream
from tinyedge.graph.ir import DType, Quantization, Tensor
from tinyedge.measure.replies import Streaming
from tinyedge.measure.session import Session
from tinyedge.measure.stream import Expected, Played, play

ROW_COST, RUN_COST, HEARD_COST, END_COST, OWN_COST = 1000, 50_000, 300, 7, 1_000_000
"""instructions; the last of what the firmware does between two readings that belong together"""
STALLED = 3
"""cycles of an instruction with what flash costs; 1 without"""
FEATURES = Imu(rate_hz=100, axes=3, values=("mean",), window=8, stride=4)
OUTPUT = Tensor(0, "y", (1, 2), DType.INT8, quantization=Quantization((1 / 256,), (-128,), 0))


def listening() -> Stream:
    filled = FeatureInput(FEATURES, 3, DType.INT8, FEATURES.unit * 256, 0)
    settings = StreamSettings(stride_ms=80, average=2, threshold=0.5)
    return fit_stream(settings, filled, "m", OUTPUT, [], keeps_state=False)


class Firmware(Uncounted):
    """A session and its console at once: replies that the host's own sums make, harmed where a test says so."""

    def __init__(self, stream: Stream, expected: Expected, harm: dict[str, Any] | None = None, at: int = 0) -> None:
        self._stream, self._expected = stream, expected
        self._harm, self._at = harm or {}, at
        self._rows = self._runs = 0
        self._crcs = [0, 0, 0]
        self._clock = self._ticks = 0
        self._readings: list[CounterReading] = []
        self.fed = b""
        self.left_out_at: int | None = None

    def leave_reads_out(self) -> None:
        self.left_out_at = len(self.fed)

    def counter_readings(self) -> list[CounterReading]:
        readings, self._readings = self._readings, []
        return readings

    def stream(self, data: bytes, piece_bytes: int, start: int = 0) -> Iterator[Streaming | None]:
        """Two pieces are computed before the reply to the first is handed out."""
        pieces = [data[at : at + piece_bytes] for at in range(start, len(data), piece_bytes)]
        for at in range(0, len(pieces), 2):
            yield from [self._take(piece) for piece in pieces[at : at + 2]]

    def _take(self, data: bytes) -> Streaming | None:
        self.fed += data
        rows, network = self._rows, 0
        self._read(OWN_COST)
        while self._rows < FEATURES.rows(len(self.fed) // 6):
            self._ticks += self._step(ROW_COST, 0, self._expected.rows[self._rows].tobytes())
            self._rows += 1
            if self._stream.runs(self._rows) > self._runs:
                heard = self._expected.heard[self._runs]
                words = np.array([heard.instant, heard.run, heard.detected, *heard.sums], np.int64)
                cost = self._step(RUN_COST, 1, self._expected.outputs[self._runs].tobytes())
                cost += self._step(HEARD_COST, 2, words.astype(np.uint32).tobytes())
                self._ticks, network = self._ticks + cost, network + cost
                self._runs += 1
        self._read(END_COST)
        self._ticks += END_COST
        if self._rows == rows:
            return None
        if self.left_out_at is None:
            self._ticks, network = STALLED * self._ticks, STALLED * network
        reply = Streaming(self._rows, self._runs, *self._crcs, self._ticks, network)
        self._ticks = 0
        return replace(reply, **self._harm) if len(self.fed) // 6 >= self._at else reply

    def _step(self, cost: int, kind: int, data: bytes) -> int:
        self._read(cost)
        self._crcs[kind] = zlib.crc32(data, self._crcs[kind])
        self._read(OWN_COST)
        return cost

    def _read(self, cost: int) -> None:
        self._clock += cost
        self._readings.append(CounterReading(self._clock, self._clock))


def played(harm: dict[str, Any] | None = None, at: int = 0, *, counts: bool = True, reads: bool = False) -> Played:
    stream = listening()
    samples = np.random.default_rng(1).integers(-3000, 3000, (200, 3)).astype(np.int16)
    rows = stream.filled.quantize(FEATURES.reference(samples))
    outputs = np.random.default_rng(2).integers(-128, 128, (stream.runs(len(rows)), 2)).astype(np.int8)
    expected = Expected(rows, outputs, stream.listen(outputs))
    firmware = Firmware(stream, expected, harm, at)
    if not counts:
        firmware.counter_readings = cast(Any, list)
    target = Target("by hand", cast(Any, firmware), Counting("cycles", cycles="measured", reads_flash=reads))
    seen: list[Sequence[int]] = []
    result = play(cast(Session, firmware), target, stream, samples, expected, lambda *done: seen.append(done))
    assert firmware.fed == samples.tobytes()
    assert seen[-1] == (200, 200)
    assert (firmware.left_out_at is not None) == reads
    return result


def test_what_equals_the_host_and_what_it_costs() -> None:
    result = played()
    assert result.differs == ""
    assert (result.rows, result.runs) == (49, 24)
    pieces = -(-200 // 16)
    assert result.features.instructions == 49 * ROW_COST + pieces * END_COST
    assert result.network.instructions == 24 * (RUN_COST + HEARD_COST)
    assert result.features.ticks == STALLED * result.features.instructions
    assert result.ticked == 200
    effort = result.effort(result.network, 2.0, ticks_are_cycles=True)
    assert effort.instructions == 12 * (RUN_COST + HEARD_COST)
    assert effort.cycles == STALLED * effort.instructions


def test_reads_of_flash_are_followed_for_a_second_and_cycles_told_from_it() -> None:
    result = played(reads=True)
    assert result.ticked == 128  # whole pieces, an input and a second
    assert result.differs == ""
    assert result.network.instructions == 24 * (RUN_COST + HEARD_COST)
    assert result.network.ticks < STALLED * result.network.instructions
    effort = result.effort(result.network, 2.0, ticks_are_cycles=True)
    assert effort.cycles == STALLED * effort.instructions == STALLED * 12 * (RUN_COST + HEARD_COST)


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ({"row_crc": 1}, "features"),
        ({"out_crc": 1}, "outputs"),
        ({"heard_crc": 1}, "results"),
        ({"runs": 2}, "2 inferences instead of"),
    ],
)
def test_what_differs_is_named_with_its_place(harm: dict[str, int], words: str) -> None:
    result = played(harm, at=100)
    assert words in result.differs
    assert result.at_instant == 112  # the end of the first piece behind instant 100


def test_nothing_is_counted_where_nobody_counts() -> None:
    result = played(counts=False)
    assert not result.is_counted
    assert result.effort(result.features, 2.0, ticks_are_cycles=False).instructions is None

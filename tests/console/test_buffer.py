"""Lines out of bytes, in bounded memory and time."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyedge.console.buffer import LONGEST_LINE_BYTES, QUEUED_PIECES, LineBuffer, PieceQueue, read_lines


def drain(buffer: LineBuffer) -> list[bytes]:
    return list(iter(buffer.pop, None))


@given(lines=st.lists(st.binary(max_size=20)), cuts=st.lists(st.integers(0, 200)))
def test_lines_are_the_same_however_they_arrive(lines: list[bytes], cuts: list[int]) -> None:
    clean = [line.replace(b"\n", b"").rstrip(b"\r") for line in lines]
    data = b"".join(line + (b"\r\n" if i % 2 else b"\n") for i, line in enumerate(clean))
    buffer = LineBuffer()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, end in itertools.pairwise(edges):
        buffer.feed(data[start:end])
    assert drain(buffer) == clean


@given(pieces=st.lists(st.binary(max_size=30), max_size=40))
def test_no_line_is_longer_than_the_limit_and_none_is_made_up(pieces: list[bytes]) -> None:
    buffer = LineBuffer(longest_bytes=16)
    for piece in pieces:
        buffer.feed(piece)
        assert len(buffer._unfinished) <= 16
    lines = b"".join(pieces).split(b"\n")[:-1]
    assert drain(buffer) == [line.removesuffix(b"\r") for line in lines if len(line) <= 16]
    assert buffer.dropped == sum(len(line) > 16 for line in lines)


def test_an_endless_line_takes_no_memory_and_the_next_one_is_read() -> None:
    buffer = LineBuffer(longest_bytes=100)
    for _ in range(1000):
        buffer.feed(b"x" * 1000)
    assert len(buffer._unfinished) == 0
    buffer.feed(b"\ngood\n")
    assert (drain(buffer), buffer.dropped) == ([b"good"], 1)


@pytest.mark.parametrize("piece_bytes", [1, 7, 1024, 4096])
def test_one_byte_too_many_is_noise_and_the_next_line_is_read(piece_bytes: int) -> None:
    longest = b"x" * LONGEST_LINE_BYTES
    buffer = LineBuffer()
    data = longest + b"\n" + longest + b"y\nnext\n"
    for start in range(0, len(data), piece_bytes):
        buffer.feed(data[start : start + piece_bytes])
    assert (drain(buffer), buffer.dropped) == ([longest, b"next"], 1)
    buffer.feed(longest + b"y")
    assert buffer.take_unfinished() == b"", "the beginning of noise is noise"


def test_what_a_closed_stream_ended_with_is_handed_out_once() -> None:
    buffer = LineBuffer()
    buffer.feed(b"whole\npart")
    assert buffer.take_unfinished() == b"part"
    assert buffer.take_unfinished() == b""
    assert drain(buffer) == [b"whole"]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_reading_ends_when_no_line_was_completed_in_time() -> None:
    clock = Clock()

    def trickle(timeout_s: float) -> bytes:
        clock.now += min(timeout_s, 0.25)
        return b"."

    assert list(read_lines(trickle, LineBuffer(), 2.0, clock)) == []
    assert 2.0 <= clock.now <= 2.5


def test_time_starts_anew_with_every_line_and_the_callers_time_does_not_count() -> None:
    clock = Clock()
    script: Iterator[bytes] = iter([b"a\nb\n", b"", b"c\n"])

    def read(timeout_s: float) -> bytes:
        clock.now += min(timeout_s, 0.6)
        return next(script, b"")

    found = []
    for line in read_lines(read, LineBuffer(), 1.0, clock):
        clock.now += 100
        found.append(line)
    assert found == [b"a", b"b", b"c"]


def test_what_the_caller_leaves_is_there_for_the_next_call_even_without_waiting() -> None:
    clock = Clock()
    buffer = LineBuffer()
    script = iter([b"a\nb\n"])
    lines = read_lines(lambda timeout_s: next(script, b""), buffer, 1.0, clock)
    assert next(lines) == b"a"
    del lines
    assert next(read_lines(lambda timeout_s: b"", buffer, 0.0, clock)) == b"b"


def test_pieces_come_in_order_and_the_end_stays_the_end() -> None:
    pieces = PieceQueue()
    for piece in (b"one", b"two", b""):
        pieces.put(piece)
    assert [pieces.get(0.0) for _ in range(4)] == [b"one", b"two", None, None]


def test_silence_is_an_empty_piece() -> None:
    assert PieceQueue().get(0.0) == PieceQueue().get(0.01) == b""


def test_a_full_queue_makes_its_writer_wait_until_it_is_read_or_closed() -> None:
    pieces = PieceQueue()
    writer = threading.Thread(target=lambda: [pieces.put(b"x") for _ in range(QUEUED_PIECES + 2)])
    writer.start()
    writer.join(0.3)
    assert writer.is_alive()
    assert pieces.get(1.0) == b"x"
    writer.join(0.3)
    assert writer.is_alive()
    pieces.close()
    writer.join(5)
    assert not writer.is_alive()
    assert pieces.get(1.0) is None

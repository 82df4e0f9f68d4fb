"""Frames of int16: every good one is found whatever surrounds it, losses are counted, and C composes the same bytes."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest

from kits.host_kernels import WARNINGS, native_compiler
from tinyedge.collect.contract import Lost, Row, Rows
from tinyedge.collect.frames import CRC_BYTES, HEAD_BYTES, MAGIC, FrameDecoder, encode_frame
from tinyedge.errors import DeviceError
from tinyedge.paths import templates_dir

SENDER = r"""
#include <stdio.h>
#include "te_frame.h"
int main(void) {
  static uint8_t frame[TE_FRAME_BYTES(TE_FRAME_MOST_AXES, TE_FRAME_MOST_ROWS)];
  static int16_t samples[TE_FRAME_MOST_AXES * TE_FRAME_MOST_ROWS];
  for (uint32_t i = 0; i < sizeof samples / sizeof samples[0]; ++i) {
    samples[i] = (int16_t)((int32_t)(i * 40503u & 65535u) - 32768);
  }
  fwrite(frame, 1, te_frame(frame, 65535, samples, 3, 10), stdout);
  fwrite(frame, 1, te_frame(frame, 0, samples, 32, 255), stdout);
  return te_frame(frame, 1, samples, 0, 1) || te_frame(frame, 1, samples, 33, 1) || te_frame(frame, 1, samples, 1, 0) ||
         te_frame(frame, 1, samples, 1, 256);
}
"""


def rows_of(axes: int, count: int, start: int = 0) -> list[Row]:
    return [tuple((start + row * axes + axis) % 30_000 - 15_000 for axis in range(axes)) for row in range(count)]


def decoded(data: bytes, piece: int) -> tuple[list[Row], list[int], int]:
    """(samples, what is missing at each hole, damaged frames) of bytes that come in pieces."""
    decoder = FrameDecoder()
    events = [event for at in range(0, len(data), piece) for event in decoder.feed(data[at : at + piece])]
    events += decoder.finish()
    samples = [row for event in events if isinstance(event, Rows) for row in event.rows]
    return samples, [event.samples for event in events if isinstance(event, Lost)], decoder.damaged


@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_good_frames_are_found_in_any_noise(piece: int) -> None:
    lot = random.Random(piece)
    noise = [lot.randbytes(lot.randrange(40)) + MAGIC * lot.randrange(2) for _ in range(6)]
    frames = [encode_frame(65_533 + n & 65_535, rows_of(3, 5, 15 * n)) for n in range(6)]
    data = b"".join(part for pair in zip(noise, frames, strict=True) for part in pair)
    samples, lost, _ = decoded(data, piece)
    assert samples == rows_of(3, 30)
    assert lost == []


@pytest.mark.parametrize("at", [0, 3, 9, -1])
def test_a_damaged_frame_is_a_hole(at: int) -> None:
    frames = [bytearray(encode_frame(n, rows_of(2, 4, 8 * n))) for n in range(4)]
    frames[2][at] ^= 0x40
    samples, lost, damaged = decoded(b"".join(frames), 4096)
    assert samples == rows_of(2, 8) + rows_of(2, 4, 24)
    assert lost == [4]
    assert damaged == 1


def test_frames_behind_one_that_was_cut_short_are_found_at_the_end() -> None:
    whole = encode_frame(6, rows_of(1, 3))
    samples, lost, _ = decoded(encode_frame(4, rows_of(1, 3)) + encode_frame(5, rows_of(1, 255))[:20] + whole, 4096)
    assert samples == rows_of(1, 3) * 2
    assert lost == [3]


def test_a_frame_that_is_repeated_counts_once_and_a_restart_is_a_hole_of_unknown_size() -> None:
    frames = [encode_frame(n, rows_of(1, 2, n)) for n in (7, 7, 8, 0)]
    samples, lost, _ = decoded(b"".join(frames), 4096)
    assert samples == [row for n in (7, 8, 0) for row in rows_of(1, 2, n)]
    assert lost == [0]


def test_another_number_of_axes_is_refused() -> None:
    decoder = FrameDecoder()
    decoder.feed(encode_frame(0, rows_of(3, 2)))
    with pytest.raises(DeviceError, match="now sends frames of 2 axes, and sent 3"):
        decoder.feed(encode_frame(1, rows_of(2, 2)))


def test_endless_noise_takes_no_memory() -> None:
    decoder = FrameDecoder()
    for _ in range(300):
        decoder.feed(MAGIC + bytes((32, 255)) * 2048)
    assert len(decoder._buffer) < 32_768


def test_the_sender_in_c_composes_the_same_frames(tmp_path: Path) -> None:
    header = templates_dir() / "collect" / "te_frame.h"
    assert re.search(rf"TE_FRAME_BYTES\(axes, rows\) \({HEAD_BYTES + CRC_BYTES} \+", header.read_text())
    source = tmp_path / "sender.c"
    source.write_text(SENDER)
    program = tmp_path / "sender"
    subprocess.run([*native_compiler(), *WARNINGS, f"-I{header.parent}", source, "-o", program], check=True)
    sent = subprocess.run([program], capture_output=True, check=True).stdout
    values = [(i * 40_503 & 65_535) - 32_768 for i in range(32 * 255)]
    small = [tuple(values[3 * row : 3 * row + 3]) for row in range(10)]
    large = [tuple(values[32 * row : 32 * row + 32]) for row in range(255)]
    assert sent == encode_frame(65_535, small) + encode_frame(0, large)

"""One .wav file: PCM of 8, 16, 24 and 32 bits, and floats.

Source: Multimedia Programming Interface and Data Specifications 1.0 (IBM and Microsoft, 1991), RIFF WAVE;
        WAVEFORMATEXTENSIBLE of the Windows documentation for the tag 0xFFFE
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tinyedge.data.table import DataTable
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

MOST_BYTES = 1 << 30
"""of one file"""
_LARGEST = float(np.finfo(np.float32).max)
_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_TAGS = {2: "ADPCM", 6: "A-law", 7: "mu-law", 17: "IMA ADPCM", 80: "MPEG", 85: "MP3"}


@dataclass(frozen=True, eq=False)
class Sound:
    """What a file holds: values float32 [time] or [time, channels] in [-1, 1)."""

    values: Array
    rate_hz: int


def is_wav(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WAVE"


def read_wav(path: Path, table: DataTable) -> Sound:
    """A sound. Raises: UsageError when it is damaged, compressed, empty, of another rate, or of several channels."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UsageError(f"`{path}` has {size:,} B; at most {MOST_BYTES:,} B are read", hint="cut it into files")
    data = path.read_bytes()
    if not is_wav(data):
        raise _damaged(path, "it does not begin as one" if data else "it is empty")
    form, samples = _chunks(path, data)
    values = _values(path, form, samples)
    channels, rate_hz = form[1], form[2]
    if rate_hz == 0:
        raise _damaged(path, "it has 0 samples a second")
    if table.rate_hz is not None and rate_hz != table.rate_hz:
        raise wrong_rate(path, rate_hz, table.rate_hz)
    if channels > 1:
        values = values.reshape(-1, channels)
        if table.mono:
            values = values.mean(axis=1, dtype=np.float32)
    if not len(values):
        raise UsageError(f"`{path}` is empty: it has no sample", hint="leave the file out, or record it again")
    return Sound(values, rate_hz)


def wrong_rate(path: Path, found: float, wanted: float) -> UsageError:
    return UsageError(
        f"`{path}` has {found:,g} samples a second, not {wanted:,g}",
        hint=f"resample it, e.g. `sox IN.wav -r {wanted:g} OUT.wav`; all recordings have one rate",
    )


def _chunks(path: Path, data: bytes) -> tuple[tuple[int, int, int, int], bytes]:
    """(tag, channels, rate, bits) and the bytes of the samples."""
    at, form = 12, None
    while at + 8 <= len(data):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + length]
        if name == b"fmt ":
            if len(body) < 16:
                raise _damaged(path, "its format is cut short")
            tag, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            if tag == _EXTENSIBLE and len(body) >= 26:
                tag = int.from_bytes(body[24:26], "little")
            form = (tag, channels, rate_hz, bits)
        elif name == b"data":
            if form is None:
                raise _damaged(path, "samples stand before their format")
            if len(body) != length and length != 0xFFFFFFFF:
                raise _damaged(path, f"it ends after {len(body):,} of {length:,} B of samples")
            return form, body
        at += 8 + length + length % 2
    raise _damaged(path, "it has no samples")


def _values(path: Path, form: tuple[int, int, int, int], samples: bytes) -> Array:
    """Samples as float32 in [-1, 1)."""
    tag, channels, _, bits = form
    if tag not in (_PCM, _FLOAT):
        raise UsageError(
            f"`{path}` is compressed ({_TAGS.get(tag, f'format {tag}')})",
            hint="convert it to PCM, e.g. `sox IN.wav -e signed -b 16 OUT.wav`",
        )
    known = (32, 64) if tag == _FLOAT else (8, 16, 24, 32)
    if bits not in known or not 1 <= channels <= 64:
        raise _damaged(path, f"{channels} channels of {bits} bits are none that exist")
    if len(samples) % (channels * bits // 8):
        raise _damaged(path, f"{len(samples):,} B are no whole number of samples")
    if tag == _FLOAT:
        reals = np.frombuffer(samples, "<f4" if bits == 32 else "<f8")
        odd = np.flatnonzero(~(np.abs(reals) <= _LARGEST))  # NaN is none of them
        if len(odd):
            raise _damaged(path, f"sample {odd[0] // channels:,} is {reals[odd[0]]}")
        return reals.astype(np.float32)
    if bits == 8:
        return ((np.frombuffer(samples, np.uint8).astype(np.float32)) - 128) / np.float32(128)
    if bits == 24:
        parts = np.frombuffer(samples, np.uint8).reshape(-1, 3).astype(np.int32)
        whole = (parts[:, 0] | parts[:, 1] << 8 | parts[:, 2] << 16) << 8
        return (whole / np.float64(1 << 31)).astype(np.float32)
    whole = np.frombuffer(samples, f"<i{bits // 8}")
    return (whole / np.float64(1 << (bits - 1))).astype(np.float32)


def _damaged(path: Path, reason: str) -> UsageError:
    return UsageError(f"`{path}` is no readable .wav: {reason}", hint="record or convert it again")

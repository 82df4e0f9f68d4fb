"""A recording as the samples that features take: .wav or .csv, checked against what the features want."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyedge.collect.contract import Rows
from tinyedge.collect.lines import LineDecoder
from tinyedge.collect.rate import RateMeter, strays
from tinyedge.errors import UsageError
from tinyedge.features.contract import Array, Features

MOST_BYTES = 1 << 30
_SUFFIXES = (".wav", ".csv", ".txt", ".tsv")


def read_recording(path: Path, features: Features) -> Array:
    """The samples of a recording. Shape: `features.sample_dtype` [instants, axes].

    Raises: UsageError when there is none, it is damaged, or of another rate, format or number of axes; when it is
    shorter than a window
    """
    if not path.is_file():
        what = "is not a file" if path.exists() else "is not there"
        raise UsageError(f"the recording `{path}` {what}", hint="give a .wav or a .csv")
    if path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"`{path}` is no recording: {', '.join(_SUFFIXES)} are read", hint="give a .wav or a .csv")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise UsageError(f"`{path}` has {size:,} B; at most {MOST_BYTES:,} B are read", hint="cut it into pieces")
    if features.rate_hz == 0:
        raise UsageError(
            f"the features `{features.kind}` take pictures, not a signal in time: `{path}` cannot be streamed",
            hint="`tinyedge run` feeds pictures to the board",
        )
    samples = _read_wav(path, features) if path.suffix.lower() == ".wav" else _read_lines(path, features)
    if samples.shape[1] != features.axes:
        raise UsageError(
            f"`{path}` has {samples.shape[1]} axes; the features `{features.kind}` take {features.axes}",
            hint="`axes` of [features] says how many",
        )
    if len(samples) < features.window:
        raise UsageError(
            f"`{path}` has {len(samples):,} samples; a window of the features `{features.kind}` has "
            f"{features.window:,}",
            hint="give a longer recording",
        )
    return np.ascontiguousarray(features.to_samples(samples))


def _read_wav(path: Path, features: Features) -> npt.NDArray[np.int16]:
    try:
        with wave.open(str(path), "rb") as opened:
            channels, width, rate = opened.getnchannels(), opened.getsampwidth(), opened.getframerate()
            content = opened.readframes(opened.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise UsageError(
            f"`{path}` is no .wav that can be read: {str(error) or 'it is cut short'}", hint="write it as 16 bit PCM"
        ) from error
    if width != 2:
        raise UsageError(f"`{path}` has samples of {8 * width} bits; 16 bits are read", hint="write it as 16 bit PCM")
    if rate != features.rate_hz:
        raise UsageError(
            f"`{path}` has {rate:,} Hz; the features `{features.kind}` take {features.rate_hz:,} Hz",
            hint=f"resample it, e.g. `sox {path.name} -r {features.rate_hz} out.wav`",
        )
    whole = len(content) // (2 * channels) * channels
    return np.frombuffer(content, "<i2", count=whole).reshape(-1, channels).astype(np.int16)


def _read_lines(path: Path, features: Features) -> Array:
    decoder = LineDecoder(live=False)
    content = path.read_bytes()
    if not content.endswith(b"\n"):
        content += b"\n"
    events = [*decoder.feed(content), *decoder.finish()]
    pieces = [event for event in events if isinstance(event, Rows)]
    if not pieces:
        raise UsageError(f"`{path}` has no lines of numbers", hint="a line for each sample, a column for each axis")
    if len(pieces) > 1 or len(events) > len(pieces):
        line = len(pieces[0].rows) + 1
        raise UsageError(
            f"`{path}` has a hole or a damaged line behind sample {line:,}", hint="cut it there into two recordings"
        )
    meter = RateMeter(live=False)
    meter.add(len(pieces[0].rows), 0.0, pieces[0].times_s)
    if meter.hz is not None and strays(meter.hz, features.rate_hz):
        raise UsageError(
            f"`{path}` has {meter.hz:,.4g} samples a second by its times; the features `{features.kind}` take "
            f"{features.rate_hz:,}",
            hint="`rate_hz` of [features] says how many",
        )
    return np.array(pieces[0].rows, np.float64)

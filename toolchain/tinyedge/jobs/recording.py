"""A recording as the samples that features take: .wav or .csv, checked against what the features want."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tinyedge.data import DataTable
from tinyedge.data.csv_file import read_csv
from tinyedge.data.wav_file import is_wav, read_wav
from tinyedge.errors import UsageError
from tinyedge.features.contract import Array, Features

_HEAD_BYTES = 12
_SUFFIXES = (".wav", ".csv", ".txt", ".tsv")


def read_recording(path: Path, features: Features) -> tuple[Array, tuple[str, ...]]:
    """The samples of a recording, and what is odd about them. Shape: `features.sample_dtype` [instants, axes].

    Raises: UsageError when there is none, it is damaged, or of another rate, format or number of axes; when it is
    shorter than a window, or too quiet to be in the unit that the features expect
    """
    if not path.is_file():
        what = "is not a file" if path.exists() else "is not there"
        raise UsageError(f"the recording `{path}` {what}", hint="give a .wav or a .csv")
    with path.open("rb") as stream:
        sounds = is_wav(stream.read(_HEAD_BYTES))
    if not sounds and path.suffix.lower() not in _SUFFIXES:
        raise UsageError(f"`{path}` is no recording: {', '.join(_SUFFIXES)} are read", hint="give a .wav or a .csv")
    if features.rate_hz == 0:
        raise UsageError(
            f"the features `{features.kind}` take pictures, not a signal in time: `{path}` cannot be streamed",
            hint="`tinyedge run` feeds pictures to the board",
        )
    table = DataTable(source=path, rate_hz=features.rate_hz)
    values, notes = (_sound(path, table), ()) if sounds or path.suffix.lower() == ".wav" else _axes(path, table)
    if values.shape[1] != features.axes:
        one = f"record one channel, or `sox {path.name} OUT.wav remix 1`"
        what = "channels" if sounds else "axes"
        raise UsageError(
            f"`{path}` has {values.shape[1]} {what}; the features `{features.kind}` take {features.axes}",
            hint=one if features.axes == 1 and sounds else "`axes` of [features] says how many",
        )
    if len(values) < features.window:
        raise UsageError(
            f"`{path}` has {len(values):,} samples; a window of the features `{features.kind}` has {features.window:,}",
            hint="give a longer recording",
        )
    samples = np.ascontiguousarray(features.to_samples(values))
    _check_unit(path, features, values, samples)
    return samples, notes


def _sound(path: Path, table: DataTable) -> Array:
    values = read_wav(path, table).values
    return values.reshape(len(values), -1)


def _axes(path: Path, table: DataTable) -> tuple[Array, tuple[str, ...]]:
    file = read_csv(path)
    label = file.label_column(table)
    _, notes = file.rate(table)
    return file.numbers(file.input_columns(table, *([label] if label else []))), notes


def _check_unit(path: Path, features: Features, values: Array, samples: Array) -> None:
    """Raises: UsageError when a recording that is not silent becomes samples of no more than one count."""
    largest = float(np.abs(values).max())
    if largest > 0 and int(np.abs(samples.astype(np.int64)).max()) <= 1:
        raise UsageError(
            f"`{path}` holds values up to {largest:.3g}, which are samples of one count at most: the features "
            f"`{features.kind}` take {features.counts:g} counts for 1",
            hint="`counts` of [features]: 32768 for .wav, 16384 for g of a sensor of 2 g",
        )

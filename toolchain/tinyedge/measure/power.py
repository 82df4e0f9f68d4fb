"""Recorded traces of a power profiler: the energy of each inference, told by a digital channel or by the current.

Taken are CSV files of the Power Profiler Kit II (`Timestamp(ms),Current(uA),D0-D7`, or a column for each channel), of
a Joulescope (`time (s),current (A),voltage (V)`) and of the X-NUCLEO-LPM01A (`Time (ms);Current (uA)`): any file whose
head names a time and a current with their units.
"""

from __future__ import annotations

import csv
import re
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts import TracedEnergy
from tinyedge.errors import UsageError

Floats = npt.NDArray[np.float64]
_HEAD = re.compile(r"#?\s*(time|timestamp|current|voltage)\s*[(\[]?\s*([munµ]?[sAV])\s*[)\]]?", re.IGNORECASE)
_SCALES = {"": 1.0, "m": 1e-3, "u": 1e-6, "µ": 1e-6, "n": 1e-9}
_TRIGGER = re.compile(r"(?:(D[0-7])|([<>])\s*(\d+(?:\.\d+)?)\s*([munµ]?)A)(?::(low))?")
_CHANNELS = "D0-D7"
_HEAD_LINES = 50
"""within which the head must stand"""


@dataclass(frozen=True, eq=False)
class Trace:
    """Samples of one recording; all arrays have one entry for each."""

    seconds: Floats
    amperes: Floats
    volts: Floats | None
    channels: dict[str, npt.NDArray[np.bool_]]


def read_trace(path: Path) -> Trace:
    """Raises: UsageError when it is no such file, or holds what is no number"""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"power trace `{path}` cannot be read: {error}") from None
    for at, line in enumerate(lines[:_HEAD_LINES]):
        delimiter = ";" if ";" in line else "\t" if "\t" in line else ","
        names = [name.strip() for name in line.split(delimiter)]
        units = [_HEAD.fullmatch(name) for name in names]
        found = {match[1].lower().removesuffix("stamp") for match in units if match}
        if {"time", "current"} <= found:
            return _columns(path, names, units, csv.reader(lines[at + 1 :], delimiter=delimiter))
    raise UsageError(
        f"power trace `{path}` has no head with a time and a current",
        hint="columns as `Timestamp(ms),Current(uA),D0-D7`, or `time (s),current (A),voltage (V)`",
    )


def _columns(
    path: Path, names: Sequence[str], units: Sequence[re.Match[str] | None], rows: Iterator[list[str]]
) -> Trace:
    cells = [row for row in rows if row and not row[0].lstrip().startswith("#")]
    if not cells:
        raise UsageError(f"power trace `{path}` has no samples")
    kept: dict[str, Floats] = {}
    channels: dict[str, npt.NDArray[np.bool_]] = {}
    try:
        columns = list(zip(*cells, strict=True))[: len(names)]
        for name, unit, column in zip(names, units, columns, strict=True):
            if unit is not None:
                scale = _SCALES[unit[2][:-1].lower()]
                kept[unit[1].lower().removesuffix("stamp")] = np.array(column, np.float64) * scale
            elif name == _CHANNELS:
                for channel in range(8):
                    channels[f"D{channel}"] = np.array([bits.strip().zfill(8)[channel] == "1" for bits in column])
            elif re.fullmatch("D[0-7]", name):
                channels[name] = np.array(column, np.float64) > 0
    except ValueError:
        raise UsageError(f"power trace `{path}` is not whole: a row has other columns, or holds no number") from None
    seconds = kept.get("time", np.zeros(0))
    if len(seconds) < 2 or not np.all(np.diff(seconds) > 0) or not np.isfinite(kept["current"]).all():
        raise UsageError(f"power trace `{path}` has no samples in the order of time")
    return Trace(seconds, kept["current"], kept.get("voltage"), channels)


def energy_of(trace: Trace, trigger: str, volts: float | None) -> TracedEnergy:
    """The energy of the inferences that `trigger` marks.

    trigger  `D0`: while that channel is high (`D0:low`: low); `>4mA`, `<4mA`: while the current is above or below
    volts    of the supply, where the trace has no voltage

    Inferences that the recording begins or ends within are left out.

    Raises: UsageError
    """
    if trace.volts is None and volts is None:
        raise UsageError("the power trace has no voltage", hint="`--volts 3.0` says what the supply was")
    power = trace.amperes * (trace.volts if volts is None and trace.volts is not None else (volts or 0.0))
    active = _active(trace, trigger)
    edges = np.flatnonzero(np.diff(active.astype(np.int8)))
    starts, ends = edges[~active[edges]] + 1, edges[active[edges]] + 1
    spans = [(start, ends[ends > start][0]) for start in starts if (ends > start).any()]
    if not spans:
        raise UsageError(f"the power trace holds no whole inference by `--trigger {trigger}`")
    energies, durations = [], []
    for start, end in spans:
        steps = np.diff(trace.seconds[start : end + 1])
        energies.append(float(np.sum(power[start:end] * steps)) * 1e6)
        durations.append(float(np.sum(steps)) * 1e6)
    return TracedEnergy(
        len(spans), statistics.median(energies), min(energies), max(energies), statistics.median(durations)
    )


def _active(trace: Trace, trigger: str) -> npt.NDArray[np.bool_]:
    found = _TRIGGER.fullmatch(trigger)
    if found is None:
        raise UsageError(f"`--trigger {trigger}` is none", hint="a channel (`D0`, `D0:low`) or a current (`>4mA`)")
    if found[1]:
        if found[1] not in trace.channels:
            known = ", ".join(trace.channels) or "none"
            raise UsageError(f"the power trace has no channel `{found[1]}`; it has {known}")
        return ~trace.channels[found[1]] if found[5] else trace.channels[found[1]]
    limit = float(found[3]) * _SCALES[found[4].lower()]
    return trace.amperes > limit if found[2] == ">" else trace.amperes < limit

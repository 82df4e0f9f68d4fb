"""One sample file in Edge Impulse's data acquisition format, JSON or CBOR: sensors, their interval, their values.

Source: Data acquisition format of the Edge Impulse documentation: `protected`, `signature`, and `payload` with
        `interval_ms`, `sensors` (name, units) and `values`, a row an instant. Signatures are not checked.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array
from tinyedge.install import require_package

MOST_BYTES = 1 << 28
"""of one file"""
SUFFIXES = (".json", ".cbor")
_WAV_SCALE = np.float32(1 / 32768)
"""of a sensor whose unit is `wav`: its values are those of 16 bits"""


@dataclass(frozen=True, eq=False)
class Acquisition:
    """What a file holds: values float32 [time, sensors]."""

    values: Array
    rate_hz: float
    axes: tuple[str, ...]


def read_acquisition(path: Path) -> Acquisition:
    """A sample. Raises: UsageError when it is damaged, empty, or holds what is no number."""
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise UsageError(f"`{path}` has {size:,} B; at most {MOST_BYTES:,} B are read", hint="cut it into files")
    payload = _document(path).get("payload")
    if not isinstance(payload, dict):
        raise _wrong(path, "it has no `payload`")
    interval, sensors, values = (payload.get(name) for name in ("interval_ms", "sensors", "values"))
    if not isinstance(interval, int | float) or isinstance(interval, bool) or not 0 < interval < 1e9:
        raise _wrong(path, f"`interval_ms` is {interval!r}")
    if not isinstance(sensors, list) or not sensors or not all(isinstance(each, dict) for each in sensors):
        raise _wrong(path, "it names no `sensors`")
    if not isinstance(values, list) or not values:
        raise _wrong(path, "it has no `values`")
    axes = tuple(str(sensor.get("name", at)) for at, sensor in enumerate(sensors))
    array = _array(path, values, len(axes))
    if all(sensor.get("units") == "wav" for sensor in sensors):
        array = array * _WAV_SCALE
    return Acquisition(array, 1000 / interval, axes)


def is_acquisition(path: Path) -> bool:
    """Whether a file begins as one."""
    with path.open("rb") as stream:
        head = stream.read(4096)
    return b"protected" in head or b"payload" in head or b"interval_ms" in head


def _document(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    if not data:
        raise _wrong(path, "it is empty")
    refused: tuple[type[Exception], ...] = (ValueError, RecursionError, MemoryError, ArithmeticError, LookupError)
    is_json = data.lstrip()[:1] == b"{"
    if not is_json:
        require_package("CBOR", "cbor2", "data")
        import cbor2

        refused += (cbor2.CBORError, EOFError, TypeError)
    try:
        document = json.loads(data) if is_json else cbor2.load(io.BytesIO(data))
    except refused as error:
        told = str(error).splitlines()
        raise _wrong(path, told[0] if told else type(error).__name__) from error
    if not isinstance(document, dict):
        raise _wrong(path, "it holds no table")
    return document


def _array(path: Path, values: list[Any], axes: int) -> Array:
    """Rows as float32 [time, axes]. Raises: UsageError with the row that is none."""
    found = np.empty((len(values), axes), np.float32)
    for number, row in enumerate(values):
        cells = row if isinstance(row, list) else [row]
        if len(cells) != axes:
            raise _wrong(path, f"row {number} of `values` has {len(cells)} numbers for {axes} sensors")
        for at, cell in enumerate(cells):
            if not isinstance(cell, int | float) or isinstance(cell, bool) or not abs(cell) < 3e38:
                raise _wrong(path, f"row {number} of `values` holds {str(cell)[:40]!r}, not a number")
            found[number, at] = cell
    return found


def _wrong(path: Path, reason: str) -> UsageError:
    return UsageError(
        f"`{path}` is no sample in Edge Impulse's format: {reason}", hint="export or record it again, or leave it out"
    )

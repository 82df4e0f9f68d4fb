"""What passes between the parts of a collection: rows, losses, what is asked for and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tinyedge.errors import TinyEdgeError

Kind = Literal["imu", "audio"]
TimeUnit = Literal["auto", "none", "s", "ms", "us"]
Row = tuple[float, ...]
"""one sample of each axis; integers where the board sent integers"""
MOST_AXES = 32


class Source(Protocol):
    """Where bytes come from: a console of any kind."""

    def read(self, timeout_s: float) -> bytes:
        """What came, or nothing when the time is over. Raises: DeviceError when the other side is gone."""
        ...


@dataclass(frozen=True)
class Rows:
    """Samples that follow each other without a hole. `times_s` are the board's own, empty where it sends none."""

    rows: Sequence[Row]
    times_s: Sequence[float] = ()


@dataclass(frozen=True)
class Lost:
    """A hole: that many samples are missing here, as far as is known; 0 where time itself began anew."""

    samples: int


Event = Rows | Lost


class Decoder(Protocol):
    """Turns bytes into samples, whatever noise is among them, in bounded memory."""

    axis_names: tuple[str, ...]
    """as the board sent them, else `a0`, `a1`; empty before the first sample is known"""
    damaged: int
    """lines or frames that were dropped"""
    hints: tuple[str, ...]
    """what a person should know of how the bytes were read"""

    def feed(self, data: bytes) -> list[Event]:
        """What the bytes complete. Raises: DeviceError when the number of axes changes for good."""
        ...

    def finish(self) -> list[Event]:
        """What was held back, once nothing more comes."""
        ...


@dataclass(frozen=True)
class CollectSettings:
    """What to record.

    seconds    length of a recording; None: until it is ended
    count      of recordings
    rate_hz    what the board is meant to send; None: as measured
    axis_names  for the CSV's first line; empty: as the board names them
    timeout_s  how long the board may be silent
    live       bytes come as fast as the board samples: their arrival tells the rate
    """

    kind: Kind
    label: str
    folder: Path
    seconds: float | None = None
    count: int = 1
    rate_hz: float | None = None
    axis_names: tuple[str, ...] = ()
    time: TimeUnit = "auto"
    timeout_s: float = 5.0
    live: bool = True


@dataclass(frozen=True)
class Recording:
    """A file that was written. `complete`: as long as was asked for."""

    path: Path
    samples: int
    rate_hz: float | None
    complete: bool


@dataclass(frozen=True)
class Collected:
    """What came of a collection.

    format    `text` or `frames`
    rate_hz   that the files state; None where it could not be known
    measured_hz, rate_from  how fast samples came, by `arrival` or the board's `time`; None and empty where unknown
    lost      samples missing between recordings, as far as is known
    damaged   lines or frames that were dropped
    """

    kind: Kind
    label: str
    format: str
    axis_names: tuple[str, ...]
    rate_hz: float | None
    measured_hz: float | None
    rate_from: str
    recordings: tuple[Recording, ...]
    lost: int = 0
    damaged: int = 0
    first: Row = ()
    notes: tuple[str, ...] = ()


class BrokenCollectError(Exception):
    """A collection ended before its time: `partial` is what was kept, `error` what happened."""

    def __init__(self, partial: Collected, error: TinyEdgeError) -> None:
        super().__init__(str(error))
        self.partial = partial
        self.error = error

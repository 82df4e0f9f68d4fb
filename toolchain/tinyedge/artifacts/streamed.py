"""A recording played through a firmware, and what it heard."""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.artifacts.image import Built
from tinyedge.features.stream import Stream


@dataclass(frozen=True)
class Detection:
    """What was heard. `is_right`: whether a label is there; None without labels."""

    time_s: float
    name: str
    score: float
    is_right: bool | None = None


@dataclass(frozen=True)
class Effort:
    """What one part takes for a second of signal.

    instructions  counted; None where nobody counts
    cycles        of the core, modelled or measured; None where they are not known
    """

    instructions: float | None
    cycles: float | None


@dataclass(frozen=True, eq=False)
class Streamed:
    """What came of it.

    seconds           of signal that were played
    wall_seconds      that it took
    rows, runs        windows and inferences, all of them compared with the host's
    differs           in what the device differed first from the host, and when in the signal; empty: in nothing
    cycles_kind       `measured` or `modelled`; `error_percent` of the latter
    cycles_seconds    of signal, from its beginning, that cycles were taken in
    false_accepts, expected, missed_s  against labels; None without. `missed_s`: when labels began that were not heard
    ram_bytes         of window, rows, averages and the features' state; the arena and the network's state come on top
    """

    built: Built
    stream: Stream
    label: str
    recording: str
    seconds: float
    wall_seconds: float
    rows: int
    runs: int
    differs: str
    detections: tuple[Detection, ...]
    features: Effort
    network: Effort
    cycles_kind: str
    cycles_seconds: float
    error_percent: float | None
    ram_bytes: int
    false_accepts: int | None = None
    expected: int | None = None
    missed: tuple[tuple[float, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def share(self) -> float | None:
        """Of the core at its clock."""
        parts = (self.features.cycles, self.network.cycles)
        clock_hz = self.built.prepared.board.clock_hz
        return None if None in parts or not clock_hz else sum(part or 0.0 for part in parts) / clock_hz

    @property
    def false_accepts_per_hour(self) -> float | None:
        return None if self.false_accepts is None else self.false_accepts * 3600 / self.seconds

"""How fast samples come: by the board's own time, or by their arrival."""

from __future__ import annotations

import math
from collections.abc import Sequence

_LEAST_S = 0.9
"""of arrivals that tell a rate: USB hands pieces on up to 16 ms late"""
_FEWEST = 8
TOLERANCE = 0.05
"""of a rate: what clocks, late pieces and a second of looking can be wrong by"""


class RateMeter:
    """Counts samples over time. `live`: their arrival tells it where the board sends no time."""

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._first: tuple[float, int] | None = None
        self._last = (0.0, 0)
        self._samples = 0
        self._span_s = 0.0
        self._steps = 0
        self._time_s: float | None = None

    def add(self, count: int, now_s: float, times_s: Sequence[float] = ()) -> None:
        """Samples that arrived at `now_s`, with the board's times if it sends some."""
        self._samples += count
        if self._first is None:
            self._first = (now_s, self._samples)
        self._last = (now_s, self._samples)
        for time_s in times_s:
            if self._time_s is not None and time_s > self._time_s:
                self._span_s += time_s - self._time_s
                self._steps += 1
            self._time_s = time_s

    def lose(self, samples: int) -> None:
        """Samples that the board sent, and that did not come."""
        self._samples += samples
        self._time_s = None

    @property
    def origin(self) -> str:
        """`time`, `arrival`, or empty where the rate is not known."""
        return "time" if self._steps >= _FEWEST - 1 else "arrival" if self._by_arrival() is not None else ""

    @property
    def hz(self) -> float | None:
        """Samples a second; None as long as it is not known."""
        if self._steps >= _FEWEST - 1:
            return self._steps / self._span_s
        return self._by_arrival()

    def _by_arrival(self) -> float | None:
        if not self._live or self._first is None:
            return None
        span_s, count = self._last[0] - self._first[0], self._last[1] - self._first[1]
        return count / span_s if span_s >= _LEAST_S and count >= _FEWEST else None


def rounded(hz: float) -> float:
    """A measured rate in three digits: what it is known by.

    >>> rounded(49.973)
    50.0
    """
    return round(hz, 2 - math.floor(math.log10(hz)))


def strays(measured_hz: float, wanted_hz: float) -> bool:
    """Whether a rate is another one."""
    return abs(measured_hz - wanted_hz) > TOLERANCE * wanted_hz

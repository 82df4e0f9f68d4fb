"""Cycles that a core waits for its memory, fitted to latencies of silicon: one constant for each kind of event."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Event = Literal["code_misses", "data_misses", "code_lines"]


@dataclass(frozen=True, kw_only=True)
class Observation:
    """A network that was measured, and what one inference of the same machine code counts."""

    name: str
    measured_cycles: float
    pipeline_cycles: int
    code_misses: int
    data_misses: int
    code_lines: int

    def count(self, event: Event) -> int:
        return int(getattr(self, event))


@dataclass(frozen=True)
class Fit:
    """Cycles for each kind of event; every other one is free."""

    cycles: dict[Event, float]

    def predict(self, of: Observation) -> float:
        """Cycles of an inference."""
        return of.pipeline_cycles + sum(cycles * of.count(event) for event, cycles in self.cycles.items())

    def error(self, of: Observation) -> float:
        """Relative to what was measured: -0.1 is 10 % too low."""
        return self.predict(of) / of.measured_cycles - 1


def fit(observations: Sequence[Observation], events: Sequence[Event]) -> Fit:
    """The constants, none below 0, with the smallest sum of squares of relative errors.

    >>> counts = {"pipeline_cycles": 100, "code_misses": 10, "data_misses": 0, "code_lines": 0}
    >>> seen = Observation(name="a", measured_cycles=130, **counts)
    >>> fit([seen], ["code_misses"]).cycles
    {'code_misses': 3.0}
    """
    measured = np.array([each.measured_cycles for each in observations])
    excess = 1 - np.array([each.pipeline_cycles for each in observations]) / measured
    counts = np.array([[each.count(event) for event in events] for each in observations]) / measured[:, None]
    best = min(_non_negative(counts, excess), key=lambda found: float(np.sum((counts @ found - excess) ** 2)))
    return Fit({event: round(float(cycles), 3) for event, cycles in zip(events, best, strict=True)})


def _non_negative(counts: npt.NDArray[np.float64], excess: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    """Least squares of each choice of columns, where no constant is below 0; the others are 0."""
    width = counts.shape[1]
    found = [np.zeros(width)]
    for columns in itertools.chain.from_iterable(itertools.combinations(range(width), n + 1) for n in range(width)):
        solved = np.linalg.lstsq(counts[:, columns], excess, rcond=None)[0]
        if (solved >= 0).all():
            found.append(np.zeros(width))
            found[-1][list(columns)] = solved
    return found


def leave_one_out(observations: Sequence[Observation], events: Sequence[Event]) -> list[float]:
    """Relative error of each observation by constants that were fitted to all others."""
    return [fit([*observations[:i], *observations[i + 1 :]], events).error(each) for i, each in enumerate(observations)]


@dataclass(frozen=True)
class ErrorSummary:
    """Relative errors in percent."""

    mean: float
    """of their sizes"""
    largest: float
    bias: float

    @classmethod
    def of(cls, errors: Sequence[float]) -> ErrorSummary:
        sizes = [abs(error) for error in errors]
        return cls(100 * sum(sizes) / len(sizes), 100 * max(sizes), 100 * sum(errors) / len(errors))

    def rounded(self) -> ErrorSummary:
        return ErrorSummary(*(round(value, 1) for value in dataclasses.astuple(self)))

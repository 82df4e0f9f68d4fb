"""How the latency of single inferences spreads, where a clock measured each of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from tinyedge.artifacts import Measured
from tinyedge.report.table import format_time


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` % of the values do not exceed (nearest rank).

    >>> percentile([4.0, 1.0, 3.0, 2.0], 50), percentile([4.0, 1.0, 3.0, 2.0], 95)
    (2.0, 4.0)
    """
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def latency_percentiles(measured: Measured) -> dict[str, float] | None:
    """p50, p95 and max of the latency in microseconds; None when it was not measured."""
    run = measured.run
    return latency_spread(measured) if run.latency_us is not None and run.latency_us.kind == "measured" else None


def latency_spread(measured: Measured) -> dict[str, float] | None:
    """The same of a latency of any kind; None when there is none."""
    run = measured.run
    if run.latency_us is None or not run.ticks:
        return None
    times = [ticks * 1e6 / measured.built.prepared.board.clock_hz for ticks in run.ticks]
    return {"p50": percentile(times, 50), "p95": percentile(times, 95), "max": max(times)}


def render_percentiles(measured: Measured) -> str:
    """One line; empty when the latency was not measured."""
    found = latency_percentiles(measured)
    if found is None:
        return ""
    spread = ", ".join(f"{name} {format_time(value)}" for name, value in found.items())
    return f"\nlatency of {len(measured.run.ticks):,} runs: {spread} (measured)\n"


def percentiles_document(measured: Measured) -> dict[str, Any]:
    """The key that a measured latency adds to `tinyedge.run/2`."""
    found = latency_percentiles(measured)
    return (
        {}
        if found is None
        else {"latency_percentiles_us": {"kind": "measured", "runs": len(measured.run.ticks)} | found}
    )

"""The whole report on one run, with energy and the spread of its latency: what the command and the API both show."""

from __future__ import annotations

from typing import Any

from tinyedge.artifacts import Measured, TracedEnergy
from tinyedge.report.energy import Duty, energy_document
from tinyedge.report.json import run_document
from tinyedge.report.percentiles import percentiles_document, render_percentiles
from tinyedge.report.text import render_run


def measured_document(
    measured: Measured, duty: Duty | None = None, traced: TracedEnergy | None = None
) -> dict[str, Any]:
    """`tinyedge.run/2`. Raises: UsageError as `battery_days`"""
    return run_document(measured) | energy_document(measured, duty, traced) | percentiles_document(measured)


def render_measured(measured: Measured, duty: Duty | None = None, traced: TracedEnergy | None = None) -> str:
    """The same for a terminal."""
    return render_run(measured, duty, traced) + render_percentiles(measured)

"""What a collection gave, as text and as a JSON document."""

from __future__ import annotations

from typing import Any

from tinyedge.collect import Collected, Recording
from tinyedge.report.table import format_pairs, render_table

_BY = {"arrival": "by their arrival", "time": "by the board's time", "": ""}


def render_collected(collected: Collected, *, dry_run: bool = False) -> str:
    """What came, and the files that were written."""
    axes = ", ".join(collected.axis_names)
    pairs = [
        ("sent", f"{'checked frames' if collected.format == 'frames' else 'lines of numbers'}: {axes}"),
        ("rate", _rate(collected)),
    ]
    if dry_run:
        pairs.append(("first sample", ", ".join(map(repr, collected.first))))
    if collected.lost or collected.damaged:
        pairs.append(
            ("lost", f"{collected.lost:,} samples; {collected.damaged:,} damaged lines or frames were dropped")
        )
    text = f"{collected.label}\n\n{format_pairs(pairs)}\n"
    if not collected.recordings:
        return text
    rows = [(str(each.path), each.samples, _seconds(each), _whole(each)) for each in collected.recordings]
    return f"{text}\n{render_table(('recording', 'samples', 'length', ''), rows)}\n"


def collect_document(collected: Collected, *, dry_run: bool = False) -> dict[str, Any]:
    """`tinyedge.collect/1`."""
    return {
        "schema": "tinyedge.collect/1",
        "dry_run": dry_run,
        "kind": collected.kind,
        "label": collected.label,
        "format": collected.format,
        "axes": list(collected.axis_names),
        "rate_hz": collected.rate_hz,
        "measured_hz": collected.measured_hz,
        "rate_from": collected.rate_from or None,
        "first_sample": list(collected.first),
        "lost_samples": collected.lost,
        "damaged": collected.damaged,
        "recordings": [
            {
                "path": str(each.path),
                "samples": each.samples,
                "seconds": None if each.rate_hz is None else each.samples / each.rate_hz,
                "complete": each.complete,
            }
            for each in collected.recordings
        ],
        "notes": list(collected.notes),
    }


def _rate(collected: Collected) -> str:
    measured = collected.measured_hz
    if collected.rate_hz is None:
        return "unknown: `--rate` states it"
    stated = f"{collected.rate_hz:,g} Hz"
    if measured is None:
        return f"{stated}, as given; it was not measured"
    return f"{stated}; {measured:,.4g} measured {_BY[collected.rate_from]}"


def _seconds(recording: Recording) -> str:
    return "-" if recording.rate_hz is None else f"{recording.samples / recording.rate_hz:.2f} s"


def _whole(recording: Recording) -> str:
    return "" if recording.complete else "cut short"

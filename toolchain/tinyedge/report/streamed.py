"""What a firmware heard in a recording, as text and as a JSON document, and what makes that a failure."""

from __future__ import annotations

from typing import Any

from tinyedge.artifacts.streamed import Detection, Effort, Streamed
from tinyedge.errors import CheckError
from tinyedge.report.table import format_bytes, format_pairs, render_table

_MOST_ROWS = 200
"""of detections in text; `--json` has all"""


def render_streamed(streamed: Streamed) -> str:
    """Detections, how they compare with labels, and what a second of signal costs."""
    built, stream = streamed.built, streamed.stream
    speed = streamed.seconds / streamed.wall_seconds if streamed.wall_seconds else 0.0
    pairs = [
        ("played", f"{streamed.seconds:,.2f} s in {streamed.wall_seconds:,.1f} s: {speed:.1f} times real time"),
        ("verify", _verified(streamed)),
        *_against_labels(streamed),
        ("RAM", f"{format_bytes(streamed.ram_bytes)} for listening; arena {format_bytes(built.project.arena_bytes)}"),
    ]
    if streamed.share is not None:
        how = f"modelled, error {streamed.error_percent:.0f} %" if streamed.error_percent else streamed.cycles_kind
        how += f", of {streamed.cycles_seconds:.1f} s" if streamed.cycles_seconds < streamed.seconds else ""
        pairs.append(("core", f"{100 * streamed.share:.1f} % of {built.prepared.board.clock_hz / 1e6:g} MHz ({how})"))
    model = built.prepared.model
    text = f"{model.name} on {built.prepared.board.name}: {streamed.label}\n\n{format_pairs(pairs)}\n"
    rows = [
        (
            "features",
            f"{stream.filled.features.rate_hz / stream.filled.features.stride:.4g}",
            *_cells(streamed.features),
        ),
        ("network", f"{_runs_a_second(streamed):.4g}", *_cells(streamed.network)),
    ]
    headers = ("for a second of signal", "times", "instructions (counted)", f"cycles ({streamed.cycles_kind})")
    text += f"\n{render_table(headers, rows)}\n"
    if streamed.detections:
        shown = [_detection_row(each) for each in streamed.detections[:_MOST_ROWS]]
        text += f"\n{render_table(('heard at', 'class', 'average', ''), shown)}\n"
        if len(streamed.detections) > _MOST_ROWS:
            text += f"... {len(streamed.detections) - _MOST_ROWS:,} more; `--json` has all\n"
    else:
        text += "\nnothing was heard\n"
    if streamed.missed:
        text += f"\n{render_table(('missed at', 'class'), [(f'{at:.2f} s', name) for at, name in streamed.missed])}\n"
    return text + "".join(f"\nnote: {note}" for note in streamed.notes)


def streamed_document(streamed: Streamed) -> dict[str, Any]:
    """`tinyedge.stream/1`."""
    built, stream = streamed.built, streamed.stream
    return {
        "schema": "tinyedge.stream/1",
        "model": built.prepared.model.name,
        "board": built.prepared.board.name,
        "image": built.image_id,
        "runtime": built.prepared.runtime,
        "on": streamed.label,
        "recording": streamed.recording,
        "seconds": streamed.seconds,
        "wall_seconds": streamed.wall_seconds,
        "features": {"kind": stream.filled.features.kind, "rows": streamed.rows} | _effort(streamed.features),
        "network": {"runs": streamed.runs} | _effort(streamed.network),
        "cycles_kind": streamed.cycles_kind,
        "cycles_seconds": streamed.cycles_seconds,
        "cycles_error_percent": streamed.error_percent,
        "core_share": streamed.share,
        "ram_bytes": streamed.ram_bytes,
        "arena_bytes": built.project.arena_bytes,
        "stream": {
            "run_rows": stream.run_rows,
            "average": stream.average,
            "threshold": stream.settings.threshold,
            "suppress_ms": stream.settings.suppress_ms,
        },
        "equals_host": not streamed.differs,
        "differs": streamed.differs or None,
        "detections": [vars(each) for each in streamed.detections],
        "labels": None
        if streamed.false_accepts is None
        else {
            "expected": streamed.expected,
            "false_accepts": streamed.false_accepts,
            "false_accepts_per_hour": streamed.false_accepts_per_hour,
            "false_rejects": len(streamed.missed),
            "missed": [{"time_s": at, "name": name} for at, name in streamed.missed],
        },
        "notes": list(streamed.notes),
    }


def judge_streamed(streamed: Streamed) -> None:
    """Raises: CheckError when the device did not compute what the host did."""
    if streamed.differs:
        raise CheckError(
            f"the device differs from the host: {streamed.differs}",
            hint="this is a defect: please report the model, the board and the compiler",
        )


def _verified(streamed: Streamed) -> str:
    if streamed.differs:
        return f"differs from the host: {streamed.differs}"
    name = streamed.built.prepared.reference.name
    return f"{streamed.rows:,} rows equal the host's, {streamed.runs:,} outputs {name}'s"


def _against_labels(streamed: Streamed) -> list[tuple[str, str]]:
    accepts = streamed.false_accepts_per_hour
    if accepts is None or streamed.expected is None:
        return [("heard", f"{len(streamed.detections):,}")]
    return [
        ("heard", f"{streamed.expected - len(streamed.missed):,} of {streamed.expected:,} labels"),
        ("false accepts", f"{streamed.false_accepts:,}: {accepts:,.2f} an hour"),
        ("false rejects", f"{len(streamed.missed):,}"),
    ]


def _runs_a_second(streamed: Streamed) -> float:
    features = streamed.stream.filled.features
    return features.rate_hz / (features.stride * streamed.stream.run_rows)


def _cells(effort: Effort) -> tuple[int | None, int | None]:
    return (
        None if effort.instructions is None else round(effort.instructions),
        None if effort.cycles is None else round(effort.cycles),
    )


def _effort(effort: Effort) -> dict[str, float | None]:
    return {"instructions_per_second": effort.instructions, "cycles_per_second": effort.cycles}


def _detection_row(each: Detection) -> tuple[str, str, str, str]:
    told = {None: "", True: "right", False: "false accept"}[each.is_right]
    return f"{each.time_s:.2f} s", each.name, f"{each.score:.3f}", told

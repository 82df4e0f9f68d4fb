"""A search for a model that fits, as a table and as JSON."""

from __future__ import annotations

from typing import Any

from tinyedge.artifacts.compression import Compression, Try
from tinyedge.report.table import Cell, render_table

_HEADS = ("chain", "int8", "flash", "RAM", "instructions", "ms", "")
_UNKNOWN = "-"


def compression_document(found: Compression) -> dict[str, Any]:
    """`tinyedge.compress/1`: the limits, each try with its techniques and figures, and which is best."""
    return {"schema": "tinyedge.compress/1"} | found.to_json()


def render_compression(found: Compression) -> str:
    """A line for each try, and how it ended."""
    limits = found.limits
    rows = [_row(each, found) for each in found.tries]
    wanted: tuple[Cell, ...] = (
        "limit",
        _UNKNOWN if limits.accuracy is None else f"{limits.accuracy:.4f}",
        _number(limits.flash_bytes),
        _number(limits.ram_bytes),
        _number(limits.instructions),
        _milliseconds(limits.latency_us),
        "",
    )
    head = f"{found.model} on {found.board}: {len(found.tries)} tries"
    return f"{head}\n\n{render_table(_HEADS, [*rows, wanted])}\n\n{verdict(found)}\n"


def verdict(found: Compression) -> str:
    """How the search ended, in a sentence."""
    best = found.best
    if best is None:
        return "no chain could be trained"
    if found.fits:
        return f"`{best.name}` fits"
    over = "; ".join(excess.text for excess in best.excesses(found.limits) if excess.ratio > 1)
    return f"nothing fits; `{best.name}` comes nearest: {over}"


def _row(each: Try, found: Compression) -> tuple[Cell, ...]:
    figures = each.figures
    if figures is None:
        return (each.name, *(_UNKNOWN for _ in range(5)), "refused")
    return (
        each.name,
        _UNKNOWN if figures.accuracy is None else f"{figures.accuracy:.4f}",
        _number(figures.flash_bytes),
        _number(figures.ram_bytes),
        _number(figures.instructions),
        _milliseconds(figures.latency_us),
        "fits" if each.fits(found.limits) else "wrong" if figures.mismatches else "",
    )


def _number(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:,.0f}"


def _milliseconds(us: float | None) -> str:
    return _UNKNOWN if us is None else f"{us / 1000:,.2f}"

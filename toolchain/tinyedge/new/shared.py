"""What proposals for several kinds of data have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyedge.new.contract import Found

_UNEQUAL = "some classes have three times the recordings of others"


def data_table(found: Found) -> tuple[dict[str, Any], dict[str, str]]:
    """([data], reasons) of what there is: the source, the classes in their order, what reading needs, the subjects."""
    table: dict[str, Any] = {"source": found.source}
    reasons = {}
    if found.classes and found.is_named:
        table["classes"] = list(found.classes)
        reasons["data.classes"] = "their order is that of the network's outputs"
    table |= found.table
    if found.group:
        table["group"] = found.group
        reasons["data.group"] = (
            f"{found.subjects} subjects, by the names of the files: each is in one part alone, or the test would know "
            "people that the training has seen"
        )
    return table, reasons


def fit_table(
    found: Found, epochs: int, learning_rate: float, batch_size: int = 32
) -> tuple[dict[str, Any], dict[str, str]]:
    """([fit], reasons)."""
    table: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
    table["warm_up"] = 0.1
    if found.is_unequal:
        return table | {"class_weights": "balanced"}, {"fit.class_weights": _UNEQUAL}
    return table, {}


def windows(found: Found) -> tuple[int, dict[str, Any], dict[str, str]]:
    """(samples of time in a window, keys of [data], reasons) that make windows of recordings of whatever lengths.

    Recordings of much the same length up to 4 s are a window each; others are cut into windows of 2 s, by half of it.
    """
    assert found.lengths is not None
    shortest, middle, longest = found.lengths
    rate = found.rate_hz
    if not found.is_cut:
        return shortest, {}, {}

    def told(samples: int) -> str:
        return f"{samples / rate:.3g} s" if rate else f"{samples:,} samples"

    spread = f"recordings are {told(shortest)} to {told(longest)} long"
    at_most = round(4 * rate) if rate else 1000
    if longest <= 1.25 * shortest and middle <= at_most:
        return shortest, {"window": shortest}, {"data.window": f"{spread}: each is one window, as long as the shortest"}
    window = min(round(2 * rate) if rate else 128, shortest)
    return (
        window,
        {"window": window, "stride": max(1, window // 2)},
        {
            "data.window": f"{spread}: windows of {told(window)} are cut out of them, after the recordings are split",
            "data.stride": "half a window: a movement that one window cuts in two is whole in the next",
        },
    )


def facts_of(found: Found, what: str) -> list[tuple[str, str]]:
    """(name, text) of what was found."""
    facts = [("data", f"{what} in `{found.source}`")]
    if found.counts:
        told = ", ".join(f"{name} {count:,}" for name, count in zip(found.classes, found.counts, strict=True))
        facts.append(("classes", told))
    elif found.classes:
        facts.append(("classes", ", ".join(found.classes)))
    if found.subjects:
        facts.append(("subjects", str(found.subjects)))
    return facts


def merged(*parts: tuple[Mapping[str, Any], Mapping[str, str]]) -> tuple[dict[str, Any], dict[str, str]]:
    """Tables and reasons together."""
    values: dict[str, Any] = {}
    reasons: dict[str, str] = {}
    for value, reason in parts:
        values |= value
        reasons |= reason
    return values, reasons

"""The tables of docs/model-table.md, from what `benchmarks.model_runs` found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import geometric_mean
from typing import Any

from benchmarks.models import LEVELS
from benchmarks.public_models import read_list

BEGIN, END = "<!-- tables: python -m benchmarks models -->", "<!-- end of tables -->"
TFLM = "tflm"
_WORDS = ("model", "layer kind", "file", "licence", "SHA-256", "runs")
"""columns that hold no numbers"""
Entries = Mapping[str, Any]


def render_page(page: str, entries: Entries) -> str:
    """A page with the tables between its marks made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{render(entries)}\n\n{END}{after}"


def render(entries: Entries) -> str:
    """All tables, as Markdown."""
    return "\n\n".join(
        [
            summary(entries),
            speed_table(entries),
            "### Arena and flash, bytes",
            memory_table(entries),
            "### Layers by kind",
            kinds_table(entries),
            "### Where the models come from",
            sources_table(entries),
        ]
    )


def ratio(entry: Mapping[str, Any], level: str) -> float | None:
    """Instructions by TensorFlow Lite Micro's; None where one of the two did not run."""
    ours, theirs = (entry["runs"].get(how, {}).get("instructions") for how in (level, TFLM))
    return ours / theirs if ours and theirs else None


def mean_ratio(entries: Entries, level: str) -> float | None:
    """The geometric mean over all models that both ran."""
    ratios = [found for entry in entries.values() if (found := ratio(entry, level)) is not None]
    return geometric_mean(ratios) if ratios else None


def kind_ratios(entries: Entries, level: str = "balanced") -> dict[str, tuple[int, int, int]]:
    """Kind of layer -> models, instructions in them, and TensorFlow Lite Micro's, over models that both ran."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for entry in entries.values():
        if ratio(entry, level) is None:
            continue
        ours, theirs = (entry["runs"][how]["kinds"] for how in (level, TFLM))
        for kind, instructions in theirs.items():
            row = found[kind]
            row[0] += 1
            row[1] += ours.get(kind, 0)
            row[2] += instructions
    return {kind: (row[0], row[1], row[2]) for kind, row in sorted(found.items())}


def summary(entries: Entries) -> str:
    """What the tables say in sentences."""
    ran = [name for name, entry in entries.items() if any("instructions" in each for each in entry["runs"].values())]
    both = sum(ratio(entry, "balanced") is not None for entry in entries.values())
    lines = [f"{len(ran)} models run, every output byte that of TensorFlow Lite Micro."]
    means = {level: mean_ratio(entries, level) for level in LEVELS}
    if both:
        told = ", ".join(f"{mean:.2f} for {level}" for level, mean in means.items() if mean is not None)
        lines.append(
            f"Geometric mean of the ratios to TensorFlow Lite Micro's instructions, over {both} models: {told}."
        )
    return " ".join(lines)


def speed_table(entries: Entries) -> str:
    """Instructions of one inference; in brackets the ratio to TensorFlow Lite Micro."""
    rows = []
    for name, entry in entries.items():
        cells = [f"`{name}`", f"{entry['macs']:,}" if "macs" in entry else "-"]
        for level in LEVELS:
            by_theirs = ratio(entry, level)
            cells.append(_count(entry, level, "instructions") + (f" ({by_theirs:.2f})" if by_theirs else ""))
        cycles = [_count(entry, "balanced", "cycles"), _count(entry, "speed", "cycles")]
        rows.append([*cells, *cycles, _count(entry, TFLM, "instructions")])
    levels = [f"instructions, {level}" for level in LEVELS]
    head = ["model", "MACs", *levels, "cycles, balanced", "cycles, speed", "TFLM + CMSIS-NN"]
    return _markdown(head, rows)


def memory_table(entries: Entries) -> str:
    rows = [
        [
            f"`{name}`",
            *(_count(entry, how, "arena_bytes") for how in (*LEVELS, TFLM)),
            *(_count(entry, how, "flash_bytes") for how in (*LEVELS, TFLM)),
        ]
        for name, entry in entries.items()
    ]
    head = ["model", *(f"{what}, {how}" for what in ("arena", "flash") for how in (*LEVELS, "TFLM"))]
    return _markdown(head, rows)


def kinds_table(entries: Entries) -> str:
    """Sums over models that both ran, at `balanced`."""
    rows = [
        [f"`{kind}`", str(models), f"{ours:,}", f"{theirs:,}", f"{ours / theirs:.2f}" if theirs else "-"]
        for kind, (models, ours, theirs) in kind_ratios(entries).items()
    ]
    return _markdown(["layer kind", "models", "balanced", "TFLM + CMSIS-NN", "ratio"], rows)


def sources_table(entries: Entries) -> str:
    rows = [
        [
            f"`{model.name}`",
            f"[{model.repository}]({model.url})",
            model.licence,
            f"`{model.sha256[:12]}`",
            _told(entries.get(model.name)),
        ]
        for model in read_list()
    ]
    return _markdown(["model", "file", "licence", "SHA-256", "runs"], rows)


def _told(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return "not tried"
    refused = {ran["refused"] for how, ran in entry["runs"].items() if "refused" in ran and how != TFLM}
    return "refused: " + "; ".join(sorted(refused)) if refused else f"on {entry['board']}"


def _count(entry: Mapping[str, Any], how: str, what: str) -> str:
    found = entry["runs"].get(how, {}).get(what)
    return "-" if found is None else f"{found:,}"


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---" if name in _WORDS else "--:" for name in head]
    lines = [head, rule, *([cell.replace("|", "/") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)

"""The tables of docs/recipes.md, from what `benchmarks.recipes` found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

BEGIN, END = "<!-- tables: python -m benchmarks.recipes -->", "<!-- end of tables -->"
_JUDGED = ("accuracy", "auc")
_SUMMARY = (
    "recipe",
    "judged by",
    "float",
    "int8",
    "spread",
    "worst fold",
    "for",
    "instructions",
    "flash",
    "RAM",
    "arena",
    "seconds",
    "seeds",
)


def render_page(page: str, recipes: Mapping[str, Any]) -> str:
    """A page with the tables between its marks made anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    parts = [summary_table(recipes), *(f"### {name}\n\n{folds_table(name, found)}" for name, found in recipes.items())]
    body = "\n\n".join(parts)
    return f"{before}{BEGIN}\n\n{body}\n\n{END}{after}"


def summary_table(recipes: Mapping[str, Any]) -> str:
    """A row for each recipe: means over all folds and seeds, the worst fold, and what one inference costs."""
    rows = []
    for name, found in recipes.items():
        metric = judged_by(found)
        folds = all_folds(found)
        board = next(iter(found.values()))["board"]
        worst = min(fmean(values) for values in by_fold(found, f"int8_{metric}").values())
        seconds = fmean(fold["metrics"]["train_cpu_seconds"] for fold in folds)
        rows.append(
            (
                f"`{name}`",
                {"accuracy": "accuracy", "auc": "AUC"}[metric],
                f"{fmean(fold['metrics'][f'float_{metric}'] for fold in folds):.4f}",
                f"{fmean(fold['metrics'][f'int8_{metric}'] for fold in folds):.4f}",
                spread_of(found, f"int8_{metric}") or "one seed",
                f"{worst:.4f}",
                board["optimize"],
                f"{board['instructions']:,}",
                f"{board['flash_bytes']:,} B",
                f"{board['ram_bytes']:,} B",
                f"{board['arena_bytes']:,} B",
                f"{seconds:.0f}",
                str(len(found)),
            )
        )
    return _table(_SUMMARY, rows)


def folds_table(name: str, found: Mapping[str, Any]) -> str:
    """A row for each seed and fold, with the digest of the .tflite, and the means."""
    names = [metric for metric in all_folds(found)[0]["metrics"] if metric.endswith(_JUDGED)]
    names = [metric for metric in names if not metric.startswith(("prune_", "quantize_aware_"))]
    rows = []
    for seed, of_seed in found.items():
        for fold in of_seed["folds"]:
            told = ", ".join(_value(value) for value in fold["data"].values()) or "the whole"
            figures = [f"{fold['metrics'][metric]:.4f}" for metric in names]
            rows.append((seed, told, *figures, f"`{fold['digest'][:12]}`"))
    for values in _groups(found):
        chosen = [fold for fold in all_folds(found) if next(iter(fold["data"].values())) == values]
        figures = [f"{fmean(fold['metrics'][name] for fold in chosen):.4f}" for name in names]
        rows.append(("all", f"mean of {_value(values)}", *figures, "all"))
    means = [f"{fmean(fold['metrics'][name] for fold in all_folds(found)):.4f}" for name in names]
    rows.append(("all", "mean", *means, "all"))
    if len(found) > 1:
        rows.append(("all", "spread", *(spread_of(found, name) for name in names), "all"))
    heads = (f"{name}: seed", "test", *(name.replace("_", " ") for name in names), "model")
    versions = next(iter(found.values()))["versions"]
    told = ", ".join(f"{package} {version}" for package, version in versions.items())
    return f"{_table(heads, rows)}\n\nMade with {told}."


def spread_of(found: Mapping[str, Any], metric: str) -> str:
    """By how much the mean of a seed differs from that of another at most; empty for one seed."""
    means = [fmean(fold["metrics"][metric] for fold in of_seed["folds"]) for of_seed in found.values()]
    return f"{max(means) - min(means):.4f}" if len(means) > 1 else ""


def judged_by(found: Mapping[str, Any]) -> str:
    """The metric of a recipe, without the word before it."""
    metrics = all_folds(found)[0]["metrics"]
    return next(metric for metric in _JUDGED if f"int8_{metric}" in metrics)


def all_folds(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The folds of all seeds."""
    return [fold for of_seed in found.values() for fold in of_seed["folds"]]


def by_fold(found: Mapping[str, Any], metric: str) -> dict[str, list[float]]:
    """A metric of each fold, for every seed."""
    values: dict[str, list[float]] = {}
    for fold in all_folds(found):
        values.setdefault(repr(fold["data"]), []).append(fold["metrics"][metric])
    return values


def _groups(found: Mapping[str, Any]) -> list[Any]:
    """The values of the first key of folds that have several keys."""
    first = [next(iter(fold["data"].values())) for fold in all_folds(found) if len(fold["data"]) > 1]
    return list({repr(value): value for value in first}.values())


def _value(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)

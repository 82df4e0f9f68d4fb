"""The tables of docs/compression.md, from what `benchmarks.compression` found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

BEGIN, END = "<!-- table: python -m benchmarks compression -->", "<!-- end of table -->"
BASE = "int8 alone"
_HEADS = (
    "seeds",
    "float",
    "int8",
    "device",
    "spread",
    "McNemar",
    "flash",
    "constants",
    "RAM",
    "instructions",
    "seconds",
)


def render_page(page: str, models: Mapping[str, Any]) -> str:
    """A page with the tables between its marks made anew."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no lines `{BEGIN}` and `{END}`")
    body = "\n\n".join(table_of(name, cases) for name, cases in models.items())
    return f"{before}{BEGIN}\n\n{body}\n\n{END}{after}"


def table_of(name: str, cases: Mapping[str, Any]) -> str:
    """A row for each case: means over its seeds."""
    rows = [row_of(case, seeds, cases.get(BASE, {})) for case, seeds in cases.items()]
    heads = (f"{name}: techniques", *_HEADS)
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    table = "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
    told = [told_of(case, seeds) for case, seeds in cases.items() if any(each.get("found") for each in seeds.values())]
    return "\n\n".join([table, "\n".join(told)]) if told else table


def told_of(case: str, seeds: Mapping[str, Any]) -> str:
    """What a technique found out, each figure a mean over the seeds that have it.

    >>> told_of("graft", {"1": {"found": {"graft_grafted": 0.9, "graft_cut": 0.8}}, "2": {}})
    '- `graft` (1 seed): grafted 0.9000, cut 0.8000'
    """
    found = [each["found"] for each in seeds.values() if each.get("found")]
    means = {name: fmean(each[name] for each in found) for name in found[0]}
    figures = ", ".join(f"{name.partition('_')[2].replace('_', ' ')} {value:.4f}" for name, value in means.items())
    return f"- `{case}` ({len(found)} seed{'s' * (len(found) > 1)}): {figures}"


def row_of(case: str, seeds: Mapping[str, Any], base: Mapping[str, Any]) -> tuple[str, ...]:
    """The cells of one case."""
    found = list(seeds.values())
    device = [each["device"] for each in found]

    def mean(key: str) -> float:
        return fmean(each[key] for each in found)

    return (
        case,
        str(len(found)),
        f"{mean('float'):.4f}",
        f"{mean('int8'):.4f}",
        f"{fmean(device):.4f}",
        f"{max(device) - min(device):.4f}",
        told_of_difference(seeds, base) if case != BASE else "itself",
        f"{mean('flash_bytes'):,.0f} B",
        f"{mean('constant_bytes'):,.0f} B",
        f"{mean('ram_bytes'):,.0f} B",
        f"{mean('instructions'):,.0f}",
        f"{mean('train_seconds'):.0f}",
    )


def told_of_difference(seeds: Mapping[str, Any], base: Mapping[str, Any]) -> str:
    """Samples that only the base, and that only the case gets right, over the seeds both have, and how likely a
    difference so large is by chance.

    >>> one, other = {"1": {"wrong": [1, 2, 3, 4, 5, 6]}}, {"1": {"wrong": [6]}}
    >>> told_of_difference(one, other)
    '-5 +0, p 0.062'
    """
    worse = better = 0
    for seed in set(seeds) & set(base):
        case_wrong, base_wrong = set(seeds[seed]["wrong"]), set(base[seed]["wrong"])
        worse += len(case_wrong - base_wrong)
        better += len(base_wrong - case_wrong)
    return f"-{worse} +{better}, p {mcnemar(worse, better):.2g}"


def mcnemar(worse: int, better: int) -> float:
    """The exact two-sided test of McNemar: how likely it is that so unequal numbers come of equal models.

    >>> mcnemar(0, 0), mcnemar(5, 0), mcnemar(3, 4)
    (1.0, 0.0625, 1.0)
    """
    count = worse + better
    tail: Sequence[int] = range(min(worse, better) + 1)
    return float(min(1.0, 2 * sum(math.comb(count, k) for k in tail) / 2**count))

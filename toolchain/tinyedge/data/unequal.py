"""Which of many recordings is unlike the others: the one to tell of is of the minority, wherever it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

RATE_TOLERANCE = 0.02
"""by which rates that are measured may differ"""


def odd_one(values: Sequence[Hashable]) -> tuple[int, int] | None:
    """(the first that is not as most are, the first that is as most are); None where all are alike.

    Of two that are equally frequent, the one that comes first counts for most.

    >>> odd_one([8000, 16000, 16000]), odd_one([16000, 8000]), odd_one([1, 1])
    ((0, 1), (1, 0), None)
    """
    ((usual, count),) = Counter(values).most_common(1)
    if count == len(values):
        return None
    return next(at for at, value in enumerate(values) if value != usual), values.index(usual)


def odd_rate(rates: Sequence[float]) -> tuple[int, int] | None:
    """The same of rates that were measured.

    >>> odd_rate([100.2, 50.0, 99.9]), odd_rate([50.0, 50.1])
    ((1, 0), None)
    """
    known: list[float] = []
    for rate in rates:
        if not any(abs(rate - other) <= RATE_TOLERANCE * other for other in known):
            known.append(rate)
    return odd_one([next(other for other in known if abs(rate - other) <= RATE_TOLERANCE * other) for rate in rates])

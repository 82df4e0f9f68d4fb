"""A search for a compressed model that fits: what was asked, what was tried, and what came out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Limits:
    """What an image may take, and what its model must be worth; None: anything."""

    flash_bytes: int | None = None
    ram_bytes: int | None = None
    latency_us: float | None = None
    instructions: int | None = None
    accuracy: float | None = None
    """of the int8 model over the test data, at least"""

    def to_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class ImageFigures:
    """What an image takes. Per inference figures are counted or modelled as `tinyedge run` has them."""

    flash_bytes: int
    ram_bytes: int
    constant_bytes: int
    """of flash: named data, most of it weights"""
    instructions: int | None
    latency_us: float | None
    """the upper bound where nobody knows more than bounds"""
    accuracy: float | None
    float_accuracy: float | None
    train_seconds: float
    mismatches: int
    """samples whose outputs differ from the oracle's"""


@dataclass(frozen=True)
class Excess:
    """How far a try is from one limit: `ratio` is above 1 where the limit is not met."""

    name: str
    value: float
    limit: float
    ratio: float

    @property
    def text(self) -> str:
        """In words, for what is over.

        >>> Excess("flash_bytes", 40_000, 32_768, 40_000 / 32_768).text
        'flash 40,000 B of 32,768 B'
        """
        if self.name == "accuracy":
            return f"accuracy {self.value:.4f} of {self.limit:.4f}"
        if self.name == "latency_us":
            return f"latency {self.value / 1000:,.3f} ms of {self.limit / 1000:,.3f} ms"
        if self.name == "instructions":
            return f"instructions {self.value:,.0f} of {self.limit:,.0f}"
        return f"{'flash' if self.name == 'flash_bytes' else 'RAM'} {self.value:,.0f} B of {self.limit:,.0f} B"


@dataclass(frozen=True, eq=False)
class Try:
    """One chain of techniques: what came of it, or why it was not trained."""

    name: str
    techniques: Sequence[Mapping[str, Any]]
    """tables of [[compress]]"""
    figures: ImageFigures | None = None
    refused: str = ""

    def excesses(self, limits: Limits) -> tuple[Excess, ...]:
        """Of each limit that was asked for; none when it was not trained."""
        found = []
        for name, limit in limits.to_json().items():
            value = None if self.figures is None else getattr(self.figures, name)
            if value is None:
                continue
            ratio = limit / max(value, 1e-9) if name == "accuracy" else value / limit
            found.append(Excess(name, value, limit, ratio))
        return tuple(found)

    def distance(self, limits: Limits) -> float:
        """The largest ratio to a limit; at most 1 when all are met, infinite when it was not trained."""
        if self.figures is None or self.figures.mismatches:
            return float("inf")
        return max((excess.ratio for excess in self.excesses(limits)), default=0.0)

    def fits(self, limits: Limits) -> bool:
        return self.distance(limits) <= 1


@dataclass(frozen=True, eq=False)
class Compression:
    """All tries in their order."""

    model: str
    board: str
    limits: Limits
    tries: tuple[Try, ...]

    @property
    def best(self) -> Try | None:
        """The first that fits, else the one that came nearest; None when nothing was trained."""
        trained = [each for each in self.tries if each.figures is not None]
        return min(trained, key=lambda each: max(each.distance(self.limits), 1), default=None)

    @property
    def fits(self) -> bool:
        return self.best is not None and self.best.fits(self.limits)

    def to_json(self) -> dict[str, Any]:
        best = self.best
        return {
            "model": self.model,
            "board": self.board,
            "limits": self.limits.to_json(),
            "fits": self.fits,
            "best": None if best is None else best.name,
            "tries": [
                {
                    "name": each.name,
                    "compress": [dict(table) for table in each.techniques],
                    "fits": each.fits(self.limits),
                    **({"refused": each.refused} if each.refused else {}),
                    **({} if each.figures is None else asdict(each.figures)),
                    "over": [
                        {"name": excess.name, "value": excess.value, "limit": excess.limit}
                        for excess in each.excesses(self.limits)
                        if excess.ratio > 1
                    ],
                }
                for each in self.tries
            ],
        }

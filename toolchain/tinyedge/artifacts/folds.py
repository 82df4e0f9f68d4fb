"""What a recipe gives when each part of its data was the test once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Any

_ERRORS = ("mean_absolute_error",)
"""ends of the names of metrics of which less is better"""
_SHOWN = ("accuracy", "auc", *_ERRORS)


@dataclass(frozen=True)
class Fold:
    """One training: what was other than in the recipe, and what came out."""

    change: Mapping[str, Any]
    """keys of [data] and their values"""
    metrics: Mapping[str, float]
    digest: str
    """of the .tflite"""


@dataclass(frozen=True)
class Folds:
    """The trainings of a recipe, one for each of its folds."""

    model: str
    seed: int
    folds: tuple[Fold, ...]
    made_up: str = ""
    """what stood in for real data, if anything"""

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that all folds have and that judge a model, float and int8 beside each other."""
        names = [name for name in self.folds[0].metrics if name.endswith(_SHOWN)]
        return tuple(name for name in names if all(name in fold.metrics for fold in self.folds))

    def mean(self, metric: str, **only: Any) -> float:
        """Over all folds, or those whose change holds `only`."""
        return fmean(
            fold.metrics[metric]
            for fold in self.folds
            if all(fold.change.get(key) == value for key, value in only.items())
        )

    def worst(self, metric: str) -> float:
        values = [fold.metrics[metric] for fold in self.folds]
        return max(values) if metric.endswith(_ERRORS) else min(values)

    def to_json(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "seed": self.seed,
            **({"made_up_data": self.made_up} if self.made_up else {}),
            "folds": [
                {"data": dict(fold.change), "metrics": dict(fold.metrics), "digest": fold.digest} for fold in self.folds
            ],
            "mean": {name: self.mean(name) for name in self.metrics},
            "worst": {name: self.worst(name) for name in self.metrics},
        }

"""Post-training quantization with a choice of how the ranges of activations are found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from tinyedge.tables import require_range
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.compress.observers import Observer, least_squares, min_max, percentile
from tinyedge.train.compress.quantize_aware import (
    calibration_note,
    observe_ranges,
    widen_empty_channels,
    with_rounding,
)
from tinyedge.train.fit import Training
from tinyedge.train.layers import kind_of
from tinyedge.train.matching import one_or_all
from tinyedge.train.rewrite import Changes as Rewritten
from tinyedge.train.rewrite import all_layers, rebuild

_NORM = "BatchNormalization"
_ONLY_IN_TRAINING = ("Dropout", "SpatialDropout", "Random", "Gaussian", "AlphaDropout")


@dataclass(frozen=True)
class PostTraining(Technique):
    """Ranges of activations found on training inputs, without training; left out, the converter takes whole ones."""

    name: ClassVar[str] = "ptq"
    changes: ClassVar[Changes] = "ranges"

    observer: Literal["min_max", "percentile", "mse"] = "mse"
    """whole ranges, those without rare values, or those of the smallest mean squared error"""
    percentile: float = 99.99
    """share of values, in percent, that lie within either end, for the observer `percentile`"""
    samples: int = 512
    """training inputs that are looked at"""

    def __post_init__(self) -> None:
        require_range("percentile", self.percentile, 90, 100)
        require_range("samples", self.samples, 1)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        aware = with_rounding(_as_it_runs(model), self.name)
        return aware, calibration_note(aware, self.name)

    def apply(self, model: Any, training: Training) -> Any:
        aware = with_rounding(_as_it_runs(model), self.name)
        inputs = training.data.train_inputs
        chosen = np.linspace(0, len(inputs[0]) - 1, min(len(inputs[0]), self.samples)).astype(int)
        settled = [layer for layer in all_layers(aware) if kind_of(getattr(layer, "layer", layer)) == _NORM]
        for layer in settled:  # its averages are used, and stay
            layer.trainable = False
        observers: dict[str, Observer] = {"min_max": min_max, "mse": least_squares}
        observer = observers.get(self.observer) or percentile(self.percentile)
        observe_ranges(aware, one_or_all([array[chosen] for array in inputs]), observer)
        widen_empty_channels(aware)
        return aware


def _as_it_runs(model: Any) -> Any:
    """The model without layers that do something in training alone."""
    idle = {id(layer) for layer in all_layers(model) if kind_of(layer).startswith(_ONLY_IN_TRAINING)}
    return rebuild(model, Rewritten(frozenset(idle))) if idle else model


TECHNIQUE = PostTraining

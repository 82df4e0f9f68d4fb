"""The tables of recipe.toml that say how a model is trained, judged and converted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tinyedge.tables import require_range

Scalar = int | float | str | bool
Value = Scalar | list[Scalar]


@dataclass(frozen=True)
class Fit:
    """How the model is trained before anything is compressed. The learning rate falls to 0 along a cosine."""

    epochs: int
    """times that the training sees every sample; 0 for a model that `build` returns trained"""
    batch_size: int = 32
    """samples of one step"""
    learning_rate: float = 0.001
    """the largest of the training"""
    warm_up: float = 0.0
    """share of the steps in which the learning rate rises from 0 before it falls"""
    label_smoothing: float = 0.0
    """share of each class's probability that is spread over all classes"""
    class_weights: Literal["none", "balanced"] = "none"
    """`balanced` gives the samples of a rare class more weight, so that all classes count alike"""
    early_stopping: int = 0
    """epochs without a smaller validation loss after which training stops, at the best one's weights; 0: never"""
    samples: int = 0
    """training samples at most, spread evenly, and a quarter as many of the other splits; 0: all"""

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 0)
        require_range("batch_size", self.batch_size, 1)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)
        require_range("warm_up", self.warm_up, 0, 0.9)
        require_range("label_smoothing", self.label_smoothing, 0, 0.9)
        require_range("early_stopping", self.early_stopping, 0)
        require_range("samples", self.samples, 0)


@dataclass(frozen=True)
class Convert:
    """How the trained model becomes a flatbuffer of integers."""

    representative_samples: int = 200
    """training inputs that show the converter the range of each activation"""
    activations: Literal["int8", "int16"] = "int8"
    """int16 takes twice the RAM and comes nearer to the float model; weights are int8 beside either. What is called
    int8 in figures is the model of integers, whichever it is"""

    def __post_init__(self) -> None:
        require_range("representative_samples", self.representative_samples, 1)


@dataclass(frozen=True)
class Anomaly:
    """How the threshold of an anomaly detector is chosen."""

    false_alarms: float = 0.05
    """share of normal validation samples that may lie above the threshold"""

    def __post_init__(self) -> None:
        require_range("false_alarms", self.false_alarms, 1e-4, 0.5)


@dataclass(frozen=True)
class Quick:
    """What `tinyedge train --quick` does instead: it shows that all works, its accuracy says nothing."""

    epochs: int = 1
    """at most, of [fit] and of each technique"""
    samples: int = 0
    """as in [fit]"""
    data: dict[str, Value] = field(default_factory=dict)
    """arguments of `load` that go over [data]"""

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 1)
        require_range("samples", self.samples, 0)

"""Samples that judge: those of the validation data, else some of the training data that then train nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from tinyedge.train.fit import Training
from tinyedge.train.matching import Matched

_ONE_OF = 10
"""training samples judges where there is no validation data"""


def held_out(training: Training) -> tuple[Training, Matched]:
    """(a training without the samples that judge, those samples as training data)."""
    data = training.data
    if data.validation_inputs is not None and data.validation_targets is not None:
        return training, replace(data, train_inputs=data.validation_inputs, train_targets=data.validation_targets)
    judges = np.arange(len(data.train_inputs[0])) % _ONE_OF == _ONE_OF - 1
    return replace(training, data=chosen_of(data, ~judges)), chosen_of(data, judges)


def chosen_of(data: Matched, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Matched:
    """Some of the training samples."""
    return replace(
        data,
        train_inputs=tuple(array[chosen] for array in data.train_inputs),
        train_targets=tuple(array[chosen] for array in data.train_targets),
        signals=None if data.signals is None else data.signals[chosen],
    )


def spread_over(data: Matched, most: int) -> Matched:
    """At most so many of the training samples, spread evenly."""
    count = len(data.train_inputs[0])
    return data if count <= most else chosen_of(data, np.linspace(0, count - 1, most).astype(np.int64))


def score_of(model: object, judged: Matched) -> float:
    """What a model answers to samples that judge, by the metric of its first output."""
    return judged.heads[0].score(Training.predict(model, judged.train_inputs)[0], judged.train_targets[0])

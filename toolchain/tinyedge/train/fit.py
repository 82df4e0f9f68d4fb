"""Training and scoring of Keras models, told to a progress callback instead of the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyedge.train.splits import Splits

Progress = Callable[[str, int, int], None]
"""(stage, done, total): `done` of `total` steps of `stage` are finished"""

METRICS = {"classification": "accuracy", "regression": "mean_absolute_error"}
"""what the result of each task is judged by"""
_LOSSES = {"classification": "sparse_categorical_crossentropy", "regression": "mse"}


@dataclass(frozen=True, eq=False)
class Training:
    """Everything a technique needs in order to train a model further: data, loss, batches, and whom to tell."""

    splits: Splits
    task: str
    batch_size: int
    progress: Progress

    def steps(self, epochs: int) -> int:
        """Number of batches in `epochs` epochs."""
        return epochs * math.ceil(len(self.splits.train_inputs) / self.batch_size)

    def fit(self, model: Any, stage: str, *, epochs: int, learning_rate: float, callbacks: Sequence[Any] = ()) -> None:
        """Train `model` in place with Adam; the learning rate falls from `learning_rate` to 0 along a cosine."""
        import tf_keras

        schedule = tf_keras.optimizers.schedules.CosineDecay(learning_rate, self.steps(epochs))
        model.compile(tf_keras.optimizers.Adam(schedule), _LOSSES[self.task])
        total = self.steps(epochs)
        done = 0

        def report_batch(_batch: int, _logs: Any) -> None:
            nonlocal done
            done += 1
            self.progress(stage, done, total)

        self.progress(stage, 0, total)
        model.fit(
            self.splits.train_inputs,
            self.splits.train_targets,
            batch_size=self.batch_size,
            epochs=epochs,
            verbose=0,
            callbacks=[*callbacks, tf_keras.callbacks.LambdaCallback(on_train_batch_end=report_batch)],
        )

    def score(self, model: Any) -> float:
        """The task's metric of `model` over the test split."""
        return score(self.task, self.predict(model, self.splits.test_inputs), self.splits.test_targets)

    @staticmethod
    def predict(model: Any, inputs: Any) -> Any:
        """float32 [N, *output shape]: what the model answers."""
        return model.predict(inputs, batch_size=256, verbose=0)


def score(task: str, outputs: Any, targets: Any) -> float:
    """The task's metric: share of right classes, or mean absolute error.

    Shape:  outputs float32 [N, *output shape]; targets int [N] for classification, else like outputs

    >>> score("classification", np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
    0.5
    >>> score("regression", np.array([[1.0], [2.0]]), np.array([[1.5], [2.0]]))
    0.25
    """
    if task == "classification":
        predicted = np.argmax(outputs.reshape(len(outputs), -1), axis=1)
        return float(np.mean(predicted == targets))
    return float(np.mean(np.abs(outputs.reshape(len(outputs), -1) - targets.reshape(len(targets), -1))))

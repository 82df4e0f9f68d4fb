"""Training and scoring of Keras models, told to a progress callback instead of the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyedge.errors import ModelError
from tinyedge.train.heads import Head
from tinyedge.train.layers import find_unfinite
from tinyedge.train.matching import Matched, one_or_all

Progress = Callable[[str, int, int], None]
"""(stage, done, total): `done` of `total` steps of `stage` are finished"""


@dataclass(frozen=True, eq=False)
class Training:
    """Everything a technique needs in order to train a model further: data, losses, batches, and whom to tell."""

    data: Matched
    batch_size: int
    progress: Progress

    def steps(self, epochs: int) -> int:
        """Number of batches in `epochs` epochs."""
        return epochs * math.ceil(len(self.data.train_inputs[0]) / self.batch_size)

    def fit(self, model: Any, stage: str, *, epochs: int, learning_rate: float, callbacks: Sequence[Any] = ()) -> None:
        """Train `model` in place with Adam; the learning rate falls from `learning_rate` to 0 along a cosine.

        Raises: ModelError at the first batch after which the loss is no number, with the epoch and the layer
        """
        import tf_keras

        heads = self.data.heads
        trained = model
        if len(heads) < len(model.outputs):
            trained = tf_keras.Model(model.inputs, model.outputs[: len(heads)])  # of the same layers
        schedule = tf_keras.optimizers.schedules.CosineDecay(learning_rate, self.steps(epochs))
        trained.compile(tf_keras.optimizers.Adam(schedule), one_or_all([_loss(head) for head in heads]))
        watch = _Watch(trained, self, stage, epochs)
        self.progress(stage, 0, self.steps(epochs))
        trained.fit(
            one_or_all(self.data.train_inputs),
            one_or_all([head.fitted(array) for head, array in zip(heads, self.data.train_targets, strict=True)]),
            batch_size=self.batch_size,
            epochs=epochs,
            verbose=0,
            callbacks=[
                *callbacks,
                tf_keras.callbacks.LambdaCallback(on_epoch_begin=watch.begin_epoch, on_train_batch_end=watch.end_batch),
            ],
        )

    def score(self, model: Any) -> dict[str, float]:
        """The metrics of `model` over the test split."""
        return self.data.score(self.predict(model, self.data.test_inputs))

    @staticmethod
    def predict(model: Any, inputs: Sequence[Any]) -> list[Any]:
        """What the model answers: float32 [N, *output shape] for each output."""
        import tensorflow as tf

        return list(tf.nest.flatten(model.predict(one_or_all(inputs), batch_size=256, verbose=0)))


def _loss(head: Head) -> Any:
    import tf_keras

    return tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True) if head.logits else head.loss


class _Watch:
    """Tells the progress of a training batch by batch, and stops it when the loss is no number."""

    def __init__(self, model: Any, training: Training, stage: str, epochs: int) -> None:
        self._model = model
        self._training = training
        self._stage = stage
        self._epochs = epochs
        self._epoch = 0
        self._done = 0
        self._start: list[Any] = []
        """weights at the start of the epoch"""

    def begin_epoch(self, epoch: int, _logs: Any) -> None:
        self._epoch = epoch
        self._start = self._model.get_weights()

    def end_batch(self, batch: int, logs: Any) -> None:
        if not math.isfinite(logs["loss"]):
            self._refuse(batch)
        self._done += 1
        self._training.progress(self._stage, self._done, self._training.steps(self._epochs))

    def _refuse(self, batch: int) -> None:
        """Raises: ModelError that says where the values went out of bounds, in the forward pass or the weights."""
        when = (
            f"the loss is no number in epoch {self._epoch + 1} of {self._epochs} of `{self._stage}`, "
            f"step {batch + 1} of {self._training.steps(1)}"
        )
        weights = [
            layer.name
            for layer in self._model.layers
            if not all(np.isfinite(weight).all() for weight in layer.get_weights())
        ]
        self._model.set_weights(self._start)
        layer, count = find_unfinite(self._model, self._training.data.train_inputs)
        if layer:
            raise ModelError(
                f"{when}: layer `{layer}` gives values that are not finite for {count:,} of "
                f"{len(self._training.data.train_inputs[0]):,} samples",
                hint=f"keep what `{layer}` is given within what it is defined for, as a logarithm above 0",
            )
        where = f"the weights of {_list(weights)} are no longer finite" if weights else "the loss alone is not finite"
        raise ModelError(
            f"{when}: {where}, though every layer was when the epoch began",
            hint=f"a smaller `learning_rate` for `{self._stage}` in recipe.toml; inputs and targets of about -1 to 1; "
            "no layer whose slope is infinite somewhere, as that of a root at 0",
        )


def _list(names: Sequence[str]) -> str:
    """The first name and how many follow.

    >>> _list(["a", "b", "c"])
    '`a` and 2 layers behind it'
    """
    more = f" and {len(names) - 1} layers behind it" if len(names) > 1 else ""
    return f"`{names[0]}`{more}"

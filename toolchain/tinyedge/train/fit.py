"""Training and scoring of Keras models, told to a progress callback instead of the terminal."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyedge.errors import ModelError
from tinyedge.train.batches import Augment, Batches, balanced_weights
from tinyedge.train.checkpoint import Keeper, Progressed, Row
from tinyedge.train.heads import Head
from tinyedge.train.layers import find_unfinite
from tinyedge.train.matching import Matched, one_or_all
from tinyedge.train.settings import Fit

Progress = Callable[[str, int, int], None]
"""(stage, done, total): `done` of `total` steps of `stage` are finished"""


@dataclass(frozen=True, eq=False)
class Lesson:
    """What a model is trained on instead of the targets of the data.

    targets  [N, ...] for each output
    losses   functions of targets and answers, one for each output
    """

    targets: tuple[Any, ...]
    losses: tuple[Any, ...]


@dataclass(frozen=True, eq=False)
class Training:
    """Everything a technique needs in order to train a model further: data, losses, batches, and whom to tell."""

    data: Matched
    batch_size: int
    progress: Progress
    seed: int = 0
    settings: Fit = field(default_factory=lambda: Fit(epochs=0))
    """of which the batches, the learning rate and the epochs are told by whoever trains"""
    augment: tuple[Augment, ...] = ()
    keeper: Keeper | None = None
    """keeps how far a stage has come, so that another process may go on from there"""
    rows: list[Row] = field(default_factory=list)
    """what was told of each epoch so far"""
    notes: list[str] = field(default_factory=list)
    """what a person should know of how it went"""
    figures: dict[str, float] = field(default_factory=dict)
    """what techniques found out, by name"""

    def steps(self, epochs: int) -> int:
        """Number of batches in `epochs` epochs."""
        return epochs * math.ceil(len(self.data.train_inputs[0]) / self.batch_size)

    def fit(
        self,
        model: Any,
        stage: str,
        *,
        epochs: int,
        learning_rate: float,
        callbacks: Sequence[Any] = (),
        may_stop: bool = False,
        lesson: Lesson | None = None,
    ) -> None:
        """Train `model` in place with Adam; the learning rate falls from `learning_rate` to 0 along a cosine.

        may_stop  whether `early_stopping` counts here
        lesson    what takes the place of the data's targets

        Raises: ModelError at the first batch after which the loss is no number, with the epoch and the layer
        """
        import tf_keras

        heads = self.data.heads
        losses = [self._loss(head) for head in heads] if lesson is None else list(lesson.losses)
        trained = model
        if len(losses) < len(model.outputs):
            trained = tf_keras.Model(model.inputs, model.outputs[: len(losses)])  # of the same layers
        trained.compile(tf_keras.optimizers.Adam(self._schedule(epochs, learning_rate)), one_or_all(losses))
        progressed = Progressed() if self.keeper is None else self.keeper.restore(stage, trained)
        if 0 < progressed.epoch < epochs:
            self.notes.append(f"`{stage}` goes on after epoch {progressed.epoch} of {epochs}, which was kept")
        watch = _Watch(trained, self, stage, epochs, progressed, self.settings.early_stopping if may_stop else 0)
        self.progress(stage, progressed.epoch * self.steps(1), self.steps(epochs))
        if progressed.epoch < epochs and not watch.is_over():
            trained.fit(
                self._batches(stage, lesson).dataset(progressed.epoch, epochs),
                steps_per_epoch=self.steps(1),
                epochs=epochs,
                initial_epoch=progressed.epoch,
                verbose=0,
                callbacks=[
                    *callbacks,
                    tf_keras.callbacks.LambdaCallback(
                        on_epoch_begin=watch.begin_epoch,
                        on_train_batch_end=watch.end_batch,
                        on_epoch_end=watch.end_epoch,
                    ),
                ],
            )
        watch.finish()
        self.rows.extend(progressed.rows)

    def _schedule(self, epochs: int, learning_rate: float) -> Any:
        from tf_keras.optimizers.schedules import CosineDecay

        steps = self.steps(epochs)
        rise = round(steps * self.settings.warm_up)
        if not rise:
            return CosineDecay(learning_rate, steps)
        return CosineDecay(0.0, steps - rise, warmup_target=learning_rate, warmup_steps=rise)

    def _loss(self, head: Head) -> Any:
        from tf_keras import losses

        if head.logits:
            return losses.SparseCategoricalCrossentropy(from_logits=True)
        if self.settings.label_smoothing and head.kind == "classes":
            return losses.CategoricalCrossentropy(label_smoothing=self.settings.label_smoothing)
        if self.settings.label_smoothing and head.has_classes:
            return losses.BinaryCrossentropy(label_smoothing=self.settings.label_smoothing)
        return head.loss

    def _batches(self, stage: str, lesson: Lesson | None) -> Batches:
        data = self.data
        if lesson is not None:
            return Batches(data, stage, self.batch_size, self.seed, self.augment, lesson.targets, None)
        targets = [
            np.eye(head.shape[-1], dtype=np.float32)[fitted]
            if self.settings.label_smoothing and head.kind == "classes"
            else fitted
            for head, fitted in (
                (head, head.fitted(array)) for head, array in zip(data.heads, data.train_targets, strict=True)
            )
        ]
        weights = balanced_weights(data.train_targets[0]) if self.settings.class_weights == "balanced" else None
        return Batches(data, stage, self.batch_size, self.seed, self.augment, tuple(targets), weights)

    def score(self, model: Any) -> dict[str, float]:
        """The metrics of `model` over the test split."""
        return self.data.score(self.predict(model, self.data.test_inputs), self.data.test_inputs)

    @staticmethod
    def predict(model: Any, inputs: Sequence[Any]) -> list[Any]:
        """What the model answers: float32 [N, *output shape] for each output."""
        import tensorflow as tf

        return list(tf.nest.flatten(model.predict(one_or_all(inputs), batch_size=256, verbose=0)))


def check_fit(fit: Fit, data: Matched) -> None:
    """Raises: ModelError for what [fit] wants of data, or outputs, that are not there."""
    first = data.heads[0]
    if fit.early_stopping and data.validation_inputs is None:
        raise ModelError(
            f"`early_stopping` is {fit.early_stopping}, and there is no validation data to stop by",
            hint="give Splits `validation_inputs` and `validation_targets`: never the test data",
        )
    if fit.class_weights == "balanced" and (first.kind not in ("classes", "binary") or first.places):
        raise ModelError(
            f"`class_weights` need one class for each sample; output `{first.name}` has none",
            hint="leave `class_weights` out of [fit]",
        )


class _Watch:
    """Tells the progress of a training batch by batch, judges each epoch, keeps it, and stops a training that has come
    to nothing: when the loss is no number, or the validation loss has not become smaller for `patience` epochs."""

    def __init__(
        self, model: Any, training: Training, stage: str, epochs: int, progressed: Progressed, patience: int
    ) -> None:
        self._model = model
        self._training = training
        self._stage = stage
        self._epochs = epochs
        self._progressed = progressed
        self._patience = patience
        self._epoch = progressed.epoch
        self._done = progressed.epoch * training.steps(1)
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

    def end_epoch(self, epoch: int, logs: Any) -> None:
        so_far, data = self._progressed, self._training.data
        row: Row = {"stage": self._stage, "epoch": epoch + 1, "loss": float(logs["loss"])}
        if data.validation_inputs is not None:
            answers = self._training.predict(self._model, data.validation_inputs)
            judged = data.judge(answers)
            row |= {f"validation_{name}": value for name, value in judged.items()}
            if self._patience and judged["loss"] < so_far.best_loss:
                so_far.best, so_far.best_loss = self._model.get_weights(), judged["loss"]
                so_far.best_epoch = epoch + 1
        so_far.rows.append(row)
        so_far.epoch = epoch + 1
        if self.is_over():
            self._model.stop_training = True
        so_far.is_done = self.is_over() or so_far.epoch == self._epochs
        if self._training.keeper is not None:
            self._training.keeper.save(self._stage, self._model, so_far)

    def is_over(self) -> bool:
        """Whether the validation loss was last smallest as many epochs ago as are waited for."""
        return bool(self._patience) and self._progressed.epoch - self._progressed.best_epoch >= self._patience

    def finish(self) -> None:
        """The weights become those of the best epoch, where one was looked for."""
        so_far = self._progressed
        if so_far.best is None:
            return
        self._model.set_weights(so_far.best)
        self._training.notes.append(
            f"`{self._stage}` keeps epoch {so_far.best_epoch} of {so_far.epoch}, of the smallest validation loss "
            f"{so_far.best_loss:.4g}"
        )
        self._training.progress(self._stage, *(self._training.steps(self._epochs),) * 2)

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

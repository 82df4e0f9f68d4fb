"""Distillation: a network learns what another one answers, beside the labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.errors import ModelError, UsageError
from tinyedge.tables import require_range
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.fit import Lesson, Training
from tinyedge.train.held_out import held_out, score_of
from tinyedge.train.layers import activation_name, kind_of
from tinyedge.train.rewrite import Changes as Rebuilt
from tinyedge.train.rewrite import fresh_like, rebuild

Array = npt.NDArray[Any]

SELF = "self"
_SMALLEST = 1e-30
"""probability whose logarithm is taken, for float32"""
_POOLED = 2
"""axes of features that are left when places are averaged: batch and channels"""


@dataclass(frozen=True)
class Distill(Technique):
    """The softened answers of a teacher are learned beside the labels, and, where hints are named, its features.

    The teacher's answers are computed once, on samples without augmentation. The same network trained alone for as many
    epochs is the control: what does better on validation data, or else a tenth of the training data, is kept.
    Source: Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015); Romero et al., "FitNets"
    (2015), for hints; Furlanello et al., "Born-again neural networks" (2018), for self-distillation
    """

    name: ClassVar[str] = "distill"
    changes: ClassVar[Changes] = "structure"

    epochs: int
    """times that the training sees every sample; the control takes as many again"""
    teacher: str = SELF
    """a Python file of the recipe with a `build` of its own, of a network larger than any board; `self`: the network
    itself as [fit] trained it, and a new one of its shape learns"""
    teacher_epochs: int = 0
    """times that the training of a teacher of its own sees every sample"""
    temperature: float = 3.0
    """that both answers are softened by"""
    soft: float = 0.5
    """share of the teacher in the loss; the labels have the rest"""
    hints: tuple[str, ...] = ()
    """pairs of layers, `mine=teachers`, whose features, averaged over places, should be alike but for a linear map"""
    hint_weight: float = 0.1
    """of the squared difference of these features in the loss"""
    learning_rate: float = 0.001
    """the largest of each training"""

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 1)
        require_range("teacher_epochs", self.teacher_epochs, 0)
        require_range("temperature", self.temperature, 1, 100)
        require_range("soft", self.soft, 0.01, 1)
        require_range("hint_weight", self.hint_weight, 0, 1000)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)
        if (self.teacher == SELF) == bool(self.teacher_epochs):
            raise ValueError("`teacher_epochs` is of a teacher of its own: give both, or neither")
        for hint in self.hints:
            if hint.count("=") != 1 or "" in hint.split("="):
                raise ValueError(f"`hints` names `{hint}`; write `mine=teachers`, with the names of two layers")

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        if len(model.outputs) != 1 or activation_name(_last(model)) != "softmax":
            raise ModelError(
                "`distill` needs a network with one output that ends in a softmax",
                hint="leave out the technique `distill` in recipe.toml",
            )
        if self.teacher != SELF and not Path(self.teacher).is_file():
            raise UsageError(
                f"the recipe's folder holds no `{self.teacher}`, which `distill` names as `teacher`",
                hint="a file with a function `build`, as model.py; `self` needs none",
            )
        names = {layer.name for layer in model.layers}
        for mine, _ in self._pairs():
            if mine not in names:
                raise UsageError(f"`hints` of `distill` names the layer `{mine}`, which the model does not have")
        return model, ()

    def apply(self, model: Any, training: Training) -> Any:
        if training.data.heads[0].kind != "classes" or training.data.heads[0].places:
            raise ModelError("`distill` needs one class for each sample", hint="leave it out of recipe.toml")
        training, judged = held_out(training)
        teacher, student = self._teacher(model, training), model
        if self.teacher == SELF:
            student = fresh_like(model)
        alone = rebuild(student, Rebuilt())
        training.fit(alone, f"{self.name} control", epochs=self.epochs, learning_rate=self.learning_rate)
        taught, lesson = self.lesson(student, teacher, training)
        training.fit(taught, self.name, epochs=self.epochs, learning_rate=self.learning_rate, lesson=lesson)
        scores = [score_of(each, judged) for each in (student, alone)]
        if self.teacher == SELF:
            scores.append(score_of(model, judged))
        told = f"distilled {scores[0]:.4f}, alone {scores[1]:.4f}"
        told += (
            f", the teacher {scores[2]:.4f}" if len(scores) > 2 else f", the teacher {score_of(teacher, judged):.4f}"
        )
        best = int(np.argmax(scores))
        kept = ("the distilled one", "the one trained alone", "the teacher itself")[best]
        training.notes.append(f"`distill`: {told} on {len(judged.train_inputs[0]):,} samples; keeps {kept}")
        return (student, alone, model)[best]

    def _pairs(self) -> list[tuple[str, str]]:
        return [(mine, theirs) for mine, _, theirs in (hint.partition("=") for hint in self.hints)]

    def _teacher(self, model: Any, training: Training) -> Any:
        """The trained teacher."""
        from tinyedge.train.author import build_from

        if self.teacher == SELF:
            return model
        shape = tuple(training.data.train_inputs[0].shape[1:])
        teacher = build_from(Path(self.teacher).resolve(), shape, training.data.heads[0].shape[-1])
        training.fit(teacher, f"{self.name} teacher", epochs=self.teacher_epochs, learning_rate=self.learning_rate)
        return teacher

    def lesson(self, student: Any, teacher: Any, training: Training) -> tuple[Any, Lesson]:
        """(the model with an output for each hint, what it learns)."""
        import tf_keras

        data = training.data
        theirs = [teacher.get_layer(name) for _, name in self._pairs()]
        logits, *features = _answers(teacher, theirs, training)
        classes = data.heads[0].shape[-1]
        labels = np.eye(classes, dtype=np.float32)[data.train_targets[0].reshape(-1)]
        softened = _softmax(logits.reshape(len(labels), classes) / self.temperature)
        targets = [np.concatenate([labels, softened], axis=1).astype(np.float32), *features]
        outputs = list(student.outputs)
        for (mine, _), feature in zip(self._pairs(), features, strict=True):
            pooled = _pooled(student.get_layer(mine).output)
            outputs.append(tf_keras.layers.Dense(feature.shape[-1], name=f"hint_{mine}")(pooled))
        losses = (self._loss(classes), *(self._hint_loss for _ in features))
        return tf_keras.Model(student.inputs, outputs), Lesson(tuple(targets), losses)

    def _loss(self, classes: int) -> Any:
        """Cross entropies with the labels, and with the teacher's softened answers times the temperature squared."""
        import tensorflow as tf

        def loss(targets: Any, answers: Any) -> Any:
            logits = getattr(answers, "_keras_logits", None)  # before the softmax, where Keras knows them
            if logits is None:
                logits = tf.math.log(tf.maximum(answers, _SMALLEST))
            logits = tf.reshape(logits, (-1, classes))
            labels, softened = targets[:, :classes], targets[:, classes:]
            hard = tf.nn.softmax_cross_entropy_with_logits(labels, logits)
            soft = tf.nn.softmax_cross_entropy_with_logits(softened, logits / self.temperature)
            return (1 - self.soft) * hard + self.soft * self.temperature**2 * soft

        return loss

    def _hint_loss(self, targets: Any, answers: Any) -> Any:
        import tensorflow as tf

        return self.hint_weight * tf.reduce_mean(tf.square(targets - answers), axis=-1)


def _last(model: Any) -> Any:
    return model.outputs[0]._keras_history.layer


def _answers(teacher: Any, layers: Sequence[Any], training: Training) -> list[Array]:
    """The teacher's answers before their softmax, and its features, to every training sample."""
    import tf_keras

    outputs = [*teacher.outputs, *(_pooled(layer.output) for layer in layers)]
    probe = tf_keras.Model(teacher.inputs, outputs)
    first, *features = training.predict(probe, training.data.train_inputs)
    last = _last(teacher)
    if kind_of(last) == "Dense" and activation_name(last) == "softmax":  # the logarithm of its answers would be cut off
        plain = rebuild(teacher, Rebuilt(settings={id(last): {"activation": "linear"}}))
        return [training.predict(plain, training.data.train_inputs)[0], *features]
    return [np.log(np.maximum(first, _SMALLEST)), *features]


def _pooled(tensor: Any) -> Any:
    """Features averaged over their places."""
    import tensorflow as tf

    axes = list(range(1, len(tensor.shape) - 1))
    return tensor if len(tensor.shape) == _POOLED else tf.reduce_mean(tensor, axis=axes)


def _softmax(logits: Array) -> Array:
    """
    >>> _softmax(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    softened: Array = powers / powers.sum(axis=1, keepdims=True)
    return softened


TECHNIQUE = Distill

"""The outputs of a model: what each is trained and judged by, and its targets in one form, whatever data.py gave.

An output whose last extent is that of a softmax has classes; one sigmoid separates two. Either may stand alone or at
each of many places, as the pixels of a segmentation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tinyedge.errors import ModelError

Array = npt.NDArray[Any]
Kind = Literal["classes", "binary", "labels", "values", "anomaly"]

_LOSSES: dict[Kind, str] = {
    "classes": "sparse_categorical_crossentropy",
    "binary": "binary_crossentropy",
    "labels": "binary_crossentropy",
    "values": "mse",
    "anomaly": "mse",
}
_METRICS: dict[Kind, str] = {"values": "mean_absolute_error", "anomaly": "auc"}
_TINY = 1e-7
"""probabilities are taken no nearer to 0 and 1 than this, as Keras does"""
THRESHOLD = 0.5
"""a sigmoid above it says yes"""


@dataclass(frozen=True)
class Head:
    """One output of a model.

    kind    `classes`: a softmax over the last extent; `binary`: one sigmoid; `labels`: sigmoids that each say yes or
            no; `values`: a regression; `anomaly`: the input again, the worse the less normal it is
    shape   of the output, without the batch
    logits  the output comes before its softmax, which the loss computes
    """

    name: str
    kind: Kind
    shape: tuple[int, ...]
    logits: bool = False

    @property
    def loss(self) -> str:
        return _LOSSES[self.kind]

    @property
    def metric(self) -> str:
        """What the head is judged by."""
        return _METRICS.get(self.kind, "accuracy")

    @property
    def has_classes(self) -> bool:
        """Whether an answer is right or wrong."""
        return self.kind in ("classes", "binary", "labels")

    @property
    def places(self) -> tuple[int, ...]:
        """Where the output has a class each: empty when it has one in all."""
        places = self.shape if self.kind == "labels" else self.shape[:-1]
        return places if math.prod(places) > 1 else ()

    def fitted(self, targets: Array) -> Array:
        """Canonical targets as the loss takes them: of the shape of the output but for the classes of a softmax."""
        if self.kind == "anomaly":
            return targets  # the input is what it is trained by
        if self.kind == "classes":
            return targets.reshape(len(targets), *self.shape[:-1]) if len(self.shape) > 1 else targets
        return targets.reshape(len(targets), *self.shape).astype(np.float32)

    def score(self, outputs: Array, targets: Array) -> float:
        """The metric: share of right classes over all samples and places, or mean absolute error.

        Shape:  outputs float32 [N, *shape]; targets as `canonical_targets` makes them

        >>> Head("a", "classes", (2,)).score(np.array([[0.1, 0.9], [0.8, 0.2]]), np.array([1, 1]))
        0.5
        >>> Head("a", "binary", (1,)).score(np.array([[0.1], [0.8], [0.6]]), np.array([0, 1, 0]))
        0.6666666666666666
        >>> Head("a", "values", (1,)).score(np.array([[1.0], [2.0]]), np.array([[1.5], [2.0]]))
        0.25
        """
        if self.kind == "values":
            return float(np.mean(np.abs(outputs.reshape(len(outputs), -1) - targets.reshape(len(targets), -1))))
        return float(np.mean(self.classes(outputs).reshape(targets.shape) == targets))

    def classes(self, outputs: Array) -> Array:
        """What the answers say: int64 [N, *places], or of the shape of the output for sigmoids."""
        answers = outputs.reshape(len(outputs), *self.shape)
        return answers.argmax(axis=-1) if self.kind == "classes" else (answers > THRESHOLD).astype(np.int64)

    def mean_loss(self, outputs: Array, targets: Array) -> float:
        """The loss that training lowers, without smoothing and weights.

        >>> Head("a", "classes", (2,)).mean_loss(np.array([[0.5, 0.5]]), np.array([1]))
        0.6931471805599453
        """
        answers = outputs.reshape(len(outputs), *self.shape).astype(np.float64)
        if self.kind in ("values", "anomaly"):
            return float(np.mean(np.square(answers - targets.reshape(answers.shape))))
        answers = np.clip(answers, _TINY, 1 - _TINY)
        if self.kind == "classes":
            wanted = targets.reshape(*answers.shape[:-1], 1).astype(np.int64)
            return float(-np.mean(np.log(np.take_along_axis(answers, wanted, axis=-1))))
        truth = targets.reshape(answers.shape)
        return float(-np.mean(np.where(truth > 0, np.log(answers), np.log(1 - answers))))


def canonical_targets(head: Head, targets: Array, called: str) -> tuple[Array, str]:
    """(targets in the one form of this head, what is to be said about how they were read, else empty).

    Classes come as int64 [N, *places], whether they were given so, with a last extent of 1, one-hot, or as whole
    floats; a single class of a sample with many places counts at each. Values come as float32 [N, *shape].

    called  what messages call them
    Raises: ModelError with the shapes or the first wrong value
    """
    if head.kind == "values":
        return _values(head, targets, called), ""
    if head.kind == "anomaly":
        return _normal_or_not(targets, called), ""
    number = len(targets)
    if head.kind == "classes" and _plain(targets.shape[1:]) == _plain(head.shape) != ():
        return _from_one_hot(head, targets, called), ""
    classes = _whole(targets, called)
    wanted = 2 if head.kind in ("binary", "labels") else head.shape[-1]
    if (low := classes.min()) < 0:
        raise ModelError(f"{called} hold the class {low}", hint="number the classes from 0")
    if (high := classes.max()) >= wanted:
        _refuse_class(head, int(high), wanted, called)
    if _plain(classes.shape[1:]) == _plain(head.places):
        return classes.reshape(number, *head.places), ""
    if head.kind != "labels" and _plain(classes.shape[1:]) == ():
        spread = classes.reshape(number, *(1 for _ in head.places))
        return (
            np.ascontiguousarray(np.broadcast_to(spread, (number, *head.places))),
            f"{called} name one class for a sample: it counts at all {math.prod(head.places):,} places of "
            f"`{head.name}` {list(head.shape)}",
        )
    raise ModelError(
        f"{called} are {list(targets.shape)}, which fits no classes of output `{head.name}` {list(head.shape)}",
        hint=f"give a class each, as [N{''.join(f', {extent}' for extent in head.places)}]",
    )


def _refuse_class(head: Head, high: int, wanted: int, called: str) -> None:
    hint = "give 0 or 1" if head.kind != "classes" else f"give it {high + 1} outputs, or number the classes from 0"
    if head.kind == "binary":
        hint = f'for more than two classes end with Dense({high + 1}, activation="softmax")'
    raise ModelError(
        f"the model has {math.prod(head.shape) if not head.places else wanted} outputs, the data {high + 1} classes"
        if head.kind == "classes"
        else f"{called} hold the class {high}; the sigmoid `{head.name}` separates 0 and 1",
        hint=hint,
    )


def _values(head: Head, targets: Array, called: str) -> Array:
    if _plain(targets.shape[1:]) != _plain(head.shape):
        raise ModelError(
            f"{called} are {list(targets.shape)}, output `{head.name}` is {['N', *head.shape]}".replace("'", ""),
            hint="each output needs a target",
        )
    return targets.reshape(len(targets), *head.shape).astype(np.float32)


def _normal_or_not(targets: Array, called: str) -> Array:
    """0 for what is normal, 1 for what is not. Raises: ModelError."""
    states = _whole(targets, called)
    if states.size != len(states) or not np.isin(states, (0, 1)).all():
        raise ModelError(
            f"{called} of an anomaly detector are {list(targets.shape)} from {states.min()} to {states.max()}",
            hint="give 0 for each normal sample and 1 for each that is not",
        )
    return states.reshape(-1)


def _from_one_hot(head: Head, targets: Array, called: str) -> Array:
    """Classes of one-hot rows."""
    rows = targets.reshape(-1, head.shape[-1])
    wrong = np.flatnonzero(((rows != 0) & (rows != 1)).any(axis=1) | (rows.sum(axis=1) != 1))
    if len(wrong):
        raise ModelError(
            f"{called} are {list(targets.shape)}, as one-hot classes are, but row {wrong[0]} is "
            f"{np.round(rows[wrong[0]], 4).tolist()}",
            hint="give the number of the class, from 0",
        )
    classes: Array = rows.argmax(axis=1).astype(np.int64)
    return classes.reshape(len(targets), *head.places)


def _whole(targets: Array, called: str) -> Array:
    """Targets as int64. Raises: ModelError when one is no whole number."""
    if targets.dtype.kind == "f":
        fractions = targets[targets != np.round(targets)]
        if fractions.size:
            raise ModelError(
                f"{called} hold {fractions[0]:g}, which is no class",
                hint='number the classes from 0, or set `task = "regression"` in recipe.toml',
            )
    return targets.astype(np.int64)


def _plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A shape without extents of 1."""
    return tuple(extent for extent in shape if extent != 1)

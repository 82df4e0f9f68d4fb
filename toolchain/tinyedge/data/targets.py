"""What labels are: numbers of classes from 0 on, or the values that a regression learns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyedge.data.contract import Recordings
from tinyedge.data.csv_file import is_number
from tinyedge.errors import UsageError
from tinyedge.graph.ir import Array

_MOST_CLASSES = 20
_FEWEST_SAMPLES = 5
"""of a class in the mean: whole numbers that come back less often are no classes"""


def as_values(recordings: Recordings, called: str) -> Recordings:
    """The recordings for a regression: labels that a format took for classes are the numbers that name them.

    Raises: UsageError for a class whose name is no number
    """
    if recordings.labels is None:
        return recordings
    return replace(recordings, labels=target_values(recordings.labels, recordings.class_names, called), class_names=())


def target_values(labels: Array, class_names: Sequence[str], called: str) -> Array:
    """Labels as float32 values: of classes, the numbers that name them. Raises: UsageError for a name that is none."""
    if class_names:
        try:
            numbers = np.array([float(name) for name in class_names], np.float32)
        except ValueError:
            word = next(name for name in class_names if not is_number(name))
            raise UsageError(
                f"the targets of `{called}` are words, as `{word}`, and a regression learns numbers",
                hint='`task = "classification"` in recipe.toml tells classes apart',
            ) from None
        labels = numbers[labels]
    return labels.astype(np.float32)


def as_classes(recordings: Recordings) -> Recordings:
    """The recordings for a classification: whole numbers that are not 0, 1, 2... become so, and name the classes."""
    labels = recordings.labels
    if labels is None or recordings.class_names or labels.ndim != 1 or labels.dtype.kind not in "iu":
        return recordings
    known, places = np.unique(labels, return_inverse=True)
    if known[0] == 0 and known[-1] == len(known) - 1:
        return recordings
    names = tuple(str(int(number)) for number in known)
    told = f"{', '.join(names[:4])}{', ...' if len(names) > 4 else ''}"
    note = f"the labels are {told}: the outputs of the model stand for these, in this order"
    return replace(recordings, labels=places.astype(np.int64), class_names=names, notes=(*recordings.notes, note))


def class_numbers(labels: Array) -> Array | None:
    """What a person means by an array of labels that nobody names: the number of the class of each; None for values.

    >>> class_numbers(np.array([[0.0, 1.0], [1.0, 0.0]])).tolist()
    [1, 0]
    >>> class_numbers(np.array([0.5, 1.0])), class_numbers(np.arange(50))
    (None, None)
    """
    if labels.dtype.kind not in "iubf":
        return None
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2:
        is_one_hot = ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
        return labels.argmax(axis=1) if is_one_hot else None
    if labels.ndim != 1 or (labels != np.round(labels)).any():
        return None
    known = len(np.unique(labels))
    if known > _MOST_CLASSES and len(labels) < _FEWEST_SAMPLES * known:
        return None
    return labels.astype(np.int64)

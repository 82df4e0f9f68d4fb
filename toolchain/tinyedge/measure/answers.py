"""What outputs say of labels: how many are right, and which classes were taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.artifacts.confusion import Confusion, count_answers
from tinyedge.graph.ir import Tensor

Array = npt.NDArray[Any]


def accuracy(outputs: Array, labels: Array, half: float = 0.0) -> float | None:
    """Share of right classes over all samples and places; None when labels or outputs are no classes.

    A place with several values has the class of the largest; with one value it is 1 where that is above `half`, the
    quantized 0.5 of a sigmoid.

    Shape:  outputs [N, ...] with one value or more for each label; labels integer [N, *places]

    >>> accuracy(np.array([[1, 5], [7, 2]], np.int8), np.array([1, 1]))
    0.5
    >>> accuracy(np.array([[-3], [4]], np.int8), np.array([0, 1]))
    1.0
    """
    answers = _answers(outputs, labels, half)
    return None if answers is None else float(np.mean(answers[0] == answers[1]))


def confusion(outputs: Array, labels: Array, names: Sequence[str], half: float = 0.0) -> Confusion | None:
    """Which classes were taken for which; None where `accuracy` is None, and where a sample has several places."""
    answers = _answers(outputs, labels, half)
    if answers is None or answers[1].size != len(outputs):
        return None
    said, right = (array.reshape(-1) for array in answers[:2])
    return count_answers(said, right, answers[2], names)


def _answers(outputs: Array, labels: Array, half: float) -> tuple[Array, Array, int] | None:
    """(the classes that were said, the right ones, how many there are); None when there are none."""
    right = labels[: len(outputs)]
    if labels.dtype.kind not in "iu" or not right.size or outputs.size % right.size:
        return None
    values = outputs.reshape(*right.shape, -1)
    if values.shape[-1] > 1:
        return values.argmax(axis=-1), right, values.shape[-1]
    return (values[..., 0] > half).astype(np.int64), right, 2


def half_of(tensor: Tensor) -> float:
    """The quantized value of 0.5."""
    return 0.5 / tensor.scale + tensor.zero_point if tensor.quantization else 0.5

"""Which classes were taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_CLASSES = 256
"""of more, the matrix is no report"""


@dataclass(frozen=True)
class Confusion:
    """Counts of samples. counts: a row for each class that samples are of, a column for each that was said."""

    counts: tuple[tuple[int, ...], ...]
    class_names: tuple[str, ...]

    @property
    def total(self) -> int:
        return sum(map(sum, self.counts))

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return sum(row[at] for at, row in enumerate(self.counts)) / self.total

    def recall(self, at: int) -> float | None:
        """Share of the samples of a class that were taken for it; None where there are none."""
        total = sum(self.counts[at])
        return self.counts[at][at] / total if total else None

    def precision(self, at: int) -> float | None:
        """Share of the answers of a class that were right; None where it was never said."""
        total = sum(row[at] for row in self.counts)
        return self.counts[at][at] / total if total else None

    def worst_mistake(self, at: int) -> tuple[str, int] | None:
        """What samples of a class were most often taken for, and how often; None where all were right."""
        row = [0 if column == at else count for column, count in enumerate(self.counts[at])]
        most = max(range(len(row)), key=row.__getitem__)
        return (self.class_names[most], row[most]) if row[most] else None

    def to_json(self) -> dict[str, Any]:
        return {
            "class_names": list(self.class_names),
            "counts": [list(row) for row in self.counts],
            "recall": [self.recall(at) for at in range(len(self.counts))],
            "precision": [self.precision(at) for at in range(len(self.counts))],
        }


def count_answers(
    said: npt.NDArray[Any], right: npt.NDArray[Any], classes: int, names: Sequence[str]
) -> Confusion | None:
    """The matrix of answers; numbers stand for names where there is not one for each class. None for labels that are
    no classes of the model, and for very many classes.

    said, right  whole numbers [N]

    >>> count_answers(np.array([0, 1, 1]), np.array([0, 0, 1]), 2, ("no", "yes")).counts
    ((1, 1), (0, 1))
    """
    if not len(right) or classes > MOST_CLASSES or int(right.min()) < 0 or int(right.max()) >= classes:
        return None
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (right.astype(np.int64), said.astype(np.int64)), 1)
    known = tuple(names) if len(names) == classes else tuple(map(str, range(classes)))
    return Confusion(tuple(map(tuple, counts.tolist())), known)

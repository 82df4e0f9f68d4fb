"""What a format of data is, and what reading one gives: recordings first, samples of one shape when they are cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tinyedge.data.table import DataTable
from tinyedge.graph.ir import Array

LABELS = ("labels", "label", "y", "y_test", "targets")
"""names of the array with what each sample is"""
PARTS = ("train", "validation", "test")


class Format(Protocol):
    """One way in which data lies on disk; each module of this room that is one states it as `FORMAT`."""

    @property
    def title(self) -> str:
        """What an error calls it, with its article."""
        ...

    @property
    def layout(self) -> str:
        """How its files lie, for the table of formats in docs/data.md."""
        ...

    @property
    def split(self) -> str:
        """What the format itself says of training and test, and of subjects; empty for nothing. For the same table."""
        ...

    @property
    def is_general(self) -> bool:
        """Whether it takes what a more special format may know better; those are asked first."""
        ...

    def recognizes(self, path: Path, head: bytes, names: Sequence[str]) -> bool:
        """Whether a path holds this format.

        head   the first bytes of a file; empty for a folder
        names  every file below a folder, relative; empty for a file
        """
        ...

    def read(self, path: Path, table: DataTable) -> Recordings:
        """All recordings. Raises: UsageError with the file's name, and the line where there are lines, when one is
        damaged, too large, or not what `table` says."""
        ...


@dataclass(frozen=True, eq=False)
class Recordings:
    """What lies on disk, uncut. A recording is a file, or a row of a file whose rows are samples.

    inputs       N values of each input: an array [N, ...], or N arrays [time, ...] of several lengths
    labels       [N] numbers of `class_names`, or targets; None when there are none
    sources      of each its file, relative to the folder that was read; `[row]` or `:line` behind it where a file has
                 several
    groups       of each its subject, as far as the format knows it: what may never be in two parts; empty for none
    parts        of each a word of PARTS where the format itself says it; empty where it does not
    is_timed     the first axis is time: recordings can be cut into windows
    rate_hz      samples a second; None where nobody says
    axes         names of the last axis; empty where nobody says
    columns      all columns of a CSV; empty for other formats
    notes        what a person should know of the data
    """

    inputs: Mapping[str, Array | Sequence[Array]]
    sources: Sequence[str]
    labels: Array | None = None
    class_names: tuple[str, ...] = ()
    groups: Sequence[str] = ()
    parts: Sequence[str] = ()
    is_timed: bool = False
    rate_hz: float | None = None
    axes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """N."""
        return len(self.sources)

    def group(self, number: int) -> str:
        """The subject of a recording; its source where it has none."""
        return (self.groups[number] if self.groups else "") or self.sources[number]

    def part(self, number: int) -> str:
        return self.parts[number] if self.parts else ""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of all classes, or the numbers that labels are where nobody names them; empty for targets."""
        if self.class_names or self.labels is None or self.labels.dtype.kind not in "iub" or self.labels.ndim != 1:
            return self.class_names
        return tuple(str(int(number)) for number in np.unique(self.labels))

    def class_of(self, number: int) -> str:
        """The class of a recording; empty for what has none."""
        if self.labels is None or not (self.class_names or (self.labels.ndim == 1 and self.labels.dtype.kind in "iub")):
            return ""
        label = int(self.labels[number])
        return self.class_names[label] if self.class_names else str(label)


@dataclass(frozen=True, eq=False)
class Arrays:
    """Samples of a model's inputs, and what they are.

    inputs       arrays [N, ...] by their names, in the order of the source
    labels       [N, ...] of the first output: numbers of `class_names`, or targets; None when there are none
    class_names  empty where nobody says them
    sources      [N] the file or recording of each sample; empty for data in memory
    groups       [N] what each sample may never be parted from: its subject, else its recording
    digest       of the paths and contents of all files read; empty for data in memory
    """

    inputs: Mapping[str, Array]
    labels: Array | None = None
    class_names: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    rate_hz: float | None = None
    axes: tuple[str, ...] = ()
    digest: str = ""
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """N."""
        return len(next(iter(self.inputs.values())))


@dataclass(frozen=True, eq=False)
class Parts:
    """The samples of training, validation and test, which share no recording and no subject.

    validation  None where it was not asked for, or there are too few groups for a third part
    notes       what a person should know before training: imbalance, duplicates

    Raises: ValueError when one group is in two parts
    """

    train: Arrays
    validation: Arrays | None
    test: Arrays
    digest: str
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for kind in ("groups", "sources"):
            where: dict[str, str] = {}
            for name, arrays in self.named().items():
                for each in set(getattr(arrays, kind)):
                    if where.setdefault(each, name) != name:
                        raise ValueError(f"`{each}` is in {where[each]} and in {name}")

    def named(self) -> dict[str, Arrays]:
        """The parts that there are, by their names."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: arrays for name, arrays in parts.items() if arrays is not None}

    def class_weights(self) -> dict[int, float]:
        """What makes each class of the training count the same: number of the class -> weight, 1 on average."""
        return class_weights(self.train.labels) if self.train.labels is not None else {}


def class_weights(labels: npt.NDArray[np.integer]) -> dict[int, float]:
    """Weights that make each class count the same.

    >>> class_weights(np.array([0, 0, 0, 1]))
    {0: 0.6666666666666666, 1: 2.0}
    """
    classes, counts = np.unique(labels, return_counts=True)
    return {
        int(number): len(labels) / (len(classes) * int(count)) for number, count in zip(classes, counts, strict=True)
    }

"""What `load` in a data.py returns: the data of a model, split into training, validation and test."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Arrays = Array | Sequence[Any] | Mapping[str, Array]
"""one array, or one for each input or output of the model: in its order, or by its names"""


SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, eq=False)
class Splits:
    """Training and test data, and, where there is some, validation data: epochs and thresholds are chosen with it, so
    that the test data never chooses anything.

    Shape:   inputs float32 [N, *input shape], or int32 of tokens; targets int [N] (the class, from 0), one-hot
             [N, classes], int [N, *places] where each place has a class, or float32 [N, *output shape].
             A model of several inputs or outputs takes a tuple of such arrays, or a dict by the names of its layers.
             groups and recordings [N], of numbers or strings
    Raises:  ValueError when a shape or type is wrong, a split is empty, a value is not finite, or a group is in two
             splits
    """

    train_inputs: Arrays
    train_targets: Arrays
    test_inputs: Arrays
    test_targets: Arrays
    validation_inputs: Arrays | None = None
    validation_targets: Arrays | None = None
    class_names: tuple[str, ...] = ()
    """of the first output"""
    train_groups: Array | None = None
    """what each sample comes from and no other split may hold anything of: a subject, a speaker, a file"""
    validation_groups: Array | None = None
    test_groups: Array | None = None
    test_recordings: Array | None = None
    """what each test sample is a part of: an answer for the whole of it, by majority, is judged too"""
    features: Callable[[Array], Array] | None = None
    """what the model takes, of inputs that are signals: float32 [N, ...] -> float32 [N, *input shape]. Augmentation of
    signals comes before it, in every epoch anew"""

    made_up: str = ""
    """what stands in for real data, if anything: every report of the model says so"""

    notes: tuple[str, ...] = ()
    """what a person should know of the data before the training"""

    def __post_init__(self) -> None:
        if (self.validation_inputs is None) != (self.validation_targets is None):
            raise ValueError("validation_inputs and validation_targets go together: one of them is missing")
        for split in self.names:
            _check_split(split, getattr(self, f"{split}_inputs"), getattr(self, f"{split}_targets"))
        if self.features is not None and not isinstance(self.train_inputs, np.ndarray):
            raise ValueError("`features` are worked out of one array of inputs; there are several")
        self._check_shapes()
        self._check_groups()

    @property
    def names(self) -> tuple[str, ...]:
        """The splits that there are."""
        return tuple(split for split in SPLITS if getattr(self, f"{split}_inputs") is not None)

    def count(self, split: str) -> int:
        """Samples of a split."""
        return len(next(iter(named_arrays("", getattr(self, f"{split}_inputs")).values())))

    def limited(self, most: int) -> Splits:
        """At most `most` samples of the training, spread evenly, and a quarter as many of the others."""
        changes: dict[str, Any] = {}
        for split in self.names:
            wanted = most if split == "train" else max(most // 4, 1)
            number = self.count(split)
            if number <= wanted:
                continue
            rows = np.linspace(0, number - 1, wanted).astype(np.int64)
            for what in ("inputs", "targets", "groups", "recordings"):
                given = getattr(self, f"{split}_{what}", None)
                if given is not None:
                    changes[f"{split}_{what}"] = _rows(given, rows)
        return dataclasses.replace(self, **changes)

    def _check_shapes(self) -> None:
        for what in ("inputs", "targets"):
            train = named_arrays(what, getattr(self, f"train_{what}"))
            for split in self.names[1:]:
                other = named_arrays(what, getattr(self, f"{split}_{what}"))
                shapes = [[list(array.shape[1:]) for array in arrays.values()] for arrays in (train, other)]
                if shapes[0] != shapes[1] or list(train) != list(other):
                    first, second = (shape[0] if len(shape) == 1 else shape for shape in shapes)
                    raise ValueError(f"training {what} are {first}, {split} {what} {second}")

    def _check_groups(self) -> None:
        members: dict[str, set[Any]] = {}
        for split in SPLITS:
            groups = getattr(self, f"{split}_groups")
            if groups is None:
                continue
            if split not in self.names or len(groups) != self.count(split):
                raise ValueError(f"{split}_groups has {len(groups):,} rows; one for each sample of `{split}` is needed")
            members[split] = set(np.asarray(groups).tolist())
        if members and set(members) != set(self.names):
            raise ValueError(f"groups are given for {', '.join(members)}; give them for {', '.join(self.names)}")
        for (first, these), (second, those) in combinations(members.items(), 2):
            if shared := sorted(these & those, key=str):
                told = ", ".join(f"`{name}`" for name in shared[:5]) + (", ..." if len(shared) > 5 else "")
                raise ValueError(
                    f"the splits leak: {len(shared)} group{'s' * (len(shared) > 1)} of `{first}` "
                    f"also in `{second}`: {told}"
                )
        if self.test_recordings is not None and len(self.test_recordings) != self.count("test"):
            raise ValueError(
                f"test_recordings has {len(self.test_recordings):,} rows for {self.count('test'):,} samples"
            )


def _check_split(split: str, given_inputs: Arrays, given_targets: Arrays) -> None:
    inputs = named_arrays(f"{split}_inputs", given_inputs)
    targets = named_arrays(f"{split}_targets", given_targets)
    for name, array in inputs.items():
        if (array.dtype != np.float32 and array.dtype.kind not in "iu") or array.ndim < 2:
            raise ValueError(f"{name} are {array.dtype} {list(array.shape)}, not float32 [N, ...], or int32 of tokens")
    for name, array in targets.items():
        if array.dtype.kind not in "iufb":
            raise ValueError(
                f"{name} are {_kind(array)}, as `{array.flat[0] if array.size else ''}`, not numbers; "
                "`numpy.unique(targets, return_inverse=True)[1]` numbers them from 0"
            )
        if array.ndim == 0:
            raise ValueError(f"{name} are one number, not [N, ...]")
    number = len(next(iter(inputs.values())))
    for name, array in (*inputs.items(), *targets.items()):
        if len(array) != number or number == 0:
            raise ValueError(f"{number:,} {next(iter(inputs))} have {len(array):,} {name}")
    if not all(np.isfinite(array).all() for array in (*inputs.values(), *targets.values())):
        raise ValueError(f"the {split} split holds values that are not finite")


def _rows(given: Arrays, rows: Array) -> Arrays:
    """Some samples of one array, or of each of several."""
    if isinstance(given, Mapping):
        return {name: np.asarray(array)[rows] for name, array in given.items()}
    arrays = tuple(array[rows] for array in named_arrays("", given).values())
    return arrays[0] if isinstance(given, np.ndarray) or len(arrays) == 1 else arrays


def named_arrays(name: str, given: Arrays) -> dict[str, Array]:
    """The arrays of `given` by what they are called in messages: `name`, `name[0]` or `name['layer']`."""
    if isinstance(given, Mapping):
        return {f"{name}[{key!r}]": np.asarray(array) for key, array in given.items()}
    if not isinstance(given, np.ndarray) and any(isinstance(part, np.ndarray) and part.ndim for part in given):
        return {f"{name}[{index}]": np.asarray(array) for index, array in enumerate(given)}
    return {name: np.asarray(given)}


def arrays_in_order(given: Arrays, names: Sequence[str]) -> tuple[Array, ...] | None:
    """The arrays of `given` as the inputs or outputs of these names follow each other.

    None when a dict lacks a name of the first ones, or has one that is not among them.
    """
    if not isinstance(given, Mapping):
        return tuple(named_arrays("", given).values())
    if not set(given) <= set(names) or list(names)[: len(given)] != [name for name in names if name in given]:
        return None
    return tuple(np.asarray(given[name]) for name in names if name in given)


def _kind(array: Array) -> str:
    return {"U": "strings", "S": "bytes", "O": "objects"}.get(array.dtype.kind, str(array.dtype))

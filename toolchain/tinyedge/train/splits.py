"""What `load` in a data.py returns: the data of a model, split into training and test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Arrays = Array | Sequence[Any] | Mapping[str, Array]
"""one array, or one for each input or output of the model: in its order, or by its names"""


@dataclass(frozen=True, eq=False)
class Splits:
    """Training and test data.

    Shape:   inputs float32 [N, *input shape], or int32 of tokens; targets int [N] (the class, from 0), one-hot
             [N, classes], int [N, *places] where each place has a class, or float32 [N, *output shape].
             A model of several inputs or outputs takes a tuple of such arrays, or a dict by the names of its layers.
    Raises:  ValueError when a shape or type is wrong, a split is empty, or a value is not finite
    """

    train_inputs: Arrays
    train_targets: Arrays
    test_inputs: Arrays
    test_targets: Arrays

    def __post_init__(self) -> None:
        for split in ("train", "test"):
            inputs = named_arrays(f"{split}_inputs", getattr(self, f"{split}_inputs"))
            targets = named_arrays(f"{split}_targets", getattr(self, f"{split}_targets"))
            for name, array in inputs.items():
                if (array.dtype != np.float32 and array.dtype.kind not in "iu") or array.ndim < 2:
                    raise ValueError(
                        f"{name} are {array.dtype} {list(array.shape)}, not float32 [N, ...], or int32 of tokens"
                    )
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
        for what in ("inputs", "targets"):
            train, test = (named_arrays(what, getattr(self, f"{split}_{what}")) for split in ("train", "test"))
            shapes = [[list(array.shape[1:]) for array in arrays.values()] for arrays in (train, test)]
            if shapes[0] != shapes[1] or list(train) != list(test):
                first, second = (shape[0] if len(shape) == 1 else shape for shape in shapes)
                raise ValueError(f"training {what} are {first}, test {what} {second}")


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

"""What `load` in a data.py returns: the data of a model, split into training and test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Splits:
    """Training and test data.

    Shape:   inputs float32 [N, *input shape]; targets int [N] (the class, from 0) or float32 [N, *output shape]
    Raises:  ValueError when a shape or type is wrong, a split is empty, or a value is not finite
    """

    train_inputs: npt.NDArray[Any]
    train_targets: npt.NDArray[Any]
    test_inputs: npt.NDArray[Any]
    test_targets: npt.NDArray[Any]

    def __post_init__(self) -> None:
        for split in ("train", "test"):
            inputs = getattr(self, f"{split}_inputs")
            targets = getattr(self, f"{split}_targets")
            if inputs.dtype != np.float32 or inputs.ndim < 2:
                raise ValueError(f"{split}_inputs are {inputs.dtype} {list(inputs.shape)}, not float32 [N, ...]")
            if len(inputs) != len(targets) or len(inputs) == 0:
                raise ValueError(f"{len(inputs):,} {split}_inputs have {len(targets):,} {split}_targets")
            if not np.isfinite(inputs).all() or not np.isfinite(targets).all():
                raise ValueError(f"the {split} split holds values that are not finite")
        train, test = (list(inputs.shape[1:]) for inputs in (self.train_inputs, self.test_inputs))
        if train != test:
            raise ValueError(f"training inputs are {train}, test inputs {test}")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one input, without the batch."""
        return tuple(int(extent) for extent in self.train_inputs.shape[1:])

"""Pruning by patterns: which weights of a kernel are zero together, and when they become so."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.tables import require_range
from tinyedge.train.compress.kernels import Kernel

Array = npt.NDArray[Any]

_POWER = 3
"""of the polynomial by which sparsity grows: fast at first"""
_WIDEST = 64


@dataclass(frozen=True)
class Pattern:
    """Groups of `outputs` x `inputs` neighbouring channels: `left` weights of each stay; None: groups go as a whole."""

    outputs: int
    inputs: int
    left: int | None = None

    @property
    def sparsity(self) -> float | None:
        """What the pattern itself decides."""
        return None if self.left is None else 1 - self.left / self.inputs

    def fits(self, kernel: Kernel) -> bool:
        """Whether the kernel's channels are whole groups."""
        return kernel.outputs % self.outputs == 0 and kernel.variable.shape[-2] % self.inputs == 0

    def kept(self, rows: Array, sparsity: float) -> Array:
        """Which weights are not zero at this sparsity: bool, of the shape of `rows`, [output channels, weights of one].

        Input channels are neighbours in a row.

        >>> Pattern(1, 4, 2).kept(np.array([[1, -3, 2, 0.5]]), 0.5).tolist()
        [[False, True, True, False]]
        >>> Pattern(1, 2).kept(np.array([[1, -3, 2, 0.5]]), 0.5).tolist()
        [[True, True, False, False]]
        """
        groups = np.abs(rows).reshape(len(rows) // self.outputs, self.outputs, -1, self.inputs)
        if self.left is None:
            size = groups.sum(axis=(1, 3), keepdims=True)
            worth = np.broadcast_to(size, groups.shape).reshape(rows.shape)
        else:
            place = np.argsort(np.argsort(-groups, axis=3, kind="stable"), axis=3)
            worth = np.where(place < self.left, np.inf, groups).reshape(rows.shape)
        gone = round(sparsity * rows.size)
        order = np.argsort(worth, axis=None, kind="stable")
        kept = np.ones(rows.size, bool)
        kept[order[:gone]] = False
        return _whole_groups(kept.reshape(rows.shape), self) if self.left is None else kept.reshape(rows.shape)


def _whole_groups(kept: Array, pattern: Pattern) -> Array:
    """Groups of which a part is kept are kept whole."""
    groups = kept.reshape(len(kept) // pattern.outputs, pattern.outputs, -1, pattern.inputs)
    return np.broadcast_to(groups.any(axis=(1, 3), keepdims=True), groups.shape).reshape(kept.shape)


def parse_pattern(text: str) -> Pattern | None:
    """None for `single`. Raises: ValueError when it is of no known form.

    >>> parse_pattern("2:4"), parse_pattern("1x4").sparsity
    (Pattern(outputs=1, inputs=4, left=2), None)
    """
    if text == "single":
        return None
    if found := re.fullmatch(r"(\d{1,3}):(\d{1,3})", text):
        left, of = int(found[1]), int(found[2])
        require_range("n of the pattern n:m", left, 1)
        require_range("m of the pattern n:m", of, left + 1, _WIDEST)
        return Pattern(1, of, left)
    if found := re.fullmatch(r"(\d{1,3})x(\d{1,3})", text):
        outputs, inputs = int(found[1]), int(found[2])
        for name, extent in (("outputs of a block", outputs), ("inputs of a block", inputs)):
            require_range(name, extent, 1, _WIDEST)
        return Pattern(outputs, inputs)
    raise ValueError(f"`pattern` is `{text}`; known are `single`, `n:m` as `2:4`, and blocks as `1x4`")


class Masks:
    """Sets weights to zero during a training with `callback`: more and more of them for `ramp` steps, then no others.

    steps  of an epoch
    """

    def __init__(self, kernels: Sequence[Kernel], pattern: Pattern, sparsity: float, *, steps: int, ramp: int) -> None:
        self._kernels = kernels
        self._pattern = pattern
        self._sparsity = sparsity
        self._steps = steps
        self._ramp = ramp
        self._epoch = 0
        self._kept: list[Array] = []

    def callback(self) -> Any:
        """For `Training.fit`."""
        import tf_keras

        return tf_keras.callbacks.LambdaCallback(on_epoch_begin=self._begin, on_train_batch_end=self._end)

    def sparsity_at(self, step: int) -> float:
        """What is reached after a step, counted from 0."""
        if step >= self._ramp:
            return self._sparsity
        return self._sparsity * float(1 - (1 - (step + 1) / (self._ramp + 1)) ** _POWER)

    def _begin(self, epoch: int, _logs: Any) -> None:
        self._epoch = epoch
        self._kept = [kernel.rows() != 0 for kernel in self._kernels]

    def _end(self, batch: int, _logs: Any) -> None:
        step = self._epoch * self._steps + batch
        growing = step <= self._ramp
        for index, kernel in enumerate(self._kernels):
            rows = kernel.rows() * self._kept[index]
            if growing:
                self._kept[index] = self._pattern.kept(rows, self.sparsity_at(step))
            kernel.assign(rows * self._kept[index])

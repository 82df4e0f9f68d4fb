"""Sparsifying regularisation: every step takes a little of each weight, and those that are not needed end at zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from tinyedge.errors import ModelError
from tinyedge.tables import require_range
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.compress.kernels import Kernel, kernels_of
from tinyedge.train.fit import Training


@dataclass(frozen=True)
class L1(Technique):
    """An L1 penalty on the kernels of conv_2d and fully_connected, by soft thresholds, which leave exact zeros.

    How many weights end as zero follows from the data: `prune` is for a share that is known before.
    Source: Daubechies, Defrise and De Mol, "An iterative thresholding algorithm" (2004)
    """

    name: ClassVar[str] = "l1"
    changes: ClassVar[Changes] = "zeros"

    strength: float
    """of the penalty: a weight loses this share of the learning rate in each step; 0.01 to 0.3 are usual"""
    epochs: int
    """times that the training sees every sample with the penalty"""
    learning_rate: float = 0.001
    """the largest of this training"""

    def __post_init__(self) -> None:
        require_range("strength", self.strength, 1e-6, 1)
        require_range("epochs", self.epochs, 1)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        if not _penalized(model):
            raise ModelError(
                "no kernel of the model is of conv_2d or fully_connected", hint="leave out the technique `l1`"
            )
        return model, ()

    def apply(self, model: Any, training: Training) -> Any:
        import tf_keras

        kernels = _penalized(model)
        thresholds = _Thresholds(
            kernels, self.strength * self.learning_rate, training.steps(1), training.steps(self.epochs)
        )
        callback = tf_keras.callbacks.LambdaCallback(
            on_epoch_begin=thresholds.begin_epoch, on_train_batch_end=thresholds.end_batch
        )
        training.fit(model, self.name, epochs=self.epochs, learning_rate=self.learning_rate, callbacks=[callback])
        zeros = sum(int(np.count_nonzero(kernel.rows() == 0)) for kernel in kernels)
        total = sum(kernel.rows().size for kernel in kernels)
        training.notes.append(f"`l1` leaves {zeros:,} of {total:,} weights zero, {zeros / total:.3f}")
        return model


@dataclass
class _Thresholds:
    """Soft thresholds that fall with the learning rate, along a cosine."""

    kernels: Sequence[Kernel]
    largest: float
    epoch_steps: int
    steps: int
    epoch: int = 0

    def begin_epoch(self, epoch: int, _logs: Any) -> None:
        self.epoch = epoch

    def end_batch(self, batch: int, _logs: Any) -> None:
        done = (self.epoch * self.epoch_steps + batch) / self.steps
        threshold = self.largest * 0.5 * (1 + math.cos(math.pi * done))
        for kernel in self.kernels:
            rows = kernel.rows()
            kernel.assign(np.sign(rows) * np.maximum(np.abs(rows) - threshold, 0))


def _penalized(model: Any) -> list[Kernel]:
    return [kernel for kernel in kernels_of(model) if kernel.operator != "depthwise_conv_2d"]


TECHNIQUE = L1

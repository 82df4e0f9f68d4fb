"""Weights of 4, 3 or 2 bits, trained as they will be rounded, in all layers or in those that mind it least."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from tinyedge.errors import ModelError, UsageError
from tinyedge.tables import require_range
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.compress.forms import Grid, with_zeros_of
from tinyedge.train.compress.kernels import Kernel, kernels_of
from tinyedge.train.compress.straight_through import StraightThrough, zeros_kept
from tinyedge.train.fit import Training
from tinyedge.train.layers import describe
from tinyedge.train.low_bits import store_low_bits
from tinyedge.train.matching import Matched
from tinyedge.train.rewrite import fold_norms

_FEWEST_WEIGHTS = 64
_JUDGED = 512
"""training samples that tell how sensitive a layer is"""


@dataclass(frozen=True)
class Int4(Technique):
    """Weights of conv_2d, per output channel, and fully_connected, per layer, are rounded to few bits in training.

    Batch normalization is folded into the weights before. The .tflite holds them as INT4.
    """

    name: ClassVar[str] = "int4"
    changes: ClassVar[Changes] = "values"

    epochs: int
    """times that the training sees every sample with rounded weights"""
    bits: Literal[4, 3, 2] = 4
    """of a weight"""
    depthwise: bool = False
    """kernels of depthwise_conv_2d too: the most sensitive, and the smallest"""
    target_flash: int = 0
    """bytes that all kernels may take: layers that lose least by it are rounded until they do, the others stay int8;
    0: all layers are rounded"""
    learning_rate: float = 0.0005
    """the largest of this training"""

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 1)
        require_range("target_flash", self.target_flash, 0)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        model = fold_norms(model)
        kernels = list(kernels_of(model))
        narrow = self._eligible(kernels)
        if not narrow:
            raise ModelError(
                f"no kernel of the model can be of {self.bits} bits: there are "
                + (", ".join(describe(kernel.layer) for kernel in kernels) or "none"),
                hint="leave out the technique `int4` in recipe.toml",
            )
        least = _bytes(kernels, narrow, self.bits)
        if self.target_flash and least > self.target_flash:
            raise UsageError(
                f"`target_flash` of `int4` is {self.target_flash:,} B; with all that can be of {self.bits} bits the "
                f"kernels take {least:,} B ({least - self.target_flash:,} B too many)",
                hint="`prune_channels` before `int4`, fewer `bits`, or a smaller network",
            )
        for kernel in narrow:  # so that the conversion meets what the training will leave
            kernel.assign(self._grid(kernel).project(kernel.rows()))
        left = [describe(kernel.layer) for kernel in kernels if kernel not in narrow]
        return model, ((f"`int4` leaves {', '.join(left)} in int8",) if left else ())

    def apply(self, model: Any, training: Training) -> Any:
        model = fold_norms(model)
        kernels = list(kernels_of(model))
        narrow = self._eligible(kernels)
        if self.target_flash:
            narrow = self._least_sensitive(model, kernels, narrow, training)
        others = [kernel for kernel in kernels if kernel not in narrow]
        forms = [(kernel, with_zeros_of(kernel.rows(), self._grid(kernel))) for kernel in narrow]
        rounded = StraightThrough([*forms, *zeros_kept(others)])
        training.fit(
            model,
            self.name,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            callbacks=[rounded.callback()],
        )
        rounded.finish()
        return model

    def stored(self, tflite: bytes, training: Training) -> bytes:
        return store_low_bits(tflite, self.bits)

    def _grid(self, kernel: Kernel) -> Grid:
        return Grid(self.bits, per_tensor=kernel.operator == "fully_connected")

    def _eligible(self, kernels: Sequence[Kernel]) -> list[Kernel]:
        return [
            kernel
            for kernel in kernels
            if kernel.rows().size >= _FEWEST_WEIGHTS and (self.depthwise or kernel.operator != "depthwise_conv_2d")
        ]

    def _least_sensitive(
        self, model: Any, kernels: Sequence[Kernel], eligible: Sequence[Kernel], training: Training
    ) -> list[Kernel]:
        """The kernels that cost the least loss for each byte they save, as many as `target_flash` needs."""
        plain = _loss(model, training.data)
        cost = {}
        for kernel in eligible:
            rows = kernel.rows()
            kernel.assign(self._grid(kernel).project(rows))
            cost[id(kernel)] = max(_loss(model, training.data) - plain, 0.0) / rows.size
            kernel.assign(rows)
        chosen: list[Kernel] = []
        for kernel in sorted(eligible, key=lambda kernel: cost[id(kernel)]):
            if _bytes(kernels, chosen, self.bits) <= self.target_flash:
                break
            chosen.append(kernel)
        names = ", ".join(describe(kernel.layer) for kernel in kernels if kernel in chosen) or "none"
        training.notes.append(
            f"`int4` rounds {names} to {self.bits} bits: the kernels take "
            f"{_bytes(kernels, chosen, self.bits):,} B of {self.target_flash:,} B"
        )
        return chosen


def _bytes(kernels: Sequence[Kernel], narrow: Sequence[Kernel], bits: int) -> int:
    """What kernels take in flash, those in `narrow` packed to `bits`."""
    return sum(math.ceil(kernel.rows().size * (bits if kernel in narrow else 8) / 8) for kernel in kernels)


def _loss(model: Any, data: Matched) -> float:
    """Over some of the training samples."""
    chosen = np.linspace(0, len(data.train_inputs[0]) - 1, min(len(data.train_inputs[0]), _JUDGED)).astype(int)
    answers = Training.predict(model, [array[chosen] for array in data.train_inputs])
    targets = [array[chosen] for array in (data.train_inputs if data.reconstructs else data.train_targets)]
    return sum(
        head.mean_loss(answer, target) for head, answer, target in zip(data.heads, answers, targets, strict=False)
    )


TECHNIQUE = Int4

"""Hashed sharing: which weights of a kernel are equal is drawn before they are trained, and stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from tinyedge.errors import ModelError
from tinyedge.tables import require_range
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.compress.forms import Hashed as Groups
from tinyedge.train.compress.kernels import Kernel, kernels_of
from tinyedge.train.compress.straight_through import StraightThrough, zeros_kept
from tinyedge.train.fit import Training
from tinyedge.train.layers import describe
from tinyedge.train.rewrite import fold_norms

_FEWEST_WEIGHTS = 512
"""of a kernel that is worth it"""
_DECODED = 16
"""different values that kernels of the runtime decode"""


@dataclass(frozen=True)
class Hashed(Technique):
    """The weights of each conv_2d and fully_connected of 512 weights or more are of `values` different ones.

    Which weights are equal is a matter of chance, so that nothing but the values has to be learnt. Batch normalization
    is folded into the weights before. `cluster`, which puts weights together that are alike, loses less.
    Source: Chen et al., "Compressing neural networks with the hashing trick" (2015)
    """

    name: ClassVar[str] = "hashed"
    changes: ClassVar[Changes] = "values"

    epochs: int
    """times that the training sees every sample while the weights are shared"""
    values: int = 16
    """different weights of a kernel; up to 16 are stored as indices of few bits, more save nothing in flash"""
    learning_rate: float = 0.002
    """the largest of this training"""
    seed: int = 0
    """of the groups"""

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 1)
        require_range("values", self.values, 2, 65536)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)
        require_range("seed", self.seed, 0, (1 << 32) - 1)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        model = fold_norms(model)
        kernels = _shared(model)
        if not kernels:
            raise ModelError(
                f"no kernel of the model has {_FEWEST_WEIGHTS} weights: sharing them would save nothing",
                hint="leave out the technique `hashed` in recipe.toml",
            )
        told = []
        if self.values > _DECODED:
            told.append(
                f"`hashed` leaves {self.values} different weights, which take a byte each in flash: it buys nothing on "
                f"a board above {_DECODED}"
            )
        if few := [describe(kernel.layer) for kernel in kernels if kernel.rows().size <= self.values]:
            told.append(f"`hashed` leaves {', '.join(few)}, which have no more weights than values, as they are")
        return model, tuple(told)

    def apply(self, model: Any, training: Training) -> Any:
        model = fold_norms(model)
        chosen = [kernel for kernel in _shared(model) if kernel.rows().size > self.values]
        names = {kernel.layer.name for kernel in chosen}
        forms = [
            (kernel, Groups.drawn(cast(tuple[int, int], kernel.rows().shape), self.values, self.seed + number))
            for number, kernel in enumerate(chosen)
        ]
        others = zeros_kept(kernel for kernel in kernels_of(model) if kernel.layer.name not in names)
        shared = StraightThrough([*forms, *others])
        training.fit(
            model, self.name, epochs=self.epochs, learning_rate=self.learning_rate, callbacks=[shared.callback()]
        )
        shared.finish()
        return model


def _shared(model: Any) -> list[Kernel]:
    return [
        kernel
        for kernel in kernels_of(model)
        if kernel.operator != "depthwise_conv_2d" and kernel.rows().size >= _FEWEST_WEIGHTS
    ]


TECHNIQUE = Hashed

"""Weight sharing: the weights of a convolution become a few values, so that an index of few bits stands for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tinyedge.errors import ModelError
from tinyedge.tables import require_range
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.compress.forms import Codebook, Form, has_zeros, with_zeros_of
from tinyedge.train.compress.kernels import Kernel, kernels_of
from tinyedge.train.compress.straight_through import StraightThrough, zeros_kept
from tinyedge.train.fit import Training
from tinyedge.train.layers import describe
from tinyedge.train.rewrite import fold_norms

_FEWEST_WEIGHTS = 512
"""a table of values costs as much as it saves below"""


@dataclass(frozen=True)
class Cluster(Technique):
    """Weights of each conv_2d become one of a few values, times a scale of its output channel.

    Batch normalization is folded into the weights before. depthwise_conv_2d, fully_connected and kernels of fewer than
    512 weights stay as they are: `int4` serves them better.
    Source: Han, Mao and Dally, "Deep compression" (2016)
    """

    name: ClassVar[str] = "cluster"
    changes: ClassVar[Changes] = "values"

    epochs: int
    """times that the training sees every sample while the weights are shared"""
    values: Literal[16, 8, 4] = 16
    """different weights of a layer: 4, 3 or 2 bits each"""
    learning_rate: float = 0.0005
    """the largest of this training"""

    def __post_init__(self) -> None:
        require_range("epochs", self.epochs, 1)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        model = fold_norms(model)
        if not (shared := _shared(model)):
            raise ModelError(
                f"no convolution of the model has {_FEWEST_WEIGHTS} weights: a table of values would save nothing",
                hint="leave out the technique `cluster`; `int4` halves dense layers as well",
            )
        left = [describe(kernel.layer) for kernel in kernels_of(model) if kernel.layer.name not in shared]
        told = f"`cluster` leaves {', '.join(left)} as they are: `int4` makes dense layers smaller"
        return model, ((told,) if left else ())

    def apply(self, model: Any, training: Training) -> Any:
        import tf_keras

        model = fold_norms(model)
        kernels = list(_shared(model).values())
        others = zeros_kept(kernel for kernel in kernels_of(model) if kernel.layer.name not in _shared(model))
        started = [kernel.rows() for kernel in kernels]

        def codebooks() -> list[tuple[Kernel, Form]]:
            forms: list[tuple[Kernel, Form]] = []
            for kernel, before in zip(kernels, started, strict=True):
                rows = kernel.rows() * (before != 0 if has_zeros(before) else 1)
                fitted = Codebook.fitted(rows, self.values, keep_zero=has_zeros(before))
                forms.append((kernel, with_zeros_of(before, fitted)))
            return [*forms, *others]

        shared = StraightThrough(codebooks())
        anew = tf_keras.callbacks.LambdaCallback(on_epoch_begin=lambda _epoch, _logs: shared.restrict(codebooks()))
        training.fit(
            model,
            self.name,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            callbacks=[anew, shared.callback()],
        )
        shared.restrict(codebooks())
        shared.finish()
        return model


def _shared(model: Any) -> dict[str, Kernel]:
    """The kernels whose weights are shared, by the names of their layers."""
    return {
        kernel.layer.name: kernel
        for kernel in kernels_of(model)
        if kernel.operator == "conv_2d" and kernel.rows().size >= _FEWEST_WEIGHTS
    }


TECHNIQUE = Cluster

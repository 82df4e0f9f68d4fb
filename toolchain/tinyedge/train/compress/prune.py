"""Pruning: the smallest weights of every kernel are set to zero, more and more of them, while the rest adapt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinyedge.errors import ModelError
from tinyedge.tables import require_range
from tinyedge.train.fit import Training

_RAMP = 0.5
"""share of the steps over which the sparsity grows; in the others the weights that are left settle"""
_UPDATE_EVERY_STEPS = 10


@dataclass(frozen=True)
class Prune:
    """Unstructured magnitude pruning with polynomial decay.

    Kernels of conv_2d and fully_connected reach `sparsity` each; kernels of depthwise_conv_2d are never pruned.
    Source: Zhu and Gupta, "To prune, or not to prune" (2017), as in TensorFlow Model Optimization.
    """

    name: ClassVar[str] = "prune"
    must_be_last: ClassVar[bool] = False

    sparsity: float
    """share of each kernel that ends as zero"""
    epochs: int
    learning_rate: float = 0.001

    def __post_init__(self) -> None:
        require_range("sparsity", self.sparsity, 0.01, 0.99)
        require_range("epochs", self.epochs, 1)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def apply(self, model: Any, training: Training) -> Any:
        import tensorflow_model_optimization as tfmot

        sparsity = tfmot.sparsity.keras
        # Below a few updates the ramp would end short of the target without a word.
        ramp = max(int(training.steps(self.epochs) * _RAMP), 1)
        schedule = sparsity.PolynomialDecay(
            initial_sparsity=0.0,
            final_sparsity=self.sparsity,
            begin_step=0,
            end_step=ramp,
            frequency=min(_UPDATE_EVERY_STEPS, ramp),
        )
        try:
            pruned = sparsity.prune_low_magnitude(model, pruning_schedule=schedule)
        except ValueError as error:
            raise ModelError(
                f"the model cannot be pruned: {error}", hint="leave out the technique `prune` in recipe.toml"
            ) from error
        training.fit(
            pruned,
            self.name,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            callbacks=[sparsity.UpdatePruningStep()],
        )
        return sparsity.strip_pruning(pruned)


TECHNIQUE = Prune

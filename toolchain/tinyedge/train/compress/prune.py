"""Pruning: the smallest weights of every kernel are set to zero, more and more of them, while the rest adapt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tinyedge.errors import ModelError
from tinyedge.tables import require_range
from tinyedge.train.fit import Training
from tinyedge.train.layers import describe, first_line
from tinyedge.train.rewrite import all_layers, custom_objects

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
    """times that the training sees every sample while weights go"""
    learning_rate: float = 0.001
    """the largest of this training"""

    def __post_init__(self) -> None:
        require_range("sparsity", self.sparsity, 0.01, 0.99)
        require_range("epochs", self.epochs, 1)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        left = [describe(layer) for layer in all_layers(model) if layer.trainable_weights and not _prunable(layer)]
        kernels = [
            layer for layer in all_layers(model) if any(len(weight.shape) > 1 for weight in layer.trainable_weights)
        ]
        if not any(_prunable(layer) for layer in kernels):
            raise ModelError(
                f"no layer of the model can be pruned, as {', '.join(left) or 'none has a kernel'}",
                hint="leave out the technique `prune` in recipe.toml",
            )
        pruned = self._wrap(model, 1)
        return _strip(pruned, model), ((f"`prune` leaves {', '.join(left)} as they are",) if left else ())

    def apply(self, model: Any, training: Training) -> Any:
        import tensorflow_model_optimization as tfmot

        # Below a few updates the ramp would end short of the target without a word.
        pruned = self._wrap(model, max(int(training.steps(self.epochs) * _RAMP), 1))
        training.fit(
            pruned,
            self.name,
            epochs=self.epochs,
            learning_rate=self.learning_rate,
            callbacks=[tfmot.sparsity.keras.UpdatePruningStep()],
        )
        return _strip(pruned, model)

    def _wrap(self, model: Any, ramp: int) -> Any:
        """The model with masks in it. Raises: ModelError."""
        import tensorflow_model_optimization as tfmot
        from tf_keras.utils import custom_object_scope

        class Supported(tfmot.sparsity.keras.PruningPolicy):  # type: ignore[misc]
            def allow_pruning(self, layer: Any) -> bool:
                return _prunable(layer)

            def ensure_model_supports_pruning(self, model: Any) -> None:
                pass

        schedule = tfmot.sparsity.keras.PolynomialDecay(
            initial_sparsity=0.0,
            final_sparsity=self.sparsity,
            begin_step=0,
            end_step=ramp,
            frequency=min(_UPDATE_EVERY_STEPS, ramp),
        )
        try:
            with custom_object_scope(custom_objects(model)):
                return tfmot.sparsity.keras.prune_low_magnitude(
                    model, pruning_schedule=schedule, pruning_policy=Supported()
                )
        except (ValueError, TypeError, NotImplementedError) as error:
            raise ModelError(
                f"the model cannot be pruned: {first_line(error)}",
                hint="leave out the technique `prune` in recipe.toml",
            ) from error


def _strip(pruned: Any, model: Any) -> Any:
    import tensorflow_model_optimization as tfmot
    from tf_keras.utils import custom_object_scope

    with custom_object_scope(custom_objects(model)):
        return tfmot.sparsity.keras.strip_pruning(pruned)


def _prunable(layer: Any) -> bool:
    """Whether the library knows which weights of a layer to prune."""
    from tensorflow_model_optimization.python.core.sparsity.keras import prunable_layer, prune_registry

    return isinstance(layer, prunable_layer.PrunableLayer) or bool(prune_registry.PruneRegistry.supports(layer))


TECHNIQUE = Prune

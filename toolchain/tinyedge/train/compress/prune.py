"""Pruning: the smallest weights of every kernel are set to zero, more and more of them, while the rest adapt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from tinyedge.errors import ModelError
from tinyedge.tables import require_range
from tinyedge.train.compress.contract import Changes, Technique
from tinyedge.train.compress.kernels import Kernel, kernels_of
from tinyedge.train.compress.masks import Masks, Pattern, parse_pattern
from tinyedge.train.fit import Training
from tinyedge.train.layers import describe, first_line, kind_of
from tinyedge.train.rewrite import Changes as Rebuilt
from tinyedge.train.rewrite import all_layers, custom_objects, rebuild

_RAMP = 0.5
"""share of the steps over which the sparsity grows; in the others the weights that are left settle"""
_UPDATE_EVERY_STEPS = 10


@dataclass(frozen=True)
class Prune(Technique):
    """Magnitude pruning: weights one by one, a number of each group, or blocks.

    Kernels of conv_2d and fully_connected reach `sparsity` each; kernels of depthwise_conv_2d are never pruned.
    Source: Zhu and Gupta, "To prune, or not to prune" (2017), as in TensorFlow Model Optimization.
    """

    name: ClassVar[str] = "prune"
    changes: ClassVar[Changes] = "zeros"

    sparsity: float
    """share of each kernel that ends as zero"""
    epochs: int
    """times that the training sees every sample while weights go"""
    learning_rate: float = 0.001
    """the largest of this training"""
    schedule: Literal["polynomial", "constant"] = "polynomial"
    """whether weights go little by little in the first half of the training, or at once"""
    pattern: str = "single"
    """which weights go together: `single`; `2:4` leaves 2 of 4 neighbouring input channels, as any n:m; `1x4` takes
    blocks of 1 output channel and 4 input channels, as any size of block"""

    def __post_init__(self) -> None:
        require_range("sparsity", self.sparsity, 0.01, 0.99)
        pattern = parse_pattern(self.pattern)
        if pattern is not None and pattern.sparsity not in (None, self.sparsity):
            raise ValueError(
                f"the pattern {self.pattern} makes a sparsity of {pattern.sparsity:g}, and `sparsity` is "
                f"{self.sparsity:g}"
            )
        require_range("epochs", self.epochs, 1)
        require_range("learning_rate", self.learning_rate, 1e-9, 10)

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        if (pattern := parse_pattern(self.pattern)) is not None:
            return model, self._notes_of(model, pattern)
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

        if (pattern := parse_pattern(self.pattern)) is not None:
            masks = Masks(
                [kernel for kernel in _patterned(model) if pattern.fits(kernel)],
                pattern,
                self.sparsity,
                steps=training.steps(1),
                ramp=int(training.steps(self.epochs) * _RAMP) if self.schedule == "polynomial" else 0,
            )
            training.fit(
                model, self.name, epochs=self.epochs, learning_rate=self.learning_rate, callbacks=[masks.callback()]
            )
            return model
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

    def _notes_of(self, model: Any, pattern: Pattern) -> tuple[str, ...]:
        """What is left as it is. Raises: ModelError when that is all."""
        kernels = _patterned(model)
        left = [describe(kernel.layer) for kernel in kernels if not pattern.fits(kernel)]
        if len(left) == len(kernels):
            raise ModelError(
                f"no layer of the model can be pruned by `{self.pattern}`: the channels of "
                f"{', '.join(left) or 'none'} are no multiples of it",
                hint='`pattern = "single"` prunes any kernel',
            )
        told = f"`prune` leaves {', '.join(left)}, whose channels are no multiples of `{self.pattern}`, as they are"
        return (told,) if left else ()

    def _wrap(self, model: Any, ramp: int) -> Any:
        """The model with masks in it. Raises: ModelError."""
        import tensorflow_model_optimization as tfmot
        from tf_keras.utils import custom_object_scope

        class Supported(tfmot.sparsity.keras.PruningPolicy):  # type: ignore[misc]
            def allow_pruning(self, layer: Any) -> bool:
                return _prunable(layer)

            def ensure_model_supports_pruning(self, model: Any) -> None:
                pass

        often = min(_UPDATE_EVERY_STEPS, ramp)
        schedule = tfmot.sparsity.keras.ConstantSparsity(self.sparsity, begin_step=0, frequency=often)
        if self.schedule == "polynomial":
            schedule = tfmot.sparsity.keras.PolynomialDecay(
                initial_sparsity=0.0, final_sparsity=self.sparsity, begin_step=0, end_step=ramp, frequency=often
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


def _patterned(model: Any) -> list[Kernel]:
    """Kernels that patterns apply to."""
    return [kernel for kernel in kernels_of(model) if kernel.operator != "depthwise_conv_2d"]


def _strip(pruned: Any, model: Any) -> Any:
    import tensorflow_model_optimization as tfmot
    from tf_keras.utils import custom_object_scope

    with custom_object_scope(custom_objects(model)):
        stripped = tfmot.sparsity.keras.strip_pruning(pruned)
        if not any(kind_of(layer) == "BatchNormalization" for layer in all_layers(stripped)):
            return stripped
        # Made anew: normalization is still read by the model with masks as well, and would not be folded.
        return rebuild(stripped, Rebuilt())


def _prunable(layer: Any) -> bool:
    """Whether the library knows which weights of a layer to prune."""
    from tensorflow_model_optimization.python.core.sparsity.keras import prunable_layer, prune_registry

    return isinstance(layer, prunable_layer.PrunableLayer) or bool(prune_registry.PruneRegistry.supports(layer))


TECHNIQUE = Prune

"""What a compression technique is to a recipe and to the training."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Protocol

from tinyedge.train.fit import Training

Changes = Literal["structure", "zeros", "values", "ranges"]
"""what a technique leaves behind, in the order in which techniques can follow each other: other layers or channels;
weights that are zero; weights of few values; ranges that activations are rounded in"""


class Technique(Protocol):
    """A frozen dataclass of settings (its fields are the keys of [[compress]]) that can be applied to a model."""

    name: ClassVar[str]
    """what recipes call it"""
    changes: ClassVar[Changes]

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        """(the untrained `model` as it will be when this was applied, what is to be said about it before it is).

        Raises: ModelError when the model is of a kind the technique cannot treat; UsageError when its settings make no
                sense for this model
        """
        ...

    def apply(self, model: Any, training: Training) -> Any:
        """A compressed Keras model; `model` may be changed by it.

        Raises: ModelError when the model is of a kind the technique cannot treat
        """
        ...

    def stored(self, tflite: bytes) -> bytes:
        """The converted model with weights in the form that this technique trained them for."""
        return tflite

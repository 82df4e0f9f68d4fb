"""What a compression technique is to a recipe and to the training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Protocol

from tinyedge.train.fit import Training
from tinyedge.train.matching import Matched

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

    def taught(self, data: Matched) -> Matched:
        """The data as the model that `apply` returned is trained further, and judged."""
        return data

    def stored(self, tflite: bytes, training: Training) -> bytes:
        """The converted model in the form that this technique trained it for."""
        return tflite


def stored_by_all(techniques: Sequence[Technique], tflite: bytes, training: Training) -> bytes:
    """The converted model in the form that all techniques trained it for: the last one's weights first, then what
    earlier ones did to the structure."""
    for technique in reversed(techniques):
        tflite = technique.stored(tflite, training)
    return tflite

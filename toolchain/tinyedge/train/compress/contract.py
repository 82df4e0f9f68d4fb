"""What a compression technique is to a recipe and to the training."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from tinyedge.train.fit import Training


class Technique(Protocol):
    """A frozen dataclass of settings (its fields are the keys of [[compress]]) that can be applied to a model."""

    name: ClassVar[str]
    """what recipes call it"""
    must_be_last: ClassVar[bool]
    """nothing can be applied to its result but the conversion"""

    def rehearse(self, model: Any) -> tuple[Any, tuple[str, ...]]:
        """(the untrained `model` as it will be when this was applied, what is to be said about it before it is).

        Raises: ModelError when the model is of a kind the technique cannot treat
        """
        ...

    def apply(self, model: Any, training: Training) -> Any:
        """A compressed Keras model; `model` may be changed by it.

        Raises: ModelError when the model is of a kind the technique cannot treat
        """
        ...

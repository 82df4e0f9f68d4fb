"""A CNN of three convolutions that sees an 8x8 image as 4x4, then 2x2, then one vector."""

from __future__ import annotations

from typing import Any


def build() -> Any:
    """An untrained tf_keras model: float32 [8, 8, 1] -> probabilities [10]."""
    from tf_keras import Input, Sequential, layers

    return Sequential(
        [
            Input((8, 8, 1)),
            layers.Conv2D(24, 3, padding="same", activation="relu", name="conv_1"),
            layers.MaxPooling2D(name="pool_1"),
            layers.Conv2D(32, 3, padding="same", activation="relu", name="conv_2"),
            layers.MaxPooling2D(name="pool_2"),
            layers.Conv2D(48, 2, activation="relu", name="conv_3"),
            layers.Flatten(name="flatten"),
            layers.Dense(10, activation="softmax", name="classes"),
        ]
    )

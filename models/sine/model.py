"""Three fully connected layers, the network of TensorFlow Lite Micro's hello world."""

from __future__ import annotations

from typing import Any


def build() -> Any:
    """An untrained tf_keras model: an angle, float32 [1] -> its sine [1]."""
    from tf_keras import Input, Sequential, layers

    return Sequential(
        [
            Input((1,)),
            layers.Dense(16, activation="relu", name="hidden_1"),
            layers.Dense(16, activation="relu", name="hidden_2"),
            layers.Dense(1, name="sine"),
        ]
    )

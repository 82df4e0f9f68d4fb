"""An autoencoder: 18 statistics through 6 values and back."""

from __future__ import annotations

from typing import Any


def build() -> Any:
    """An untrained tf_keras model: float32 [18] -> the same again."""
    from tf_keras import Input, Model, layers

    statistics = x = Input((18,))
    for number, units in enumerate((16, 6, 16), 1):
        x = layers.Dense(units, activation="relu", name=f"dense_{number}")(x)
    return Model(statistics, layers.Dense(18, name="again")(x))

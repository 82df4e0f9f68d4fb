"""The autoencoder of MLPerf Tiny: 640 values through eight and back.

Source: https://github.com/mlcommons/tiny, benchmark/training/anomaly_detection/keras_model.py
"""

from __future__ import annotations

from typing import Any


def build() -> Any:
    """An untrained tf_keras model: five frames of log-mel, float32 [640] -> the same again."""
    from tf_keras import Input, Model, layers

    sound = x = Input((640,))
    for number, units in enumerate((128, 128, 128, 128, 8, 128, 128, 128, 128), 1):
        x = layers.Dense(units, activation="relu", name=f"dense_{number}")(x)
    return Model(sound, layers.Dense(640, name="again")(x))

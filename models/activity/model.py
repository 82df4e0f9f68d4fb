"""Four convolutions along time that halve it each time, then an average over what is left."""

from __future__ import annotations

from typing import Any


def build() -> Any:
    """An untrained tf_keras model: 3 s of six axes, float32 [150, 1, 6] -> probabilities [7]."""
    from tf_keras import Input, Model, layers

    motion = x = Input((150, 1, 6))
    for number, (channels, length) in enumerate(((16, 5), (24, 5), (32, 5), (48, 3)), 1):
        name = f"conv_{number}"
        x = layers.Conv2D(channels, (length, 1), strides=(2, 1), padding="same", use_bias=False, name=name)(x)
        x = layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x))
    x = layers.Dropout(0.3, name="dropout")(layers.GlobalAveragePooling2D(name="average")(x))
    return Model(motion, layers.Dense(7, activation="softmax", name="exercise")(x))

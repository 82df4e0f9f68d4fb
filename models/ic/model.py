"""ResNet-8 of MLPerf Tiny: three stages of two convolutions, each with a way round.

Source: https://github.com/mlcommons/tiny, benchmark/training/image_classification/keras_model.py
"""

from __future__ import annotations

from typing import Any


def build() -> Any:
    """An untrained tf_keras model: float32 [32, 32, 3] -> probabilities [10]."""
    from tf_keras import Input, Model, layers

    image = Input((32, 32, 3))
    x = layers.ReLU(name="relu")(_convolution(image, 16, 3, 1, "conv"))
    for number, (channels, stride) in enumerate(((16, 1), (32, 2), (64, 2)), 1):
        name = f"stage_{number}"
        y = layers.ReLU(name=f"{name}_relu")(_convolution(x, channels, 3, stride, f"{name}_conv_1"))
        y = _convolution(y, channels, 3, 1, f"{name}_conv_2")
        if stride > 1:
            x = layers.Conv2D(channels, 1, strides=stride, padding="same", name=f"{name}_way")(x)
        x = layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_add")([x, y]))
    x = layers.Flatten(name="flatten")(layers.AveragePooling2D(8, name="average")(x))
    return Model(image, layers.Dense(10, activation="softmax", name="classes")(x))


def _convolution(x: Any, channels: int, size: int, stride: int, name: str) -> Any:
    from tf_keras import layers

    x = layers.Conv2D(channels, size, strides=stride, padding="same", name=name)(x)
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)

"""Four convolutions that halve the image twice at their beginning, then an average over all places."""

from __future__ import annotations

from typing import Any


def build() -> Any:
    """An untrained tf_keras model: float32 [28, 28, 1] -> probabilities [10]."""
    from tf_keras import Input, Model, layers

    image = Input((28, 28, 1))
    x = _convolution(image, 24, 3, 2, "conv_1")
    x = _convolution(x, 32, 3, 2, "conv_2")
    x = _convolution(x, 52, 3, 1, "conv_3")
    x = _convolution(x, 60, 1, 1, "conv_4")
    x = layers.GlobalAveragePooling2D(name="average")(x)
    return Model(image, layers.Dense(10, activation="softmax", name="classes")(x))


def _convolution(x: Any, channels: int, size: int, stride: int, name: str) -> Any:
    from tf_keras import layers

    x = layers.Conv2D(channels, size, strides=stride, padding="same", use_bias=False, name=name)(x)
    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x))

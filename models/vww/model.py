"""MobileNetV1 of MLPerf Tiny, a quarter of the channels: thirteen depthwise-separable convolutions.

Source: https://github.com/mlcommons/tiny, benchmark/training/visual_wake_words/vww_model.py
"""

from __future__ import annotations

from typing import Any

_BLOCKS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *((128, 1),) * 5, (256, 2), (256, 1))
"""(channels, stride) of each"""


def build() -> Any:
    """An untrained tf_keras model: float32 [96, 96, 3] -> probabilities [2]."""
    from tf_keras import Input, Model, layers

    image = Input((96, 96, 3))
    x = _normalized(layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="conv")(image), "conv")
    for number, (channels, stride) in enumerate(_BLOCKS, 1):
        name = f"depthwise_{number}"
        x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=name)(x)
        x = _normalized(x, name)
        name = f"pointwise_{number}"
        x = _normalized(layers.Conv2D(channels, 1, padding="same", use_bias=False, name=name)(x), name)
    x = layers.Flatten(name="flatten")(layers.AveragePooling2D(3, name="average")(x))
    return Model(image, layers.Dense(2, activation="softmax", name="classes")(x))


def _normalized(x: Any, name: str) -> Any:
    from tf_keras import layers

    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x))

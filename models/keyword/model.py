"""A convolution that halves both axes, then four depthwise-separable ones, then an average over all places."""

from __future__ import annotations

from typing import Any

_BLOCKS = ((32, 2), (48, 1), (64, 2), (64, 1))
"""(channels, stride) of each"""


def build() -> Any:
    """An untrained tf_keras model: a log-mel spectrogram, float32 [61, 40, 1] -> probabilities [10]."""
    from tf_keras import Input, Model, layers

    sound = Input((61, 40, 1))
    x = layers.Conv2D(24, 3, strides=2, padding="same", use_bias=False, name="conv")(sound)
    x = _normalized(x, "conv")
    for number, (channels, stride) in enumerate(_BLOCKS, 1):
        name = f"depthwise_{number}"
        x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False, name=name)(x)
        x = _normalized(x, name)
        name = f"pointwise_{number}"
        x = _normalized(layers.Conv2D(channels, 1, padding="same", use_bias=False, name=name)(x), name)
    x = layers.Dropout(0.2, name="dropout")(layers.GlobalAveragePooling2D(name="average")(x))
    return Model(sound, layers.Dense(10, activation="softmax", name="digit")(x))


def _normalized(x: Any, name: str) -> Any:
    from tf_keras import layers

    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x))

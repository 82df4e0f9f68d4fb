"""What is loud enough, by the loudest; then convolutions, most of them depthwise-separable; then an average."""

from __future__ import annotations

from typing import Any

_BLOCKS = ((32, 2), (48, 1), (64, 2), (64, 1))
"""(channels, stride) of each"""
_RANGE = 15.0
"""of loudness that counts, below the loudest band of the second: 2.5 for each factor of e, so 52 dB. By it, soft and
loud voices look alike, and what is softer does not tell how long a clip was"""


def build() -> Any:
    """An untrained tf_keras model: the features `log_mel`, float32 [61, 40] -> probabilities [10]."""
    from tf_keras import Input, Model, layers

    sound = Input((61, 40))
    x = layers.Reshape((61, 40, 1), name="sound")(sound)
    loudest = layers.GlobalMaxPooling2D(keepdims=True, name="loudest")(x)
    floor = layers.Rescaling(1.0, -_RANGE, name="floor")(loudest)
    x = layers.ReLU(name="above_floor")(layers.Subtract(name="loudness")([x, floor]))
    x = layers.Conv2D(24, 3, strides=2, padding="same", use_bias=False, name="conv")(x)
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

"""The DS-CNN of MLPerf Tiny: a convolution, four depthwise-separable ones, an average.

Source: https://github.com/mlcommons/tiny, benchmark/training/keyword_spotting/keras_model.py
"""

from __future__ import annotations

from typing import Any


def build() -> Any:
    """An untrained tf_keras model: MFCC, float32 [49, 10, 1] -> probabilities [12]."""
    from tf_keras import Input, Model, layers

    sound = Input((49, 10, 1))
    x = layers.Conv2D(64, (10, 4), strides=2, padding="same", use_bias=False, name="conv")(sound)
    x = layers.Dropout(0.2, name="dropout_1")(_normalized(x, "conv"))
    for number in range(1, 5):
        name = f"depthwise_{number}"
        x = _normalized(layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=name)(x), name)
        name = f"pointwise_{number}"
        x = _normalized(layers.Conv2D(64, 1, padding="same", use_bias=False, name=name)(x), name)
    x = layers.AveragePooling2D((25, 5), name="average")(layers.Dropout(0.4, name="dropout_2")(x))
    return Model(sound, layers.Dense(12, activation="softmax", name="words")(layers.Flatten(name="flatten")(x)))


def _normalized(x: Any, name: str) -> Any:
    from tf_keras import layers

    return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x))

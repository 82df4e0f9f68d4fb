"""Small networks of one Keras, trained on load_digits and saved: `python -m benchmarks.source_networks 3 FOLDER`.

FOLDER gets NAME.keras for each network; of Keras 3 also NAME.tflite, in float, and NAME.onnx with the same weights.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np

NAMES = ("dense", "cnn", "ds_cnn", "residual", "inverted", "conv1d", "lstm", "gru", "attention")
SEQUENCES = ("conv1d", "lstm", "gru", "attention")
"""networks that take the eight rows of a digit one after the other"""
_EPOCHS = 12


def digits() -> dict[str, Any]:
    """load_digits in [-1, 1]: 1,347 samples to train with, 450 to test."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 8, 8, 1) / 8 - 1).astype(np.float32)
    order = np.random.default_rng(1).permutation(len(images))
    train, test = order[450:], order[:450]
    return {"x": images[train], "y": labels[train], "test_x": images[test], "test_y": labels[test]}


def build(keras: Any, name: str) -> Any:
    """An untrained network of Keras 2 or 3."""
    layers = keras.layers
    x = keras.Input((8, 8) if name in SEQUENCES else (8, 8, 1))
    y = _BODIES[name](layers, x)
    return keras.Model(x, layers.Dense(10, activation="softmax")(y))


def _conv(
    layers: Any, y: Any, filters: int, size: int = 3, *, strides: int = 1, activation: str | None = "relu"
) -> Any:
    y = layers.Conv2D(filters, size, strides=strides, padding="same", use_bias=False)(y)
    y = layers.BatchNormalization(momentum=0.9)(y)
    return layers.Activation(activation)(y) if activation else y


def _depthwise(layers: Any, y: Any) -> Any:
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(y)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))


def _dense(layers: Any, x: Any) -> Any:
    return layers.Dense(32, activation="relu")(layers.Flatten()(x))


def _cnn(layers: Any, x: Any) -> Any:
    y = layers.MaxPooling2D()(layers.Conv2D(8, 3, padding="same", activation="relu")(x))
    y = layers.MaxPooling2D()(layers.Conv2D(16, 3, padding="same", activation="relu")(y))
    return layers.Flatten()(y)


def _ds_cnn(layers: Any, x: Any) -> Any:
    y = _conv(layers, x, 16, strides=2)
    for _ in range(2):
        y = _conv(layers, _depthwise(layers, y), 16, 1)
    return layers.GlobalAveragePooling2D()(y)


def _residual(layers: Any, x: Any) -> Any:
    y = _conv(layers, x, 16, strides=2)
    z = _conv(layers, _conv(layers, y, 16), 16, activation=None)
    return layers.GlobalAveragePooling2D()(layers.ReLU()(layers.Add()([y, z])))


def _inverted(layers: Any, x: Any) -> Any:
    y = _conv(layers, x, 16, strides=2)
    z = _conv(layers, _depthwise(layers, _conv(layers, y, 32, 1)), 16, 1, activation=None)
    return layers.GlobalAveragePooling2D()(layers.Add()([y, z]))


def _conv1d(layers: Any, x: Any) -> Any:
    y = layers.Conv1D(16, 3, padding="same", activation="relu")(x)
    return layers.GlobalAveragePooling1D()(layers.Conv1D(24, 3, padding="same", activation="relu")(y))


def _attention(layers: Any, x: Any) -> Any:
    y = layers.Dense(16)(x)
    y = layers.Add()([y, layers.MultiHeadAttention(2, 8)(y, y)])
    return layers.Flatten()(layers.Dense(16, activation="relu")(y))


_BODIES: dict[str, Any] = {
    "dense": _dense,
    "cnn": _cnn,
    "ds_cnn": _ds_cnn,
    "residual": _residual,
    "inverted": _inverted,
    "conv1d": _conv1d,
    "lstm": lambda layers, x: layers.LSTM(16)(x),
    "gru": lambda layers, x: layers.GRU(16)(x),
    "attention": _attention,
}


def main(version: int, folder: Path) -> None:
    os.environ["KERAS_BACKEND"] = "tensorflow"
    data = digits()
    if version == 3:
        import keras
    else:
        import tf_keras as keras
    for name in NAMES:
        keras.utils.set_random_seed(1)
        model = build(keras, name)
        model.compile(optimizer=keras.optimizers.Adam(4e-3), loss="sparse_categorical_crossentropy")
        shape = (8, 8) if name in SEQUENCES else (8, 8, 1)
        model.fit(data["x"].reshape(-1, *shape), data["y"], batch_size=32, epochs=_EPOCHS, verbose=0)
        model.save(folder / f"{name}.keras")
        if version == 3:
            from benchmarks.source_onnx import write_onnx

            model.export(str(folder / f"{name}.tflite"), format="litert", verbose=False)
            write_onnx(model, folder / f"{name}.onnx")


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))

"""Tiny recipes for tests: seconds of training, all techniques."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

RECIPE = """\
summary = "two clouds of points"
task = "classification"
seed = 3
optimize = "size"

[data]
points = 256

[fit]
epochs = 2
batch_size = 32
learning_rate = 0.01

[[compress]]
technique = "prune"
sparsity = 0.5
epochs = 4
learning_rate = 0.01

[[compress]]
technique = "quantize_aware"
epochs = 1

[convert]
representative_samples = 50
"""

MODEL = """\
def build():
    from tf_keras import Input, Sequential, layers

    return Sequential(
        [
            Input((4, 4, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu", name="conv"),
            layers.Flatten(name="flatten"),
            layers.Dense(2, activation="softmax", name="classes"),
        ]
    )
"""

DATA = """\
import numpy as np

from tinyedge.train.splits import Splits


def load(points):
    random = np.random.default_rng(7)
    classes = random.integers(0, 2, points)
    images = random.normal(0, 0.3, (points, 4, 4, 1)).astype(np.float32)
    images[:, :2] += classes[:, None, None, None]
    half = points // 2
    return Splits(images[:half], classes[:half], images[half:], classes[half:])
"""


def write_recipe(folder: Path, *, recipe: str = RECIPE, model: str = MODEL, data: str = DATA) -> Path:
    """A model folder with these files. Returns `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("recipe.toml", recipe), ("model.py", model), ("data.py", data)):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def tensorflow_is_missing() -> bool:
    """Whether the extra `train` is not installed, found without importing TensorFlow."""
    return importlib.util.find_spec("tensorflow_model_optimization") is None


needs_tensorflow = pytest.mark.skipif(
    tensorflow_is_missing(), reason="TensorFlow is missing: the extra `train` brings it"
)

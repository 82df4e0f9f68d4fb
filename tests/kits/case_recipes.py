"""Small recipes as people write them: labels in every form, several inputs and outputs, layers of every kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kits.recipes import write_recipe

_RECIPE = """\
task = {task}

[fit]
epochs = {epochs}
batch_size = 16
learning_rate = 0.01
{compress}
[convert]
representative_samples = 50
"""
_AWARE = """
[[compress]]
technique = "quantize_aware"
epochs = 1
"""
_IMPORTS = """\
import numpy as np
import tensorflow as tf
from tf_keras import Input, Model, Sequential
from tf_keras import layers as L


def build():
"""
_STRIPES = """\
import numpy as np

from tinyedge.train.splits import Splits


def load():
    random = np.random.default_rng(0)
    y = random.integers(0, {classes}, 80)
    x = random.uniform(0, 0.3, (80, 12, 12, 1)).astype(np.float32)
    for image, stripe in zip(x, y):
        image[:, stripe * 3 : stripe * 3 + 3] += 0.7
    labels = {labels}
    return Splits(x[:60], labels[:60], x[60:], labels[60:])
"""
_WAVES = """\
import numpy as np

from tinyedge.train.splits import Splits


def load():
    random = np.random.default_rng(0)
    y = random.integers(0, 4, 80)
    t = np.arange(50) / 50
    waves = [np.stack([np.sin(2 * np.pi * (k + 1) * t), np.cos(2 * np.pi * (k + 1) * t), t * k], -1) for k in y]
    x = (np.stack(waves) + random.normal(0, 0.1, (80, 50, 3))).astype(np.float32)
    z = np.eye(4, dtype=np.float32)[y]
    size = (y * 0.25).astype(np.float32)
    train = {train}
    test = {test}
    return Splits(*train, *test)
"""
_CNN = """    return Sequential([Input((12, 12, 1)), L.Conv2D(6, 3, activation="relu"), L.Flatten(), {head}])
"""


@dataclass(frozen=True)
class Case:
    """The body of `build`, the text of data.py, and what recipe.toml says."""

    model: str
    data: str
    task: str = '"classification"'
    epochs: int = 1
    compress: str = ""

    def write(self, folder: Path) -> Path:
        recipe = _RECIPE.format(task=self.task, epochs=self.epochs, compress=self.compress)
        return write_recipe(folder, recipe=recipe, model=_IMPORTS + self.model, data=self.data)


def _stripes(labels: str, classes: int = 3) -> str:
    return _STRIPES.format(labels=labels, classes=classes)


def _waves(inputs: str, targets: str) -> str:
    """Of what one sample has, as text with [] where it is sliced."""
    train, test = (f"({inputs}, {targets})".replace("[]", part) for part in ("[:60]", "[60:]"))
    return _WAVES.format(train=train, test=test)


_SOFTMAX = 'L.Dense(3, activation="softmax")'
_HEADS = """    waves = Input((50, 3))
    x = L.GlobalMaxPooling1D()(L.Conv1D(8, 5, activation="relu")(waves))
    return Model(waves, [L.Dense(4, activation="softmax", name="kind")(x), L.Dense(1, name="size")(x)])
"""
CASES: Mapping[str, Case] = {
    "labels_column": Case(_CNN.format(head=_SOFTMAX), _stripes("y[:, None]")),
    "one_hot": Case(_CNN.format(head=_SOFTMAX), _stripes("np.eye(3, dtype=np.float32)[y]")),
    "sigmoid": Case(_CNN.format(head='L.Dense(1, activation="sigmoid")'), _stripes("y", classes=2), epochs=3),
    "per_pixel": Case(
        """    image = Input((12, 12, 1))
    x = L.Conv2D(4, 3, padding="same", activation="relu")(image)
    return Model(image, L.Conv2D(2, 1, activation="softmax")(x))
""",
        _stripes("(x[..., 0] > 0.5).astype(int)"),
        epochs=10,
    ),
    "two_heads": Case(_HEADS, _waves("x[]", "(y[], size[])"), task='["classification", "regression"]', epochs=60),
    "two_kinds": Case(
        """    waves = Input((50, 3))
    x = L.GlobalMaxPooling1D()(L.Conv1D(8, 5, activation="relu")(waves))
    kind, big = L.Dense(4, activation="softmax", name="kind")(x), L.Dense(1, activation="sigmoid", name="big")(x)
    return Model(waves, [L.Dense(1, name="size")(x), kind, big])
""",
        _waves("x[]", "(size[], y[], (y > 1)[])"),
        task='["regression", "classification", "classification"]',
        epochs=40,
    ),
    "a_head_without_targets": Case(_HEADS, _waves("x[]", "y[]")),
    "two_inputs": Case(
        """    waves, hint = Input((50, 3), name="waves"), Input((4,), name="hint")
    x = L.Concatenate()([L.GlobalAveragePooling1D()(waves), hint])
    return Model([waves, hint], [L.Dense(4, activation="softmax", name="kind")(x), L.Dense(1, name="size")(x)])
""",
        _waves("(x[], z[])", '{"size": size[], "kind": y[]}'),
        task='["classification", "regression"]',
        epochs=100,
    ),
    "one_array_for_two_inputs": Case(
        """    waves, hint = Input((50, 3)), Input((4,))
    x = L.Concatenate()([L.GlobalAveragePooling1D()(waves), hint])
    return Model([waves, hint], L.Dense(4, activation="softmax")(x))
""",
        _waves("x[]", "y[]"),
    ),
    "tokens": Case(
        """    words = Input((6,), dtype="int32")
    return Model(words, L.Dense(4, activation="softmax")(L.GlobalAveragePooling1D()(L.Embedding(8, 4)(words))))
""",
        _waves("((y[:, None] + np.arange(6) % 2) % 8)[]", "y[]"),
        epochs=60,
    ),
    "aware_conv1d": Case(
        """    return Sequential([Input((50, 3)), L.Conv1D(8, 5, activation="relu"), L.MaxPooling1D(2),
        L.Conv1D(12, 3, activation="relu"), L.GlobalAveragePooling1D(), L.Dropout(0.2),
        L.Dense(4, activation="softmax")])
""",
        _waves("x[]", "y[]"),
        epochs=30,
        compress=_AWARE,
    ),
    "aware_nested": Case(
        """    inner = Sequential([Input((12, 12, 1)), L.Conv2D(6, 3, activation="relu"), L.BatchNormalization()])
    image = Input((12, 12, 1))
    return Model(image, L.Dense(3, activation="softmax")(L.Flatten()(inner(image))))
""",
        _stripes("y"),
        epochs=3,
        compress=_AWARE,
    ),
    "aware_rescaling": Case(
        """    image = Input((12, 12, 1))
    x = L.RandomFlip("vertical")(L.Rescaling(2.0, -1.0)(image))
    return Model(image, L.Dense(3, activation="softmax")(L.Flatten()(L.Conv2D(6, 3, activation="relu")(x))))
""",
        _stripes("y"),
        epochs=3,
        compress=_AWARE,
    ),
    "aware_custom": Case(
        """    class Scale(L.Layer):
        def build(self, shape):
            self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")

        def call(self, x):
            return x * self.scale

    image = Input((12, 12, 1))
    x = L.ReLU()(Scale()(L.Conv2D(6, 3)(image)))
    return Model(image, L.Dense(3, activation="softmax")(L.Flatten()(x)))
""",
        _stripes("y"),
        epochs=3,
        compress=_AWARE,
    ),
    "not_finite": Case(
        """    image = Input((12, 12, 1))
    x = L.Lambda(lambda t: tf.math.log(t), name="logarithm")(L.Dense(4)(L.Flatten()(image)))
    return Model(image, L.Dense(1)(x))
""",
        _stripes("y.astype(np.float32)"),
        task='"regression"',
    ),
    "gru": Case(
        """    return Sequential([Input((50, 3)), L.GRU(8), L.Dense(4, activation="softmax")])
""",
        _waves("x[]", "y[]"),
    ),
    "gru_unrolled": Case(
        """    return Sequential([Input((10, 3)), L.GRU(8, unroll=True), L.Dense(4, activation="softmax")])
""",
        _waves("x[:, ::5][]", "y[]"),
        epochs=60,
    ),
    "no_such_operator": Case(
        """    return Sequential([Input((12, 12, 1)), L.Lambda(lambda t: tf.linalg.det(t[..., 0])[:, None]), """
        """L.Dense(3, activation="softmax")])
""",
        _stripes("y"),
    ),
}

"""What can be read off the layers of a Keras model, and found out by putting values through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

_BATCH = 256


def inbound_layers(layer: Any) -> list[Any]:
    """The layers whose outputs a layer was first called on."""
    import tensorflow as tf

    return list(tf.nest.flatten(layer._inbound_nodes[0].inbound_layers)) if layer._inbound_nodes else []


def kind_of(layer: Any) -> str:
    """The class of a layer, as a person wrote it."""
    return type(layer).__name__


def activation_name(layer: Any) -> str:
    """What the activation of a layer is called; empty when it has none.

    >>> class Dense: activation = len
    >>> activation_name(Dense()), activation_name(object())
    ('len', '')
    """
    activation = getattr(layer, "activation", None)
    return "" if activation is None else str(getattr(activation, "__name__", type(activation).__name__))


def describe(layer: Any) -> str:
    """A layer in a list of them.

    >>> class Conv1D: name = "conv"
    >>> describe(Conv1D())
    '`conv` (Conv1D)'
    """
    return f"`{layer.name}` ({kind_of(layer)})"


def first_line(error: BaseException) -> str:
    """What an error of a library says first.

    >>> first_line(ValueError("no\\nnever"))
    'no'
    """
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


def find_unfinite(model: Any, inputs: Sequence[Any]) -> tuple[str, int]:
    """(the first layer whose outputs are not finite, for how many samples); ("", 0) when all layers' are finite."""
    import tensorflow as tf
    from tf_keras import Model

    layers = [layer for layer in model.layers if layer._inbound_nodes]
    probe = Model(model.inputs, [_output(model, layer) for layer in layers])
    counts = np.zeros(len(layers), int)
    for start in range(0, len(inputs[0]), _BATCH):
        batch = [array[start : start + _BATCH] for array in inputs]
        for place, values in enumerate(tf.nest.flatten(probe(batch, training=False))):
            array = np.asarray(values)
            if array.dtype.kind == "f":
                counts[place] += int((~np.isfinite(array).reshape(len(array), -1).all(axis=1)).sum())
    return next(((layer.name, int(count)) for layer, count in zip(layers, counts, strict=True) if count), ("", 0))


def _output(model: Any, layer: Any) -> Any:
    """The first output of a layer within `model`, which may share it with another model."""
    import tensorflow as tf

    nodes = [node for depth in model._nodes_by_depth.values() for node in depth if node.layer is layer]
    return tf.nest.flatten(nodes[0].outputs)[0]

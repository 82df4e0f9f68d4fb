"""Low-rank adapters: the kernel of a layer plus a product of two thin matrices, which alone are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyedge.train.layers import kind_of
from tinyedge.train.rewrite import Changes, all_layers, rebuild

_SPREAD = 0.02
"""of the first matrix at the start; the second is 0, so that nothing changes at first"""


def adapted(model: Any, rank: int) -> tuple[Any, list[Any]]:
    """(an equal model whose dense layers and convolutions have adapters of this rank, these layers).

    A layer whose kernel has no two axes larger than the rank keeps its own form.
    """
    chosen = [layer for layer in all_layers(model) if _takes_adapter(layer, rank)]
    made = [adapter_layer(layer, rank) for layer in chosen]
    replaced: dict[int, Sequence[Any]] = {id(old): [new] for old, new in zip(chosen, made, strict=True)}
    return rebuild(model, Changes(replaced=replaced)), made


def merged(model: Any, taught: Any) -> Any:
    """The model with the weights that `taught`, made of it by `adapted`, has after training."""
    weights = {}
    for layer in all_layers(model):
        new = taught.get_layer(layer.name)
        weights[id(layer)] = new.merged_weights() if hasattr(new, "merged_weights") else new.get_weights()
    return rebuild(model, Changes(weights=weights))


def _takes_adapter(layer: Any, rank: int) -> bool:
    if kind_of(layer) not in ("Dense", "Conv2D") or getattr(layer, "groups", 1) != 1:
        return False
    kernel = layer.get_weights()[0]
    return bool(min(kernel.size // kernel.shape[-1], kernel.shape[-1]) > rank)


def adapter_layer(layer: Any, rank: int) -> Any:
    """A layer that computes what `layer` does, with an adapter of its kernel."""
    import tensorflow as tf
    from tf_keras import initializers, layers

    values = layer.get_weights()
    config = layer.get_config()
    rows, outputs = values[0].size // values[0].shape[-1], values[0].shape[-1]

    class Adapted(layers.Layer):  # type: ignore[misc]
        """Kernel, adapter, bias, activation."""

        def __init__(self) -> None:
            super().__init__(name=layer.name)
            constant = initializers.Constant
            self.kernel = self.add_weight(
                f"{layer.name}/kernel", values[0].shape, initializer=constant(values[0]), trainable=False
            )
            self.down = self.add_weight(
                f"{layer.name}/down", (rows, rank), initializer=initializers.RandomNormal(0, _SPREAD, seed=0)
            )
            self.up = self.add_weight(f"{layer.name}/up", (rank, outputs), initializer="zeros")
            self.bias = (
                self.add_weight(f"{layer.name}/bias", (outputs,), initializer=constant(values[1]))
                if values[1:]
                else None
            )
            self.activation = layer.activation

        def whole_kernel(self) -> Any:
            return self.kernel + tf.reshape(self.down @ self.up, self.kernel.shape)

        def call(self, inputs: Any) -> Any:
            if len(values[0].shape) == 2:
                found = tf.matmul(inputs, self.whole_kernel())
            else:
                found = tf.nn.conv2d(
                    inputs,
                    self.whole_kernel(),
                    config["strides"],
                    config["padding"].upper(),
                    dilations=config["dilation_rate"],
                )
            return self.activation(found if self.bias is None else found + self.bias)

        def merged_weights(self) -> list[Any]:
            """Of the layer that this one took the place of."""
            kernel = np.asarray(self.whole_kernel())
            return [kernel] if self.bias is None else [kernel, np.asarray(self.bias)]

    return Adapted()

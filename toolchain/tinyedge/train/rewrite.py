"""Keras models rebuilt so that compression sees every layer: nested models opened, separate ReLUs taken in.

The layers are new, of the same settings, names and weights; the model that was given stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinyedge.errors import ModelError
from tinyedge.train.layers import activation_name, describe, kind_of

WEIGHTED = frozenset({"Conv1D", "Conv2D", "DepthwiseConv2D", "Dense", "Conv2DTranspose"})
"""layers with a kernel, which can take an activation in"""


def flatten_model(model: Any) -> Any:
    """An equal model without nested models, in which no plain ReLU stands apart behind a layer with a kernel.

    The same object when there is nothing to change.

    Raises: ModelError when a layer cannot be made anew from its settings
    """
    from tf_keras import Model

    taken_in = _separate_relus(model)
    if not taken_in and not any(isinstance(layer, Model) for layer in model.layers):
        return model
    rebuilt = _Rebuilt(taken_in)
    inputs = [rebuilt.clone(tensor._keras_history.layer, "").output for tensor in model.inputs]
    flat = Model(inputs, rebuilt.run(model, inputs, ""))
    for new, old in rebuilt.pairs:
        new.set_weights(old.get_weights())
    return flat


def custom_objects(model: Any) -> dict[str, Any]:
    """The classes of a model's layers that are not Keras' own, by name, as needed to make them anew."""
    return {
        kind_of(layer): type(layer)
        for layer in all_layers(model)
        if not type(layer).__module__.startswith(("tf_keras.", "keras."))
    }


def all_layers(model: Any) -> Iterator[Any]:
    """The layers of a model and of the models nested in it."""
    from tf_keras import Model

    for layer in model.layers:
        if isinstance(layer, Model):
            yield from all_layers(layer)
        else:
            yield layer


class _Always:
    """A tensor for as many readers as there are: what Keras maps the arguments of a layer by."""

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor

    def pop(self) -> Any:
        return self._tensor


class _Rebuilt:
    """The layers made anew so far; `taken_in` are ids of ReLUs that the layer before them does."""

    def __init__(self, taken_in: dict[int, int]) -> None:
        self._relus = set(taken_in)
        self._fused = set(taken_in.values())
        self._clones: dict[int, Any] = {}
        self._names: set[str] = set()
        self.pairs: list[tuple[Any, Any]] = []

    def clone(self, layer: Any, prefix: str) -> Any:
        """The new layer of an old one: always the same, so that a shared layer stays shared."""
        if id(layer) not in self._clones:
            name = layer.name if layer.name not in self._names else f"{prefix}{layer.name}"
            while name in self._names:
                name += "_"
            self._names.add(name)
            config = {**_config(layer), "name": name}
            if id(layer) in self._fused:
                config["activation"] = "relu"
            new = type(layer).from_config(config)
            self._clones[id(layer)] = new
            self.pairs.append((new, layer))
        return self._clones[id(layer)]

    def run(self, model: Any, inputs: list[Any], prefix: str) -> Any:
        """The outputs of `model` computed by new layers from `inputs`."""
        import tensorflow as tf
        from tf_keras import Model

        tensors = {str(id(old)): _Always(new) for old, new in zip(model.inputs, inputs, strict=True)}
        for depth in sorted(model._nodes_by_depth, reverse=True):
            for node in model._nodes_by_depth[depth]:
                if node.is_input:
                    continue
                arguments, named = node.map_arguments(tensors)
                if id(node.layer) in self._relus:
                    outputs = arguments[0]
                elif isinstance(node.layer, Model):
                    outputs = self.run(node.layer, tf.nest.flatten(arguments[0]), f"{prefix}{node.layer.name}_")
                else:
                    outputs = self.clone(node.layer, prefix)(*arguments, **named)
                for key, new in zip(node.flat_output_ids, tf.nest.flatten(outputs), strict=True):
                    tensors[key] = _Always(new)
        return [tensors[str(id(output))].pop() for output in model.outputs]


def _config(layer: Any) -> dict[str, Any]:
    try:
        return dict(layer.get_config())
    except NotImplementedError as error:
        raise ModelError(
            f"layer {describe(layer)} cannot be made anew: it takes arguments and has no `get_config`",
            hint=f"give {kind_of(layer)} a `get_config` that returns them, or leave out [[compress]] in recipe.toml",
        ) from error


def _separate_relus(model: Any) -> dict[int, int]:
    """id of each plain ReLU -> id of the layer before it, a linear one with a kernel that nothing else reads."""
    from tf_keras import Model

    found: dict[int, int] = {}
    for inner in (layer for layer in model.layers if isinstance(layer, Model)):
        found |= _separate_relus(inner)
    outputs = {id(output._keras_history.layer) for output in model.outputs}
    for layer in model.layers:
        if kind_of(layer) not in WEIGHTED or activation_name(layer) != "linear":
            continue
        if id(layer) in outputs or len(layer._inbound_nodes) != 1 or len(layer._outbound_nodes) != 1:
            continue
        follower = layer._outbound_nodes[0].layer
        if _is_relu(follower) and len(follower._inbound_nodes) == 1:
            found[id(follower)] = id(layer)
    return found


def _is_relu(layer: Any) -> bool:
    """Whether a layer is the plain ReLU, without a ceiling or a slope."""
    if kind_of(layer) == "Activation":
        return activation_name(layer) == "relu"
    return kind_of(layer) == "ReLU" and layer.max_value is None and not layer.negative_slope and not layer.threshold

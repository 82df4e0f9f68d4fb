"""Keras models rebuilt: nested models opened, separate ReLUs taken in, layers left out, changed or replaced.

The layers are new, of the same settings, names and weights; the model that was given stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinyedge.errors import ModelError
from tinyedge.train.generators import undisturbed
from tinyedge.train.layers import activation_name, describe, inbound_layers, kind_of

WEIGHTED = frozenset({"Conv1D", "Conv2D", "DepthwiseConv2D", "Dense", "Conv2DTranspose"})
"""layers with a kernel, which can take an activation in"""
_NORMALIZED = ("Conv1D", "Conv2D", "DepthwiseConv2D", "Dense")
"""layers that can take a normalization in"""


def flatten_model(model: Any) -> Any:
    """An equal model without nested models, in which no plain ReLU stands apart behind a layer with a kernel.

    The same object when there is nothing to change.

    Raises: ModelError when a layer cannot be made anew from its settings
    """
    from tf_keras import Model

    taken_in = _separate_relus(model)
    if not taken_in and not any(isinstance(layer, Model) for layer in model.layers):
        return model
    return rebuild(model, Changes(frozenset(taken_in), {layer: {"activation": "relu"} for layer in taken_in.values()}))


def fresh_like(model: Any) -> Any:
    """A model of the same layers with weights as new ones begin with, drawn by the generators as they are now."""
    weights = {}
    for layer in all_layers(model):
        if layer.weights:
            new = type(layer).from_config(_config(layer))
            new.build(layer.input_shape)
            weights[id(layer)] = new.get_weights()
    return rebuild(model, Changes(weights=weights))


def fold_norms(model: Any) -> Any:
    """An equal model in which batch normalization behind a linear layer with a kernel is part of that layer's weights.

    The same object when there is none.
    """
    settings: dict[int, dict[str, Any]] = {}
    weights: dict[int, list[Any]] = {}
    norms: set[int] = set()
    for norm in all_layers(model):
        if kind_of(norm) != "BatchNormalization" or not _folds(norm):
            continue
        (layer,) = inbound_layers(norm)
        factor, offset = _line_of(norm)
        kernel = layer.get_weights()[0]
        bias = layer.get_weights()[1] if layer.use_bias else 0.0
        depthwise = kind_of(layer) == "DepthwiseConv2D"
        weights[id(layer)] = [kernel * (factor.reshape(kernel.shape[2:]) if depthwise else factor)]
        weights[id(layer)].append(bias * factor + offset)
        settings[id(layer)] = {"use_bias": True}
        norms.add(id(norm))
    return flatten_model(rebuild(model, Changes(frozenset(norms), settings, weights)) if norms else model)


def _folds(norm: Any) -> bool:
    """Whether a normalization of channels alone reads a linear layer that nothing else reads."""
    before = inbound_layers(norm)
    axis = list(norm.axis) if hasattr(norm.axis, "__iter__") else [norm.axis]
    return (
        len(before) == 1
        and kind_of(before[0]) in _NORMALIZED
        and activation_name(before[0]) == "linear"
        and len(before[0]._outbound_nodes) == len(before[0]._inbound_nodes) == len(norm._inbound_nodes) == 1
        and axis in ([-1], [len(norm.input_shape) - 1])
    )


def _line_of(norm: Any) -> tuple[Any, Any]:
    """(factor, offset) of each channel."""
    factor = 1 / np.sqrt(norm.moving_variance.numpy() + norm.epsilon)
    if norm.scale:
        factor *= norm.gamma.numpy()
    offset = -norm.moving_mean.numpy() * factor
    return factor, offset + norm.beta.numpy() if norm.center else offset


@dataclass(frozen=True, eq=False)
class Changes:
    """What becomes of the layers of a model, by their ids; all others stay as they are."""

    left_out: frozenset[int] = frozenset()
    """their input goes on in place of their output"""
    settings: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """new values of what their `get_config` gives"""
    weights: Mapping[int, Sequence[Any]] = field(default_factory=dict)
    replaced: Mapping[int, Sequence[Any]] = field(default_factory=dict)
    """new layers, each of which reads the one before it"""


def rebuild(model: Any, changes: Changes) -> Any:
    """The model made anew with `changes`, all nested models opened.

    Raises: ModelError when a layer cannot be made anew from its settings
    """
    from tf_keras import Model

    rebuilt = _Rebuilt(changes)
    with undisturbed():
        inputs = [rebuilt.clone(tensor._keras_history.layer, "")[0].output for tensor in model.inputs]
        flat = Model(inputs, rebuilt.run(model, inputs, ""))
    for new, old in rebuilt.pairs:
        given = changes.weights.get(id(old))
        new.set_weights(old.get_weights() if given is None else list(given))
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
    """The layers made anew so far."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._clones: dict[int, Sequence[Any]] = {}
        self._names: set[str] = set()
        self.pairs: list[tuple[Any, Any]] = []
        """(new layer, old layer) of those that are not replaced"""

    def clone(self, layer: Any, prefix: str) -> Sequence[Any]:
        """The new layers of an old one, one unless it is replaced: always the same, so that a shared layer stays
        shared."""
        if id(layer) in self._changes.replaced:
            return self._changes.replaced[id(layer)]
        if id(layer) not in self._clones:
            name = layer.name if layer.name not in self._names else f"{prefix}{layer.name}"
            while name in self._names:
                name += "_"
            self._names.add(name)
            new = type(layer).from_config({**_config(layer), "name": name, **self._changes.settings.get(id(layer), {})})
            self._clones[id(layer)] = (new,)
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
                if id(node.layer) in self._changes.left_out:
                    outputs = arguments[0]
                elif isinstance(node.layer, Model):
                    outputs = self.run(node.layer, tf.nest.flatten(arguments[0]), f"{prefix}{node.layer.name}_")
                else:
                    first, *others = self.clone(node.layer, prefix)
                    outputs = first(*arguments, **named)
                    for layer in others:
                        outputs = layer(outputs)
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

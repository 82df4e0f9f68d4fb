"""Which channels of a Keras model stand and fall together, and the model without some of them.

Every element of every tensor carries the label of the channel it belongs to. A layer with a kernel begins new labels;
normalization, activations, pooling and depthwise kernels hand labels on; an addition makes those of its inputs one.
What a layer of another kind reads or gives, and the model's outputs, is fixed: such channels stay.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.train.layers import activation_name, kind_of
from tinyedge.train.rewrite import Changes, flatten_model, rebuild

Array = npt.NDArray[Any]

_HANDS_ON = (
    "Activation", "BatchNormalization", "ReLU", "LeakyReLU", "ELU", "Dropout", "SpatialDropout1D", "SpatialDropout2D",
    "GaussianNoise", "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D", "ZeroPadding1D", "ZeroPadding2D",
    "Cropping1D", "Cropping2D", "UpSampling1D", "UpSampling2D", "DepthwiseConv2D",
)  # fmt: skip
"""layers whose output channels are those of their input"""
_JOINS = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
_MAKES = ("Conv1D", "Conv2D", "Dense", "SeparableConv2D")
"""layers that make new channels of those they read"""
_COUNT_KEY = {"Dense": "units"}


@dataclass(eq=False)
class Channels:
    """The channels of `model`, a flat functional one."""

    model: Any
    parents: list[int] = field(default_factory=list)
    """of the forest of labels that became one"""
    fixed: set[int] = field(default_factory=set)
    """labels, as they were begun, that cannot go"""
    read: dict[str, Array] = field(default_factory=dict)
    """layer -> labels of what it reads: [channels], or [elements] of a flat input"""
    made: dict[str, Array] = field(default_factory=dict)
    """layer with a kernel -> labels of its output channels"""
    reshaped: dict[str, Array] = field(default_factory=dict)
    """Reshape -> labels of all elements of its output, [*shape]"""

    def root(self, label: int) -> int:
        """The label that stands for all that are one with it."""
        while self.parents[label] != label:
            self.parents[label] = self.parents[self.parents[label]]
            label = self.parents[label]
        return label

    def roots(self, labels: Array) -> Array:
        return np.array([self.root(int(label)) for label in labels.ravel()], int).reshape(labels.shape)

    def families(self) -> list[tuple[tuple[str, ...], list[int]]]:
        """(layers that make them, their labels) of the channels that can go, those made by the same layers together."""
        fixed = {self.root(label) for label in self.fixed}
        makers: dict[int, list[str]] = {}
        for name, labels in self.made.items():
            for label in dict.fromkeys(self.roots(labels).tolist()):
                makers.setdefault(label, []).append(name)
        found: dict[tuple[str, ...], list[int]] = {}
        for label, names in makers.items():
            if label not in fixed:
                found.setdefault(tuple(names), []).append(label)
        return list(found.items())

    def macs(self, gone: set[int]) -> int:
        """Multiplications of the layers with a kernel without the channels `gone`."""
        total = 0
        for layer in self.model.layers:
            kind = kind_of(layer)
            if kind not in (*_MAKES, "DepthwiseConv2D") or layer.name not in self.read:
                continue
            sources = self._left(self.read[layer.name], gone)
            places = math.prod(layer.output_shape[1:-1])
            area = math.prod(getattr(layer, "kernel_size", (1,)))
            if kind == "DepthwiseConv2D":
                total += places * area * sources * layer.depth_multiplier
                continue
            targets = self._left(self.made[layer.name], gone)
            if kind == "SeparableConv2D":
                total += places * layer.depth_multiplier * sources * (area + targets)
            else:
                total += places * area * targets * sources // getattr(layer, "groups", 1)
        return total

    def _left(self, labels: Array, gone: set[int]) -> int:
        return int((~np.isin(self.roots(labels), list(gone))).sum())

    def without(self, gone: set[int]) -> Any:
        """A model without these channels, which must be whole families' labels; its layers keep their names."""
        settings: dict[int, Mapping[str, Any]] = {}
        weights: dict[int, Sequence[Any]] = {}
        for layer in self.model.layers:
            kind, name = kind_of(layer), layer.name
            if kind in _MAKES and name in self.made and getattr(layer, "groups", 1) == 1:
                kept = self._places(self.made[name], gone)
                settings[id(layer)] = {_COUNT_KEY.get(kind, "filters"): len(kept)}
                weights[id(layer)] = _sliced(layer, self._places(self.read[name], gone), kept)
            elif kind in ("BatchNormalization", "DepthwiseConv2D") and name in self.read:
                weights[id(layer)] = _sliced(layer, self._places(self.read[name], gone), None)
            elif kind == "Reshape" and name in self.reshaped:
                left = self.reshaped[name]
                flat = self._places(left.ravel(), gone)
                inner = math.prod(left.shape[:-1])
                settings[id(layer)] = {"target_shape": (*left.shape[:-1], len(flat) // inner)}
        return rebuild(self.model, Changes(settings=settings, weights=weights))

    def _places(self, labels: Array, gone: set[int]) -> Array:
        return np.flatnonzero(~np.isin(self.roots(labels), list(gone)))

    def begin(self, count: int, *, fixed: bool) -> Array:
        """New labels."""
        labels = np.arange(len(self.parents), len(self.parents) + count)
        self.parents.extend(labels.tolist())
        if fixed:
            self.fixed.update(labels.tolist())
        return labels

    def fix(self, labels: Array) -> None:
        self.fixed.update(int(label) for label in np.unique(labels))

    def join(self, first: Array, second: Array) -> None:
        """Labels become one, place by place."""
        for one, other in zip(first.ravel().tolist(), second.ravel().tolist(), strict=True):
            self.parents[self.root(one)] = self.root(other)


def find_channels(model: Any) -> Channels:
    """The channels of a model. Nested models are opened: `Channels.model` is what they belong to."""
    import tensorflow as tf

    flat = flatten_model(model)
    channels = Channels(flat)
    labels: dict[str, Array] = {}
    for depth in sorted(flat._nodes_by_depth, reverse=True):
        for node in flat._nodes_by_depth[depth]:
            shapes = [tuple(tensor.shape[1:]) for tensor in tf.nest.flatten(node.outputs)]
            if node.is_input:
                outputs = [_spread(channels.begin(shape[-1], fixed=True), shape) for shape in shapes]
            else:
                sources = [labels[str(id(tensor))] for tensor in tf.nest.flatten(node.keras_inputs)]
                outputs = _outputs(channels, node.layer, sources, shapes)
            labels.update(zip((str(key) for key in node.flat_output_ids), outputs, strict=True))
    for output in flat.outputs:
        channels.fix(labels[str(id(output))])
    return channels


def _outputs(
    channels: Channels, layer: Any, sources: Sequence[Array], shapes: Sequence[tuple[int, ...]]
) -> list[Array]:
    """Labels of the elements of a layer's outputs, [*shape] each."""
    rows = [_of_channels(source) for source in sources]
    found = _reshaped(channels, layer, sources[0], shapes[0])
    if found is None and all(row is not None for row in rows):
        found = _labels(channels, layer, rows, shapes[0])
    if found is not None:
        return [_spread(found, shapes[0])]
    for source in sources:
        channels.fix(source)
    if rows[0] is not None:
        channels.read[layer.name] = rows[0]
        if kind_of(layer) in _MAKES:
            channels.made[layer.name] = channels.begin(shapes[0][-1], fixed=True)
            return [_spread(channels.made[layer.name], shapes[0])]
    return [_spread(channels.begin(shape[-1], fixed=True), shape) for shape in shapes]


def _labels(channels: Channels, layer: Any, rows: Sequence[Array], shape: tuple[int, ...]) -> Array | None:
    """Labels of the output channels of a layer that reads channels; None when it ties them in a way not known here."""
    kind, name = kind_of(layer), layer.name
    if kind in _MAKES and getattr(layer, "groups", 1) == 1:
        if name in channels.made:  # a shared layer has the same channels wherever it is
            channels.join(channels.read[name], rows[0])
            return channels.made[name]
        channels.read[name] = rows[0]
        channels.made[name] = channels.begin(shape[-1], fixed=activation_name(layer) == "softmax")
        return channels.made[name]
    if kind in _HANDS_ON and activation_name(layer) != "softmax" and _by_channel(layer):
        if name in channels.read:
            channels.join(channels.read[name], rows[0])
        channels.read[name] = rows[0]
        return np.repeat(rows[0], shape[-1] // len(rows[0]))
    if kind in _JOINS and all(len(row) == shape[-1] for row in rows):
        for source in rows[1:]:
            channels.join(rows[0], source)
        return rows[0]
    if kind == "Concatenate" and layer.axis in (-1, len(shape)):
        return np.concatenate(rows)
    return None


def _reshaped(channels: Channels, layer: Any, source: Array, shape: tuple[int, ...]) -> Array | None:
    """Labels of all elements behind a layer that only orders them anew, if they still are channels or flat."""
    kind = kind_of(layer)
    if kind == "Flatten" and getattr(layer, "data_format", "") != "channels_first":
        return source.reshape(shape)
    if kind == "Reshape":
        reshaped = source.reshape(shape)
        if len(shape) == 1 or _of_channels(reshaped) is not None:
            channels.reshaped[layer.name] = reshaped
            return reshaped
    return None


def _by_channel(layer: Any) -> bool:
    """Whether a normalization is of the last axis."""
    axis = getattr(layer, "axis", -1)
    axes = list(axis) if hasattr(axis, "__iter__") else [axis]
    return axes in ([-1], [len(layer.output_shape) - 1])


def _of_channels(labels: Array) -> Any:
    """[channels] of [..., channels], if they are the same at all places; None else."""
    rows = labels.reshape(-1, labels.shape[-1])
    return rows[0] if (rows == rows[0]).all() else None


def _spread(labels: Array, shape: tuple[int, ...]) -> Array:
    return np.broadcast_to(labels, shape)


def _sliced(layer: Any, sources: Array, kept: Array | None) -> list[Any]:
    """The weights of a layer that reads the channels `sources` and makes those in `kept`."""
    kind, weights = kind_of(layer), layer.get_weights()
    if kind == "BatchNormalization":
        return [weight[sources] for weight in weights]
    if kind == "DepthwiseConv2D":
        several = _each(sources, layer.depth_multiplier)
        return [weights[0][:, :, sources], *(bias[several] for bias in weights[1:])]
    if kind == "SeparableConv2D":
        depthwise, pointwise, *biases = weights
        pointwise = pointwise[:, :, _each(sources, layer.depth_multiplier)][..., kept]
        return [depthwise[:, :, sources], pointwise, *(bias[kept] for bias in biases)]
    assert kept is not None
    return [np.take(np.take(weights[0], sources, -2), kept, -1), *(bias[kept] for bias in weights[1:])]


def _each(places: Array, times: int) -> Array:
    """The places of channels of which each became several neighbours."""
    return (places[:, None] * times + np.arange(times)).ravel()

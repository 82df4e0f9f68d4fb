"""Side heads of a Keras model: where one can sit, its features, and what it takes to get there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tinyedge.train.channels import find_channels
from tinyedge.train.layers import inbound_layers, kind_of

_KERNELS = ("Conv1D", "Conv2D", "SeparableConv1D", "SeparableConv2D", "DepthwiseConv2D", "Dense")
_FOLLOWS = ("BatchNormalization", "Activation", "ReLU", "LeakyReLU", "Dropout", "SpatialDropout2D", "MaxPooling2D")
"""layers that belong to the one before them where nothing else reads that"""

_MOST_AXES = 4
"""of features: a batch of pictures"""


@dataclass(frozen=True, eq=False)
class Place:
    """A layer that a side head can read, and the share of the multiplications up to it."""

    layer: Any
    share: float

    @property
    def name(self) -> str:
        return str(self.layer.name)


def places_of(model: Any) -> list[Place]:
    """The layers that end a block, in their order; the share is of all multiplications of the model."""
    whole = find_channels(model).macs(set())
    found: dict[str, Place] = {}
    for layer in model.layers:
        if kind_of(layer) not in (*_KERNELS, "Add") or len(layer._inbound_nodes) != 1:
            continue
        last = _end_of_block(layer)
        if len(last.output.shape) > _MOST_AXES:
            continue
        if last.name not in found and last is not model.outputs[0]._keras_history.layer:
            found[last.name] = Place(last, macs_to(model, last) / max(whole, 1))
    return list(found.values())


def macs_to(model: Any, layer: Any) -> int:
    """Multiplications of a layer and all it depends on."""
    from tf_keras import Model

    return find_channels(Model(model.inputs, layer.output)).macs(set())


def _end_of_block(layer: Any) -> Any:
    while len(layer._outbound_nodes) == 1:
        follower = layer._outbound_nodes[0].layer
        if kind_of(follower) not in _FOLLOWS or len(inbound_layers(follower)) != 1:
            break
        layer = follower
    return layer


def pooled(tensor: Any, parts: int, name: str) -> Any:
    """Features of a tensor [N, ..., channels]: means over `parts` regions along each axis of places, flat."""
    from tf_keras import layers

    extents = [int(extent) for extent in tensor.shape[1:-1]]
    if extents and max(extents) > 1:
        strides = [max(extent // parts, 1) for extent in extents]
        sizes = [
            max(extent - stride * (min(parts, extent) - 1), 1) for extent, stride in zip(extents, strides, strict=True)
        ]
        kind = {1: layers.AveragePooling1D, 2: layers.AveragePooling2D}[len(extents)]
        tensor = kind(_one(sizes), _one(strides), name=f"{name}_pool")(tensor)
    return layers.Flatten(name=f"{name}_flat")(tensor) if len(tensor.shape) > 2 else tensor


def _one(values: Sequence[int]) -> Any:
    return values[0] if len(values) == 1 else tuple(values)

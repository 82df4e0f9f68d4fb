"""Layers whose weights can be stored in fewer bytes: the weights of other layers, replaced kind by kind."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from kits.kernel_layers import Array, Rng
from tinyedge.boards import Core
from tinyedge.graph.ir import Graph
from tinyedge.kernels import KERNELS, candidates
from tinyedge.kernels.contract import Kernel
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer

Draw = Callable[[Rng, int], Array]
"""so many weights"""
LEVELS = (-97, -71, -54, -41, -31, -22, -14, -6, 0, 7, 15, 24, 34, 46, 62, 90)


def dense(rng: Rng, count: int) -> Array:
    """int8, normal, none of them 0."""
    values = np.clip(np.round(rng.normal(0, 30, count)), -127, 127)
    return np.where(values == 0, 1, values).astype(np.int8)


def bits(number: int) -> Draw:
    """All values of so many bits; of four or more bits without the lowest."""
    low, high = -(1 << number - 1), 1 << number - 1
    return lambda rng, count: rng.integers(low + (number > 3), high, count).astype(np.int8)


def shared(number: int) -> Draw:
    """At most so many values, the lowest and the highest of int8 among them where there are many."""
    step = len(LEVELS) // number
    levels = np.array(LEVELS[step // 2 :: step], np.int8)
    return lambda rng, count: rng.choice(levels, count)


def pruned(zeros: float) -> Draw:
    """Exactly such a part of zeros, spread at random."""

    def draw(rng: Rng, count: int) -> Array:
        order = rng.permutation(count)
        return np.where(order < round(zeros * count), 0, dense(rng, count)).astype(np.int8)

    return draw


def with_weights(rng: Rng, layer: Layer, draw: Draw, *, healthy: bool = False) -> Layer:
    """The layer with other weights.

    healthy  scales and biases by which outputs use their range, one for each channel; else those of the layer
    """
    p: Any = layer.params
    weights = draw(rng, p.weights.size).reshape(p.weights.shape)
    changed: dict[str, Any] = {"weights": weights, "bias": np.clip(p.bias, -20000, 20000)}
    if healthy:
        spread = np.sqrt((weights.reshape(len(p.bias), -1).astype(float) ** 2).sum(axis=1)) * 60 + 1
        shift = np.ceil(np.log2(40 / spread)).astype(np.int32)
        multiplier = np.clip(np.round(40 / spread / 2.0**shift * 2**31), 1 << 30, (1 << 31) - 1)
        bias = rng.integers(-2000, 2000, len(p.bias))
        changed |= {
            "bias": bias.astype(np.int32), "multiplier": multiplier.astype(np.int32), "shift": np.minimum(shift, -1)
        }  # fmt: skip
    return dataclasses.replace(layer, params=dataclasses.replace(p, **changed))


# -- kernels ---------------------------------------------------------------------------------------------------------


def storing(layer: Layer, core: Core) -> list[Kernel]:
    """The kernels that can run a layer with its weights in fewer bytes."""
    fitting = [kernel for kernel in candidates(layer) if not kernel.fits(layer, core)]
    return [kernel for kernel in fitting if kernel.cost(layer, core).storage is not None]


def stores(graph: Graph, core: Core) -> bool:
    """Whether weights of some layer can be stored in fewer bytes."""
    return any(storing(layer, core) for layer in parse_graph(graph))


def _unless_stored(inner: Kernel) -> Kernel:
    """The kernel where none stores weights in fewer bytes."""

    class UnlessStored(type(inner)):  # type: ignore[misc]
        def fits(self, layer: Layer, core: Core) -> str:
            reason = str(super().fits(layer, core))
            if reason or super().cost(layer, core).storage is not None:
                return reason
            return "weights can be stored in fewer bytes" if storing(layer, core) else ""

    return UnlessStored()  # type: ignore[no-any-return]


STORED_FIRST: tuple[Kernel, ...] = tuple(
    _unless_stored(kernel) if {"conv_2d", "fully_connected"} & set(kernel.operators) else kernel for kernel in KERNELS
)
"""every kernel, but those that could store weights in fewer bytes only where they do"""

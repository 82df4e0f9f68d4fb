"""The kernels of a Keras model as rows of weights, one row an output channel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.train.layers import kind_of
from tinyedge.train.rewrite import all_layers

Array = npt.NDArray[Any]

OPERATORS = {
    "Conv1D": "conv_2d",
    "Conv2D": "conv_2d",
    "Dense": "fully_connected",
    "DepthwiseConv2D": "depthwise_conv_2d",
}
"""layers whose kernels are looked at -> the operator each becomes"""
_SUFFIX = "kernel:0"


@dataclass(frozen=True, eq=False)
class Kernel:
    """The kernel of a layer; `layer` is the one inside, where a wrapper holds it."""

    layer: Any
    variable: Any

    @property
    def operator(self) -> str:
        return OPERATORS[kind_of(self.layer)]

    @property
    def outputs(self) -> int:
        """Output channels."""
        return len(self.rows())

    def rows(self) -> Array:
        """float32 [output channels, weights of one]."""
        return to_rows(self.operator, np.asarray(self.variable))

    def assign(self, rows: Array) -> None:
        """Give the layer the weights in `rows`, which are as `rows()` gives them."""
        self.variable.assign(from_rows(self.operator, rows, tuple(self.variable.shape)))


def kernels_of(model: Any) -> Iterator[Kernel]:
    """The kernels of all convolutions and dense layers, also of those that a quantization wrapper holds."""
    for outer in all_layers(model):
        layer = getattr(outer, "layer", outer)
        if kind_of(layer) not in OPERATORS:
            continue
        for variable in outer.weights:
            if variable.name.endswith(_SUFFIX):
                yield Kernel(layer, variable)
                break


def to_rows(operator: str, kernel: Array) -> Array:
    """A Keras kernel as [output channels, weights of one].

    >>> to_rows("depthwise_conv_2d", np.arange(8).reshape(2, 2, 2, 1)).tolist()
    [[0, 2, 4, 6], [1, 3, 5, 7]]
    """
    if operator == "depthwise_conv_2d":
        kernel = kernel.reshape(*kernel.shape[:2], -1)
    return np.ascontiguousarray(kernel.reshape(-1, kernel.shape[-1]).T)


def from_rows(operator: str, rows: Array, shape: tuple[int, ...]) -> Array:
    """The kernel of `shape` that `to_rows` makes `rows` of."""
    return np.ascontiguousarray(rows.T).reshape(shape)

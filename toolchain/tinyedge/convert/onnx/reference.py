"""ONNX's reference evaluator where it is wrong: a grouped ConvTranspose takes its weights along the axis of outputs."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tinyedge.graph.ir import Array


def whole_weights(weights: Array, groups: int) -> Array:
    """Weights of a grouped ConvTranspose as those of one group, with zeros between the groups.

    Shape:  [channels, outputs of a group, ...] -> [channels, outputs, ...]

    >>> whole_weights(np.array([[1], [2]]), 2).tolist()
    [[1, 0], [0, 2]]
    """
    if groups == 1:
        return weights
    channels, few = weights.shape[0] // groups, weights.shape[1]
    whole = np.zeros((weights.shape[0], groups * few, *weights.shape[2:]), weights.dtype)
    for group in range(groups):
        rows = slice(group * channels, (group + 1) * channels)
        whole[rows, group * few : (group + 1) * few] = weights[rows]
    return whole


@cache
def mended_operators() -> tuple[Any, ...]:
    """Operators for `ReferenceEvaluator(new_ops=...)`."""
    from onnx.reference.ops import op_conv_transpose

    own: Any = op_conv_transpose.ConvTranspose

    class ConvTranspose(own):  # type: ignore[misc]
        def _run(self, values: Any, weights: Any, bias: Any = None, group: int = 1, **attributes: Any) -> Any:
            return super()._run(values, whole_weights(weights, group), bias, group=1, **attributes)

    return (ConvTranspose,)

"""Axes and shapes of reductions and broadcasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyedge.graph.access import constant, first_input
from tinyedge.graph.ir import Graph, Operator

Shape = tuple[int, ...]


def resolve_axes(axes: Sequence[int], rank: int) -> Shape | None:
    """Axes sorted, without doubles, counted from the front; None when one does not exist.

    >>> resolve_axes([-1, 1, 1], 4), resolve_axes([4], 4)
    ((1, 3), None)
    """
    if any(not -rank <= axis < rank for axis in axes):
        return None
    return tuple(sorted({axis % rank for axis in axes}))


def reduced_shape(shape: Shape, axes: Shape, keep_dims: bool) -> Shape:
    """The shape after a reduction over `axes`.

    >>> reduced_shape((1, 4, 5, 8), (1, 2), False), reduced_shape((1, 4, 5, 8), (1, 2), True)
    ((1, 8), (1, 1, 1, 8))
    """
    if keep_dims:
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def broadcast_shape(first: Shape, second: Shape) -> Shape | None:
    """The shape two operands broadcast to; None when they do not.

    >>> broadcast_shape((1, 4, 8), (8,)), broadcast_shape((2, 3), (3, 2))
    ((1, 4, 8), None)
    """
    try:
        return np.broadcast_shapes(first, second)
    except ValueError:
        return None


def axes_of(graph: Graph, operator: Operator) -> Shape | None:
    """The resolved axes of a reduction, whose second input names them; None when one does not exist."""
    axes = graph.tensors[operator.inputs[1]]
    return resolve_axes([int(axis) for axis in constant(axes).ravel()], len(first_input(graph, operator).shape))

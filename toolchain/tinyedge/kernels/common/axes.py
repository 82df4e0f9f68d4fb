"""Axes of a tensor merged where neighbours behave alike, so that kernels loop over as few as possible."""

from __future__ import annotations

from collections.abc import Sequence

Shape = tuple[int, ...]
Axis = tuple[int, int]
"""size and step of an axis, or of several merged"""

MOST_AXES = 2
"""kept, and reduced axes that the kernels of reductions loop over"""
MOST_WALKED = 4
"""axes that functions with operands that broadcast go through themselves"""


def strides(shape: Sequence[int]) -> Shape:
    """Elements from one index to the next along each axis, row-major.

    >>> strides((2, 3, 4))
    (12, 4, 1)
    """
    result = [1]
    for size in reversed(shape[1:]):
        result.append(result[-1] * size)
    return tuple(reversed(result)) if shape else ()


def merge_broadcast(shapes: Sequence[Shape], output: Shape) -> tuple[Shape, tuple[Shape, ...]]:
    """The output's axes with neighbours merged that every operand either has both or broadcasts both.

    Returns the sizes and, per operand, its steps (0 where broadcast).

    >>> merge_broadcast([(1, 5, 5, 8), (8,)], (1, 5, 5, 8))
    ((25, 8), ((8, 1), (0, 1)))
    >>> merge_broadcast([(2, 3), (2, 3)], (2, 3))
    ((6,), ((1,), (1,)))
    """
    rank = len(output)
    padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
    steps = [strides(shape) for shape in padded]
    sizes: list[int] = []
    kinds: list[tuple[bool, ...]] = []
    last: list[tuple[int, ...]] = []
    for axis in range(rank):
        if output[axis] == 1:
            continue
        kind = tuple(shape[axis] == 1 for shape in padded)
        step = tuple(0 if alone else steps[index][axis] for index, alone in enumerate(kind))
        if kinds and kinds[-1] == kind:
            sizes[-1] *= output[axis]
            last[-1] = step
        else:
            sizes.append(output[axis])
            kinds.append(kind)
            last.append(step)
    return tuple(sizes), tuple(tuple(step[index] for step in last) for index in range(len(shapes)))


def inner_axes(sizes: Shape, steps: Sequence[Shape]) -> tuple[Shape, tuple[Shape, ...]]:
    """Of merged axes those that the function goes through."""
    return sizes[-MOST_WALKED:], tuple(row[-MOST_WALKED:] for row in steps)


def outer_axes(sizes: Shape, steps: Sequence[Shape]) -> list[tuple[int, Shape]]:
    """The merged axes in front of those: their sizes, and the steps of each operand and of the output.

    >>> outer_axes((2, 3, 2, 3, 2), [(36, 12, 6, 2, 1), (0, 2, 0, 1, 0)])
    [(2, (36, 0, 36))]
    """
    rows = (*steps, strides(sizes))
    return [(sizes[at], tuple(row[at] for row in rows)) for at in range(len(sizes) - MOST_WALKED)]


def merge_reduced(shape: Shape, reduced: Sequence[int]) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Kept and reduced axes of a tensor as (size, step), neighbours of one kind merged, axes of size 1 left out.

    >>> merge_reduced((1, 4, 5, 8), (1, 2))
    ([(8, 1)], [(20, 8)])
    >>> merge_reduced((2, 3, 4), (1,))
    ([(2, 12), (4, 1)], [(3, 4)])
    """
    groups: list[tuple[bool, int, int]] = []
    for axis, (size, step) in enumerate(zip(shape, strides(shape), strict=True)):
        if size == 1:
            continue
        kind = axis in reduced
        if groups and groups[-1][0] == kind:
            groups[-1] = (kind, groups[-1][1] * size, step)
        else:
            groups.append((kind, size, step))
    kept = [(size, step) for kind, size, step in groups if not kind]
    return kept, [(size, step) for kind, size, step in groups if kind]


def two_axes(axes: list[Axis]) -> tuple[Axis, Axis]:
    """Two axes, missing ones in front with a single index.

    >>> two_axes([(8, 1)])
    ((1, 0), (8, 1))
    """
    first, second = [(1, 0)] * (MOST_AXES - len(axes)) + axes
    return first, second

"""Operators that only move elements: nested copies with strides, worked out offline.

Slicing, transposing, joining, splitting and the like differ in which element goes where and in nothing else. Their
files say where, as pairs of `View`; one reference and one kernel run them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinyedge.graph.access import constant
from tinyedge.graph.ir import Array, DType, Tensor

Shape = tuple[int, ...]


@dataclass(frozen=True)
class View:
    """Elements of a tensor in a nested order: [i, j, ...] is element start + i * steps[0] + j * steps[1] + ..."""

    start: int
    sizes: Shape
    steps: Shape

    @classmethod
    def whole(cls, shape: Sequence[int]) -> View:
        """All elements of a row-major tensor.

        >>> View.whole((2, 3, 4))
        View(start=0, sizes=(2, 3, 4), steps=(12, 4, 1))
        """
        steps = [1]
        for size in reversed(shape[1:]):
            steps.append(steps[-1] * size)
        return cls(0, tuple(shape), tuple(reversed(steps)) if shape else ())

    def part(self, axis: int, begin: int, count: int, step: int = 1) -> View:
        """`count` indices along one axis, from `begin` on in steps, which may be negative.

        >>> View.whole((2, 3)).part(1, 2, 2, -2)
        View(start=2, sizes=(2, 2), steps=(3, -2))
        """
        start = self.start + begin * self.steps[axis] if count else self.start
        sizes = (*self.sizes[:axis], count, *self.sizes[axis + 1 :])
        return View(start, sizes, (*self.steps[:axis], self.steps[axis] * step, *self.steps[axis + 1 :]))

    def permuted(self, order: Sequence[int]) -> View:
        """The axes in another order.

        >>> View.whole((2, 3)).permuted((1, 0))
        View(start=0, sizes=(3, 2), steps=(1, 3))
        """
        return View(self.start, tuple(self.sizes[axis] for axis in order), tuple(self.steps[axis] for axis in order))

    def divided(self, axis: int, inner: int) -> View:
        """One axis as two: blocks, and `inner` indices within each.

        >>> View.whole((6,)).divided(0, 2)
        View(start=0, sizes=(3, 2), steps=(2, 1))
        """
        sizes = (*self.sizes[:axis], self.sizes[axis] // inner, inner, *self.sizes[axis + 1 :])
        steps = (*self.steps[:axis], self.steps[axis] * inner, self.steps[axis], *self.steps[axis + 1 :])
        return View(self.start, sizes, steps)

    def repeated(self, sizes: Sequence[int]) -> View:
        """Broadcast: axes of size 1 repeated, missing ones added in front.

        >>> View.whole((3, 1)).repeated((2, 3, 4))
        View(start=0, sizes=(2, 3, 4), steps=(0, 1, 0))
        """
        missing = len(sizes) - len(self.sizes)
        steps = [0 if size == 1 else step for size, step in zip(self.sizes, self.steps, strict=True)]
        return View(self.start, tuple(sizes), (*([0] * missing), *steps))


@dataclass(frozen=True)
class Copy:
    """One nested copy between a source and a target, whose elements are counted one by one.

    source  position among `Layer.inputs` followed by `Movement.constants`
    target  position among `Layer.outputs`
    """

    source: int
    target: int
    source_start: int
    target_start: int
    sizes: Shape
    source_steps: Shape
    target_steps: Shape


@dataclass(frozen=True, eq=False)
class Movement:
    """Parameters: copies in the order they are made, none of them empty.

    constants       sources that are known, one-dimensional, of the type that is moved
    fill            byte that every output is filled with before the copies; None where copies write everything
    element_bytes   size of one element
    """

    copies: tuple[Copy, ...]
    constants: tuple[Array, ...]
    output_elements: tuple[int, ...]
    element_bytes: int
    dtype: DType
    fill: int | None = None


def make_copies(source: int, target: int, pairs: Iterable[tuple[View, View]]) -> list[Copy]:
    """Copies from source views to target views of equal sizes, with axes merged where both sides allow it.

    >>> whole = View.whole((2, 3, 4))
    >>> make_copies(0, 0, [(whole, whole)])
    [Copy(source=0, target=0, source_start=0, target_start=0, sizes=(24,), source_steps=(1,), target_steps=(1,))]
    """
    copies = []
    for from_view, to_view in pairs:
        assert from_view.sizes == to_view.sizes, (from_view, to_view)
        if 0 in from_view.sizes:
            continue
        axes: list[tuple[int, int, int]] = []
        for size, read, written in zip(from_view.sizes, from_view.steps, to_view.steps, strict=True):
            if size == 1:
                continue
            if axes and axes[-1][1:] == (read * size, written * size):
                axes[-1] = (axes[-1][0] * size, read, written)
            else:
                axes.append((size, read, written))
        sizes, reads, writes = zip(*axes, strict=True) if axes else ((1,), (1,), (1,))
        copies.append(Copy(source, target, from_view.start, to_view.start, sizes, reads, writes))
    return copies


def make_movement(
    operands: Sequence[Tensor], targets: Sequence[Tensor], copies: Iterable[Copy], *, fill: int | None = None
) -> Movement:
    """The movement of copies whose sources count `operands`; those that are constants become its constants."""
    computed = [at for at, tensor in enumerate(operands) if not tensor.is_constant]
    known = [at for at, tensor in enumerate(operands) if tensor.is_constant and tensor.elements]
    place = {at: position for position, at in enumerate((*computed, *known))}
    return Movement(
        copies=tuple(replace(copy, source=place[copy.source]) for copy in copies),
        constants=tuple(constant(operands[at]).reshape(-1) for at in known),
        output_elements=tuple(tensor.elements for tensor in targets),
        element_bytes=targets[0].dtype.bytes,
        dtype=targets[0].dtype,
        fill=fill,
    )


def reference(params: Movement, inputs: Sequence[Array]) -> tuple[Array, ...]:
    sources = [np.ascontiguousarray(array).reshape(-1) for array in (*inputs, *params.constants)]
    dtype = params.dtype.numpy
    fill = bytes([(params.fill or 0) & 0xFF])
    outputs = [np.frombuffer(bytearray(fill * (n * dtype.itemsize)), dtype) for n in params.output_elements]
    for copy in params.copies:
        read = _strided(sources[copy.source], copy.source_start, copy.sizes, copy.source_steps)
        _strided(outputs[copy.target], copy.target_start, copy.sizes, copy.target_steps)[...] = read
    return tuple(outputs)


def _strided(array: Array, start: int, sizes: Shape, steps: Shape) -> Array:
    strides = [step * array.itemsize for step in steps]
    return np.lib.stride_tricks.as_strided(array[start:], sizes, strides)

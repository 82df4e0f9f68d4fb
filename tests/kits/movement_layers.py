"""Random layers that only move elements, for tests of kernels: parts, orders, joins, cuts, repeats and borders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyedge.arithmetic.movement import Copy, View, make_copies
from tinyedge.graph.ir import DType, Operator, Quantization, Tensor
from tinyedge.ops.contract import Layer, movement_layer

Rng = np.random.Generator
Shape = tuple[int, ...]
_TYPES = (DType.INT8, DType.INT8, DType.INT16, DType.INT32, DType.BOOL)


def _sizes(rng: Rng, smallest: int = 1) -> Shape:
    return tuple(int(size) for size in rng.integers(smallest, 6, int(rng.integers(1, 5))))


def _tensor(index: int, shape: Sequence[int], dtype: DType) -> Tensor:
    return Tensor(index, f"t{index}", tuple(shape), dtype, Quantization((0.1,), (0,)))


def _layer(
    name: str,
    dtype: DType,
    sources: Sequence[Tensor],
    shapes: Sequence[Shape],
    copies: Sequence[Copy],
    fill: int | None = None,
) -> Layer:
    targets = [_tensor(10 + number, shape, dtype) for number, shape in enumerate(shapes)]
    operator = Operator(0, name, tuple(t.index for t in sources), tuple(t.index for t in targets))
    return movement_layer(operator, sources, targets, copies, fill=fill)


def ordered_part(rng: Rng, dtype: DType | None = None) -> Layer:
    """A part of a tensor in steps forwards or backwards, its axes in another order."""
    dtype = dtype or _TYPES[int(rng.integers(len(_TYPES)))]
    shape = _sizes(rng)
    view = View.whole(shape)
    for axis, size in enumerate(shape):
        count = int(rng.integers(1, size + 1))
        step = int(rng.choice([1, 1, 2, 3])) if (count - 1) * 2 < size else 1
        step = min(step, (size - 1) // max(count - 1, 1)) or 1
        begin = int(rng.integers(0, size - (count - 1) * step))
        if rng.random() < 0.3:
            view = view.part(axis, begin + (count - 1) * step, count, -step)
        else:
            view = view.part(axis, begin, count, step)
    view = view.permuted(
        [int(axis) for axis in rng.permutation(len(shape))] if rng.random() < 0.6 else range(len(shape))
    )
    copies = make_copies(0, 0, [(view, View.whole(view.sizes))])
    return _layer("transpose", dtype, [_tensor(0, shape, dtype)], [view.sizes], copies)


def _axis_parts(rng: Rng) -> tuple[DType, Shape, int, list[int]]:
    dtype = _TYPES[int(rng.integers(len(_TYPES)))]
    shape = _sizes(rng)
    return dtype, shape, int(rng.integers(len(shape))), [int(n) for n in rng.integers(1, 4, int(rng.integers(1, 4)))]


def _resized(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


def joined(rng: Rng) -> Layer:
    """One to three tensors along an axis, some of them constants."""
    dtype, shape, axis, lengths = _axis_parts(rng)
    whole = _resized(shape, axis, sum(lengths))
    sources, copies, begin = [], [], 0
    for number, length in enumerate(lengths):
        tensor = _tensor(number, _resized(shape, axis, length), dtype)
        if number and rng.random() < 0.3:
            values = rng.integers(0, 2 if dtype is DType.BOOL else 100, tensor.shape)
            tensor = replace(tensor, data=values.astype(dtype.numpy))
        part = View.whole(whole).part(axis, begin, length)
        copies += make_copies(number, 0, [(View.whole(tensor.shape), part)])
        sources.append(tensor)
        begin += length
    return _layer("concatenation", dtype, sources, [whole], copies)


def cut(rng: Rng) -> Layer:
    """A tensor cut along an axis into one to three."""
    dtype, shape, axis, lengths = _axis_parts(rng)
    whole = _resized(shape, axis, sum(lengths))
    shapes, copies, begin = [], [], 0
    for number, length in enumerate(lengths):
        shapes.append(_resized(shape, axis, length))
        part = View.whole(whole).part(axis, begin, length)
        copies += make_copies(0, number, [(part, View.whole(shapes[-1]))])
        begin += length
    return _layer("split_v", dtype, [_tensor(0, whole, dtype)], shapes, copies)


def repeated(rng: Rng) -> Layer:
    """A tensor broadcast along some axes."""
    dtype = _TYPES[int(rng.integers(len(_TYPES)))]
    target = _sizes(rng)
    source = tuple(size if rng.random() < 0.5 else 1 for size in target)
    copies = make_copies(0, 0, [(View.whole(source).repeated(target), View.whole(target))])
    return _layer("broadcast_to", dtype, [_tensor(0, source, dtype)], [target], copies)


def bordered(rng: Rng) -> Layer:
    """A tensor in the middle of a larger one of a single value."""
    shape = _sizes(rng)
    before, after = rng.integers(0, 3, len(shape)), rng.integers(0, 3, len(shape))
    target = tuple(int(size) for size in np.array(shape) + before + after)
    view = View.whole(target)
    for axis, size in enumerate(shape):
        view = view.part(axis, int(before[axis]), size)
    copies = make_copies(0, 0, [(View.whole(shape), view)])
    fill = int(rng.integers(-128, 128))
    return _layer("space_to_batch_nd", DType.INT8, [_tensor(0, shape, DType.INT8)], [target], copies, fill)


def shifted(rng: Rng) -> Layer:
    """A circular buffer: a variable whose slots move down by one."""
    slots, depth = int(rng.integers(1, 6)), int(rng.integers(1, 9))
    source = _tensor(0, (1, 1, 1, depth), DType.INT8)
    buffer = replace(_tensor(1, (1, slots, 1, depth), DType.INT8), is_variable=True)
    whole = View.whole((slots, depth))
    pairs = [(whole.part(0, 1, slots - 1), whole.part(0, 0, slots - 1))]
    last = [(View.whole((1, depth)), whole.part(0, slots - 1, 1))]
    copies = [*make_copies(1, 0, pairs), *make_copies(0, 0, last)]
    return movement_layer(Operator(0, "circular_buffer", (0,), (1,)), [source, buffer], [buffer], copies)


def any_movement(rng: Rng) -> Layer:
    """Any of them."""
    makers = (ordered_part, joined, cut, repeated, bordered, shifted)
    return makers[int(rng.integers(len(makers)))](rng)

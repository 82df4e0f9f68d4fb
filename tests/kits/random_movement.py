"""Random operators that move values without changing them, and those that resize: see `kits.random_graph`."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kits.draft import MOST_ELEMENTS, Draft, Entry, Node, Shape


def reshape(draft: Draft) -> None:
    source = draft.any(draft.kind())
    shape = draft.factors(source.elements, draft.number(1, 4))
    if draft.flip(0.3):  # the shape in the options alone, as old converters wrote it
        draft.same("reshape", [source], shape, source, newShape=list(shape))
    else:
        draft.reshape(source, shape)


def squeeze(draft: Draft) -> None:
    source = draft.any(accept=lambda node: 1 in node.shape and len(node.shape) > 1)
    if 1 not in source.shape or len(source.shape) < 2:
        source = draft.input((1, draft.number(1, 5), 1, draft.number(1, 5)))
    axes = [axis for axis, size in enumerate(source.shape) if size == 1]
    kept = [axis for axis in axes if draft.flip(0.4)]
    gone = [axis for axis in axes if axis not in kept] or axes[:1]
    if len(gone) == len(source.shape):
        gone = gone[1:]
    shape = tuple(size for axis, size in enumerate(source.shape) if axis not in gone)
    draft.same("squeeze", [source], shape, source, squeeze_dims=gone)


def expand_dims(draft: Draft) -> None:
    source = draft.any(accept=lambda node: len(node.shape) < 4)
    if len(source.shape) > 3:
        source = draft.input(draft.sizes(3))
    axis = draft.number(0, len(source.shape))
    shape = (*source.shape[:axis], 1, *source.shape[axis:])
    named = draft.shape_constant([axis - len(shape) if draft.flip(0.3) else axis])
    draft.same("expand_dims", [source, named], shape, source)


def _paddings(draft: Draft, shape: Shape, most: Callable[[int], int]) -> list[tuple[int, int]]:
    """Amounts for each axis but the first of a batch; most often for rows and columns only."""
    pairs = []
    for axis, size in enumerate(shape):
        quiet = (axis == 0 and len(shape) > 1) or (axis == 3 and draft.flip(0.6)) or draft.flip(0.2)
        pairs.append((0, 0) if quiet else (draft.number(0, most(size)), draft.number(0, most(size))))
    return pairs


def _padded(shape: Shape, pairs: list[tuple[int, int]]) -> Shape:
    return tuple(size + before + after for size, (before, after) in zip(shape, pairs, strict=True))


def _small(draft: Draft, rank: int, dtype: str = "int8") -> Node:
    """A tensor of a rank that may grow."""
    node = draft.take(rank, dtype)
    return node if node.elements <= MOST_ELEMENTS // 2 else draft.input(draft.sizes(rank), dtype)


def pad(draft: Draft) -> None:
    source = _small(draft, draft.pick(4, 4, 3, 2, 1))
    pairs = _paddings(draft, source.shape, lambda size: 2)
    draft.same("pad", [source, draft.constant(np.array(pairs, np.int32))], _padded(source.shape, pairs), source)


def padv2(draft: Draft) -> None:
    source = _small(draft, draft.pick(4, 4, 3, 2))
    pairs = _paddings(draft, source.shape, lambda size: 2)
    value = draft.values_like((1,), source)
    keys = [source, draft.constant(np.array(pairs, np.int32)), value]
    draft.same("padv2", keys, _padded(source.shape, pairs), source)


def mirror_pad(draft: Draft) -> None:
    source = _small(draft, draft.pick(4, 4, 3, 2))
    mode = draft.pick(schema.MirrorPadMode.REFLECT, schema.MirrorPadMode.SYMMETRIC)
    less = 1 if mode == schema.MirrorPadMode.REFLECT else 0
    pairs = _paddings(draft, source.shape, lambda size: min(size - less, 3))
    keys = [source, draft.constant(np.array(pairs, np.int32))]
    draft.same("mirror_pad", keys, _padded(source.shape, pairs), source, mode=mode)


def concatenation(draft: Draft) -> None:
    """Of two to four pieces with one quantization; the same tensor may be several of them."""
    first = _small(draft, draft.pick(4, 4, 3, 2), draft.kind())
    axis = draft.number(0, len(first.shape) - 1)
    if axis == 0 and draft.flip(0.8):
        axis = len(first.shape) - 1
    pieces: list[Node | int] = [first]
    total = first.shape[axis]
    for _ in range(draft.number(1, 3)):
        size = draft.number(1, 4)
        shape = (*first.shape[:axis], size, *first.shape[axis + 1 :])
        match draft.number(0, 3):
            case 0:
                pieces.append(first)
                size = first.shape[axis]
            case 1:
                pieces.append(draft.values_like(shape, first))
            case 2:
                pieces.append(draft.input(shape, first.dtype, scale=first.scale, zero_point=first.zero_point))
            case _:
                found = [n for n in draft.tensors(first.dtype) if n.shape == first.shape]
                other = found[draft.number(0, len(found) - 1)]
                quantized = (first.scale, first.zero_point)
                if (other.scale, other.zero_point) != quantized:
                    other = draft.same("quantize", [other], other.shape, first)
                pieces.append(other)
                size = first.shape[axis]
        total += size
    draft.chance.shuffle(pieces)  # type: ignore[arg-type]
    shape = (*first.shape[:axis], total, *first.shape[axis + 1 :])
    named = axis - len(shape) if draft.flip(0.3) else axis
    draft.same("concatenation", pieces, shape, first, axis=named, fused_activation_function="none")


def _axis_to_split(draft: Draft) -> tuple[Node, int]:
    """A tensor and an axis with at least two elements."""
    source = draft.any(draft.kind(), accept=lambda node: max(node.shape, default=1) > 1 and len(node.shape) <= 4)
    if max(source.shape, default=1) < 2:
        source = draft.input((1, draft.number(2, 6), draft.number(2, 6)))
    return source, int(draft.pick(*(axis for axis, size in enumerate(source.shape) if size > 1)))


def _cut(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])


def split(draft: Draft) -> None:
    source, axis = _axis_to_split(draft)
    size = source.shape[axis]
    divisors = [n for n in range(2, 5) if size % n == 0]
    count = draft.pick(*divisors) if divisors else size if size < 8 else 1
    targets = [draft.target(_cut(source.shape, axis, size // count), source) for _ in range(count)]
    named = draft.constant(np.array(axis - len(source.shape) if draft.flip(0.3) else axis, np.int32))
    draft.put_all("split", [named, source], targets, num_splits=count)


def split_v(draft: Draft) -> None:
    source, axis = _axis_to_split(draft)
    size = source.shape[axis]
    first = draft.number(1, size - 1)
    parts = [first, size - first]
    if parts[1] > 1 and draft.flip(0.5):
        parts[1:] = [1, parts[1] - 1]
    targets = [draft.target(_cut(source.shape, axis, part), source) for part in parts]
    named = draft.constant(np.array(axis, np.int32))
    draft.put_all("split_v", [source, draft.shape_constant(parts), named], targets, num_splits=len(parts))


def slice_(draft: Draft) -> None:
    source = draft.take(draft.number(1, 4), draft.kind())
    begin = [draft.number(0, size - 1) for size in source.shape]
    sizes = [draft.number(1, size - at) for size, at in zip(source.shape, begin, strict=True)]
    axes = zip(begin, sizes, source.shape, strict=True)
    named = [-1 if at + n == size and draft.flip(0.4) else n for at, n, size in axes]
    draft.same("slice", [source, draft.shape_constant(begin), draft.shape_constant(named)], sizes, source)


def strided_slice(draft: Draft) -> None:
    source = draft.take(draft.number(1, 4), draft.kind())
    begins, ends, strides, shape = [], [], [], []
    masks = {"begin_mask": 0, "end_mask": 0, "shrink_axis_mask": 0}
    for axis, size in enumerate(source.shape):
        step = draft.pick(1, 1, 2, 3, -1, -2)
        begin = draft.number(0, size - 1)
        if axis and draft.flip(0.12):
            masks["shrink_axis_mask"] |= 1 << axis
            begins.append(begin), ends.append(begin + 1), strides.append(1)
            continue
        if draft.flip(0.25):
            masks["begin_mask"] |= 1 << axis
            begin = 0 if step > 0 else size - 1
        end = draft.number(begin + 1, size) if step > 0 else draft.number(-size - 1, begin - 1 - size)
        if draft.flip(0.25):
            masks["end_mask"] |= 1 << axis
            end = size if step > 0 else -size - 1
        stop = end if step > 0 else end + size
        shape.append(len(range(begin, stop, step)))
        begins.append(begin - size if draft.flip(0.3) else begin), ends.append(end), strides.append(step)
    keys = [source, *(draft.shape_constant(values) for values in (begins, ends, strides))]
    draft.same("strided_slice", keys, shape, source, ellipsis_mask=0, new_axis_mask=0, **masks)


def transpose(draft: Draft) -> None:
    source = draft.take(draft.number(2, 4), draft.kind())
    order = [int(axis) for axis in draft.chance.permutation(len(source.shape))]
    if draft.flip(0.6):
        order = [0, *(axis for axis in order if axis)]
    shape = tuple(source.shape[axis] for axis in order)
    draft.same("transpose", [source, draft.shape_constant(order)], shape, source)


def pack(draft: Draft) -> None:
    first = draft.any(accept=lambda node: len(node.shape) <= 3 and node.elements <= MOST_ELEMENTS // 3)
    if len(first.shape) > 3 or first.elements > MOST_ELEMENTS // 3:
        first = draft.input(draft.sizes(2))
    pieces: list[Node | int] = [first]
    for _ in range(draft.number(1, 2)):
        same = draft.values_like(first.shape, first)
        pieces.append(draft.pick(first, same))
    axis = draft.number(0, len(first.shape))
    shape = (*first.shape[:axis], len(pieces), *first.shape[axis:])
    draft.same("pack", pieces, shape, first, axis=axis, values_count=len(pieces))


def unpack(draft: Draft) -> None:
    source = draft.any(accept=lambda node: len(node.shape) > 1 and min(node.shape) <= 5)
    if len(source.shape) < 2 or min(source.shape) > 5:
        source = draft.input((1, draft.number(1, 5), draft.number(1, 5)))
    axis = draft.pick(*(axis for axis, size in enumerate(source.shape) if size <= 5))
    shape = (*source.shape[:axis], *source.shape[axis + 1 :])
    targets = [draft.target(shape, source) for _ in range(source.shape[axis])]
    draft.put_all("unpack", [source], targets, axis=axis, num=len(targets))


def gather(draft: Draft) -> None:
    source = _small(draft, draft.pick(2, 3))
    axis = draft.number(0, len(source.shape) - 1)
    shape = draft.pick((), (draft.number(1, 4),), (draft.number(1, 3), draft.number(1, 2)))
    if draft.flip(0.6):
        data = draft.chance.integers(0, source.shape[axis], shape)
        indices: Node | int = draft.constant(np.asarray(data, np.int32))
    else:
        indices = draft.input(shape or (1,), "int32", (0, source.shape[axis] - 1))
        shape = shape or (1,)
    result = (*source.shape[:axis], *shape, *source.shape[axis + 1 :])
    draft.same("gather", [source, indices], result, source, axis=axis, batch_dims=0)


def gather_nd(draft: Draft) -> None:
    source = _small(draft, draft.pick(2, 3, 4))
    depth = draft.number(1, len(source.shape))
    count = draft.number(1, 5)
    data = np.stack([draft.chance.integers(0, size, count) for size in source.shape[:depth]], axis=-1)
    shape = (count, *source.shape[depth:])
    draft.same("gather_nd", [source, draft.constant(data.astype(np.int32))], shape, source)


def _resize(operator: str) -> Entry:
    def entry(draft: Draft) -> None:
        source = draft.image()
        size = (draft.number(1, 8), draft.number(1, 8))
        corners, centers = draft.pick((False, False), (True, False), (False, True))
        draft.same(
            operator, [source, draft.shape_constant(size)], (1, *size, source.shape[3]), source,
            align_corners=corners, half_pixel_centers=centers,
        )  # fmt: skip

    return entry


def space_to_depth(draft: Draft) -> None:
    block = draft.number(2, 3)
    rows, columns, depth = block * draft.number(1, 3), block * draft.number(1, 3), draft.number(1, 3)
    source = _of_shape(draft, (1, rows, columns, depth))
    shape = (1, rows // block, columns // block, depth * block * block)
    draft.same("space_to_depth", [source], shape, source, block_size=block)


def depth_to_space(draft: Draft) -> None:
    block = draft.number(2, 3)
    rows, columns, depth = draft.number(1, 3), draft.number(1, 3), draft.number(1, 3)
    source = _of_shape(draft, (1, rows, columns, depth * block * block))
    draft.same("depth_to_space", [source], (1, rows * block, columns * block, depth), source, block_size=block)


def _of_shape(draft: Draft, shape: Shape) -> Node:
    """A tensor of exactly that shape: there, reshaped, or a new input."""
    fitting = [node for node in draft.tensors() if node.elements == math.prod(shape)]
    if not fitting:
        return draft.input(shape)
    node = fitting[draft.number(0, len(fitting) - 1)]
    return node if node.shape == shape else draft.reshape(node, shape)


def space_to_batch_nd(draft: Draft) -> None:
    """Without padding: TensorFlow Lite Micro pads with whatever its memory holds."""
    source = _small(draft, 4)
    block = [draft.pick(*(step for step in (1, 2, 3) if size % step == 0)) for size in source.shape[1:3]]
    sizes = [size // step for size, step in zip(source.shape[1:3], block, strict=True)]
    keys = [source, draft.shape_constant(block), draft.constant(np.zeros((2, 2), np.int32))]
    draft.same("space_to_batch_nd", keys, (math.prod(block), *sizes, source.shape[3]), source)


def batch_to_space_nd(draft: Draft) -> None:
    block = [draft.number(1, 3), draft.number(1, 2)]
    sizes = [draft.number(1, 4), draft.number(1, 4)]
    source = _of_shape(draft, (math.prod(block), *sizes, draft.number(1, 3)))
    crops = [(draft.number(0, 1), 0) if n * step > 1 else (0, 0) for n, step in zip(sizes, block, strict=True)]
    left = [n * step - sum(pair) for n, step, pair in zip(sizes, block, crops, strict=True)]
    keys = [source, draft.shape_constant(block), draft.constant(np.array(crops, np.int32))]
    draft.same("batch_to_space_nd", keys, (1, *left, source.shape[3]), source)


ENTRIES: dict[str, Entry] = {
    "batch_to_space_nd": batch_to_space_nd,
    "concatenation": concatenation,
    "depth_to_space": depth_to_space,
    "expand_dims": expand_dims,
    "gather": gather,
    "gather_nd": gather_nd,
    "mirror_pad": mirror_pad,
    "pack": pack,
    "pad": pad,
    "padv2": padv2,
    "reshape": reshape,
    "resize_bilinear": _resize("resize_bilinear"),
    "resize_nearest_neighbor": _resize("resize_nearest_neighbor"),
    "slice": slice_,
    "space_to_batch_nd": space_to_batch_nd,
    "space_to_depth": space_to_depth,
    "split": split,
    "split_v": split_v,
    "squeeze": squeeze,
    "strided_slice": strided_slice,
    "transpose": transpose,
    "unpack": unpack,
}

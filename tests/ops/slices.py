"""slice and strided_slice."""

from __future__ import annotations

from typing import Any

from kits.draft import Draft
from kits.operator_models import OneOperator

SHAPE = (2, 3, 4)


def sliced(
    *,
    dtype: str = "int8",
    begin: tuple[int, ...] = (1, 0, 2),
    size: tuple[int, ...] = (1, -1, 2),
    output: tuple[int, ...] = (1, 3, 2),
    numbers: str = "int32",
) -> bytes:
    model = OneOperator()
    keys = [model.tensor(SHAPE, dtype), model.numbers(begin, numbers), model.numbers(size, numbers)]
    return model.build("slice", keys, [model.tensor(output, dtype)])


def strided(
    *,
    dtype: str = "int8",
    begin: tuple[int, ...] = (0, -1, 3),
    end: tuple[int, ...] = (2, -4, 0),
    strides: tuple[int, ...] = (1, -1, -2),
    output: tuple[int, ...] = (2, 3, 2),
    **masks: Any,
) -> bytes:
    model = OneOperator()
    keys = [model.tensor(SHAPE, dtype), *(model.numbers(values) for values in (begin, end, strides))]
    return model.build("strided_slice", keys, [model.tensor(output, dtype)], **masks)


CORNERS = [
    *(sliced(dtype=dtype, numbers="int64") for dtype in ("int16", "int32", "bool")),
    *(strided(dtype=dtype) for dtype in ("int8", "int16", "int32", "bool")),
    strided(begin=(1, -9, 9), end=(0, 9, -9), output=(3, 2), strides=(1, 1, -2), shrink_axis_mask=1),
    strided(begin_mask=6, end_mask=6, strides=(2, 2, -1), output=(1, 2, 4)),
]
"""models that equal TensorFlow Lite Micro"""


REFUSALS = [
    (model(**arguments), rule)
    for model, arguments, rule in (
        (sliced, {"begin": (2, 0, 2)}, "Every index it reads exists"),
        (sliced, {"begin": (-1, 0, 2)}, "Every index it reads exists"),
        (sliced, {"size": (1, 2, 2)}, "has the shape of the box"),
        (sliced, {"begin": (1, 0), "size": (1, 3)}, "a number for each"),
        (sliced, {"numbers": "int16"}, "int32 or int64"),
        (strided, {"strides": (1, 0, -2)}, "no stride 0"),
        (strided, {"output": (2, 2, 2)}, "has the shape of the box"),
        (strided, {"ellipsis_mask": 1}, "an ellipsis, a new axis"),
        (strided, {"new_axis_mask": 1}, "an ellipsis, a new axis"),
        (strided, {"shrink_axis_mask": 4}, "positive stride"),
        (strided, {"begin": (2, -1, 3), "shrink_axis_mask": 1, "output": (3, 2)}, "Every index it reads exists"),
    )
]
"""models that are refused, and words of the rule they break"""


def slice_node(draft: Draft) -> None:
    source = draft.take(draft.number(1, 4), draft.kind())
    begin = [draft.number(0, size - 1) for size in source.shape]
    sizes = [draft.number(1, size - at) for size, at in zip(source.shape, begin, strict=True)]
    axes = zip(begin, sizes, source.shape, strict=True)
    if source.dtype != "bool" and draft.flip(0.2):
        most = min(size - count for size, count in zip(source.shape, sizes, strict=True))
        computed = draft.input((len(begin),), "int32", (0, most))
        draft.same("slice", [source, computed, draft.shape_constant(sizes)], sizes, source)
        return
    named = [-1 if at + n == size and draft.flip(0.4) else n for at, n, size in axes]
    draft.same("slice", [source, draft.shape_constant(begin), draft.shape_constant(named)], sizes, source)


def strided_slice_node(draft: Draft) -> None:
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


NODES = {"slice": slice_node, "strided_slice": strided_slice_node}

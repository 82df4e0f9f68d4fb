"""Operators that move elements, gather them or resize images, against TensorFlow Lite Micro, and their refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from kits import tflm
from kits.random_graph import draw
from kits.tflite_builder import TfliteBuilder
from tinyedge.arithmetic.movement import Movement
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.resize import ONE, BilinearAxis

DRAWN = (
    "batch_to_space_nd",
    "broadcast_to",
    "concatenation",
    "depth_to_space",
    "fill",
    "gather",
    "gather_nd",
    "mirror_pad",
    "pack",
    "resize_bilinear",
    "resize_nearest_neighbor",
    "shape",
    "slice",
    "space_to_batch_nd",
    "space_to_depth",
    "split",
    "split_v",
    "strided_slice",
    "transpose",
    "unpack",
    "zeros_like",
)
SHAPE = (2, 3, 4)


@pytest.mark.parametrize("operator", DRAWN)
@settings(max_examples=25, deadline=None)
@given(seed=tflm.seeds)
def test_equals_tflm(operator: str, seed: int) -> None:
    model = draw(seed, 0, [operator], further=0)
    tflm.assert_exact_over_time(model.tflite, model.samples(2))


class _Model:
    """A model of one operator, made of keyword arguments that tests change one by one."""

    def __init__(self) -> None:
        self.builder = TfliteBuilder()

    def tensor(self, shape: tuple[int, ...], dtype: str = "int8", **given: Any) -> int:
        quantization = {"scale": 0.1, "zero_point": -7 if dtype == "int8" else 0} if dtype != "bool" else {}
        return self.builder.tensor(shape, dtype, **{**quantization, **given})

    def numbers(self, values: Any, dtype: str = "int32") -> int:
        data = np.array(values, dtype)
        return self.builder.tensor(data.shape, dtype, data=data)

    def build(self, name: str, keys: list[int], outputs: list[int], **options: Any) -> bytes:
        self.builder.operator(name, keys, outputs, **options)
        return self.builder.build([key for key in keys if self._is_computed(key)], outputs)

    def _is_computed(self, key: int) -> bool:
        return key >= 0 and self.builder.graph.tensors[key].buffer == 0


def joined(
    *,
    dtype: str = "int8",
    shapes: tuple[tuple[int, ...], ...] = ((2, 1, 4), (2, 3, 4)),
    output: tuple[int, ...] = (2, 4, 4),
    axis: int = 1,
    activation: str = "none",
    scale: float = 0.1,
    zero_point: int = -7,
) -> bytes:
    model = _Model()
    keys = [model.tensor(shape, dtype) for shape in shapes[:-1]]
    special = {"scale": scale, "zero_point": zero_point} if dtype == "int8" else {}
    keys.append(model.tensor(shapes[-1], dtype, **special))
    target = model.tensor(output, dtype)
    return model.build("concatenation", keys, [target], axis=axis, fused_activation_function=activation)


def packed(*, shapes: tuple[tuple[int, ...], ...] = ((3, 4), (3, 4)), output: tuple[int, ...] = SHAPE) -> bytes:
    model = _Model()
    keys = [model.tensor(shape) for shape in shapes]
    return model.build("pack", keys, [model.tensor(output)], axis=0, values_count=len(keys))


def cut(
    name: str = "split",
    *,
    dtype: str = "int8",
    axis: int = 2,
    outputs: tuple[tuple[int, ...], ...] = ((2, 3, 2), (2, 3, 2)),
    sizes: tuple[int, ...] = (2, 2),
    axis_known: bool = True,
) -> bytes:
    model = _Model()
    source = model.tensor(SHAPE, dtype)
    named = model.numbers(axis) if axis_known else model.tensor((1,), "int32")
    targets = [model.tensor(shape, dtype) for shape in outputs]
    if name == "unpack":
        return model.build(name, [source], targets, axis=axis, num=len(targets))
    keys = [named, source] if name == "split" else [source, model.numbers(sizes), named]
    return model.build(name, keys, targets, num_splits=len(targets))


def sliced(
    *,
    dtype: str = "int8",
    begin: tuple[int, ...] = (1, 0, 2),
    size: tuple[int, ...] = (1, -1, 2),
    output: tuple[int, ...] = (1, 3, 2),
    numbers: str = "int32",
) -> bytes:
    model = _Model()
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
    model = _Model()
    keys = [model.tensor(SHAPE, dtype), *(model.numbers(values) for values in (begin, end, strides))]
    return model.build("strided_slice", keys, [model.tensor(output, dtype)], **masks)


def transposed(
    *, dtype: str = "int8", order: tuple[int, ...] = (2, 0, 1), output: tuple[int, ...] = (4, 2, 3)
) -> bytes:
    model = _Model()
    return model.build("transpose", [model.tensor(SHAPE, dtype), model.numbers(order)], [model.tensor(output, dtype)])


def mirrored(
    *, pairs: Any = ((0, 0), (1, 2), (3, 0)), mode: int = 0, output: tuple[int, ...] = (2, 6, 7), numbers: str = "int64"
) -> bytes:
    model = _Model()
    return model.build(
        "mirror_pad", [model.tensor(SHAPE), model.numbers(pairs, numbers)], [model.tensor(output)], mode=mode
    )


def blocks(name: str, source: tuple[int, ...], target: tuple[int, ...], block: int = 2) -> bytes:
    model = _Model()
    return model.build(name, [model.tensor(source)], [model.tensor(target)], block_size=block)


def batched(
    name: str = "space_to_batch_nd",
    source: tuple[int, ...] = (1, 4, 6, 2),
    target: tuple[int, ...] = (4, 2, 3, 2),
    block: tuple[int, ...] = (2, 2),
    border: Any = ((0, 0), (0, 0)),
) -> bytes:
    model = _Model()
    keys = [model.tensor(source), model.numbers(block), model.numbers(border)]
    return model.build(name, keys, [model.tensor(target)])


def stretched(
    *, source: tuple[int, ...] = (3, 1), shape: tuple[int, ...] = SHAPE, output: tuple[int, ...] = SHAPE, **given: Any
) -> bytes:
    model = _Model()
    dtype = given.get("dtype", "int8")
    return model.build(
        "broadcast_to", [model.tensor(source, dtype), model.numbers(shape)], [model.tensor(output, dtype)]
    )


def gathered(
    *,
    indices: Any = (2, 0, 2),
    axis: int = 1,
    batch_dims: int = 0,
    output: tuple[int, ...] = (2, 3, 4),
    numbers: str = "int32",
) -> bytes:
    model = _Model()
    keys = [model.tensor(SHAPE), model.numbers(indices, numbers)]
    return model.build("gather", keys, [model.tensor(output)], axis=axis, batch_dims=batch_dims)


def gathered_nd(*, indices: Any = ((1, 2), (0, 0)), output: tuple[int, ...] = (2, 4)) -> bytes:
    model = _Model()
    return model.build("gather_nd", [model.tensor(SHAPE), model.numbers(indices)], [model.tensor(output)])


def resized(
    name: str = "resize_bilinear",
    *,
    dtype: str = "int8",
    source: tuple[int, ...] = (1, 3, 4, 2),
    size: tuple[int, ...] = (5, 2),
    output: tuple[int, ...] = (1, 5, 2, 2),
    align_corners: bool = False,
    half_pixel_centers: bool = False,
) -> bytes:
    model = _Model()
    keys = [model.tensor(source, dtype), model.numbers(size)]
    options = {"align_corners": align_corners, "half_pixel_centers": half_pixel_centers}
    return model.build(name, keys, [model.tensor(output, dtype)], **options)


@pytest.mark.parametrize(
    "tflite",
    [
        *(joined(dtype=dtype) for dtype in ("int16", "int32", "int64", "bool")),
        joined(shapes=((2, 4, 4),), output=(2, 4, 4)),
        *(cut(dtype=dtype) for dtype in ("int16", "int32")),
        cut("split_v", outputs=((2, 3, 1), (2, 3, 3)), sizes=(1, -1)),
        cut("unpack", axis=-3, outputs=((3, 4), (3, 4))),
        *(sliced(dtype=dtype, numbers="int64") for dtype in ("int16", "int32", "bool")),
        *(strided(dtype=dtype) for dtype in ("int8", "int16", "int32", "bool")),
        strided(begin=(1, -9, 9), end=(0, 9, -9), output=(3, 2), strides=(1, 1, -2), shrink_axis_mask=1),
        strided(begin_mask=6, end_mask=6, strides=(2, 2, -1), output=(1, 2, 4)),
        transposed(dtype="int16"),
        mirrored(),
        mirrored(pairs=((2, 1), (3, 0), (0, 4)), output=(5, 6, 8), mode=1),
        batched(),
        batched(source=(1, 6, 2), target=(2, 3, 2), block=(2,), border=((0, 0),)),
        batched("batch_to_space_nd", source=(4, 2, 3, 2), target=(1, 3, 4, 2), border=((1, 0), (0, 2))),
        batched("batch_to_space_nd", source=(2, 3, 2), target=(1, 5, 2), block=(2,), border=((0, 1),)),
        *(stretched(dtype=dtype) for dtype in ("int16", "int32", "int64")),
        gathered(axis=-1, indices=((3, 0), (1, 1)), output=(2, 3, 2, 2)),
        gathered(axis=2, batch_dims=1, indices=((3, 0), (1, 1)), output=(2, 3, 2)),
        gathered_nd(indices=((1,), (0,), (1,)), output=(3, 3, 4)),
        gathered_nd(indices=((1, 2, 3),), output=(1,)),
        resized("resize_nearest_neighbor", dtype="int16", align_corners=True, half_pixel_centers=True),
        resized(size=(1, 1), output=(1, 1, 1, 2), align_corners=True),
    ],
)
def test_types_and_corners_equal_tflm(tflite: bytes) -> None:
    graph = read_model(tflite, "m")
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        sample = []
        for tensor in graph.input_tensors():
            values = rng.integers(-128, 128, tensor.shape)
            sample.append(np.asarray(values > 0 if tensor.dtype.value == "bool" else values, tensor.dtype.numpy))
        tflm.assert_exact_over_time(tflite, [sample])


REFUSALS: list[tuple[Callable[..., bytes], dict[str, Any], str]] = [
    (joined, {"scale": 0.2}, "exactly the output's scale and zero point"),
    (joined, {"zero_point": 3}, "exactly the output's scale and zero point"),
    (joined, {"activation": "relu"}, "no fused activation"),
    (joined, {"axis": 3}, "add up to the output"),
    (joined, {"output": (2, 5, 4)}, "add up to the output"),
    (joined, {"shapes": ((2, 4), (2, 3, 4))}, "add up to the output"),
    (joined, {"shapes": ((2, 1, 4),) * 11, "output": (2, 11, 4)}, "1 to 10 inputs"),
    (packed, {"shapes": ((3, 4), (4, 3))}, "All inputs have one shape"),
    (packed, {"output": (3, 3, 4)}, "All inputs have one shape"),
    (cut, {"axis": 3}, "The axis exists"),
    (cut, {"axis_known": False}, "constant of int32"),
    (cut, {"dtype": "int64"}, "int8, int16 or int32"),
    (cut, {"outputs": ((2, 3, 1), (2, 3, 3))}, "in equal shares"),
    (cut, {"name": "split_v", "sizes": (1, 3)}, "sizes of split_v"),
    (cut, {"name": "split_v", "sizes": (2, 2, 2)}, "sizes of split_v"),
    (cut, {"name": "unpack", "axis": 0, "outputs": ((3, 4),)}, "without the axis"),
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
    (transposed, {"dtype": "int32"}, "int8 or int16"),
    (transposed, {"order": (0, 0, 1)}, "names each of one to five axes once"),
    (transposed, {"order": (-1, 0, 1)}, "counted from the front"),
    (transposed, {"output": (4, 3, 2)}, "in that order"),
    (mirrored, {"pairs": ((0, 0), (1, 3), (3, 0)), "output": (2, 7, 7)}, "No border is wider"),
    (mirrored, {"pairs": ((0, 0), (-1, 2), (3, 0))}, "none negative"),
    (mirrored, {"output": (2, 6, 8)}, "larger than the input by the paddings"),
    (mirrored, {"numbers": "int16"}, "int32 or int64"),
    (blocks, {"name": "space_to_depth", "source": (1, 3, 4, 1), "target": (1, 1, 2, 4)}, "divide the larger side"),
    (blocks, {"name": "depth_to_space", "source": (1, 2, 2, 6), "target": (1, 4, 4, 1)}, "divide the larger side"),
    (blocks, {"name": "space_to_depth", "source": (4, 4, 1), "target": (2, 2, 4)}, "four dimensions"),
    (batched, {"border": ((2, 0), (0, 0)), "target": (4, 3, 3, 2)}, "has no border, or its zero point is 0"),
    (batched, {"block": (2, 3)}, "Blocks divide the space"),
    (batched, {"block": (2,)}, "for each spatial dimension"),
    (batched, {"source": (1, 4), "target": (2, 2), "block": (2,)}, "three .* or four dimensions"),
    (stretched, {"source": (2, 1)}, "broadcasts to the output"),
    (stretched, {"shape": (2, 3, 5)}, "constant of int32 or int64, that of the output"),
    (gathered, {"indices": (3, 0, 2)}, "name what is there"),
    (gathered, {"indices": (-1, 0, 2)}, "name what is there"),
    (gathered, {"axis": 3}, "The axis exists"),
    (gathered, {"batch_dims": 1}, "same for both inputs"),
    (gathered, {"output": (2, 4, 3)}, "in place of the axis"),
    (gathered, {"numbers": "int64"}, "indices are int32"),
    (gathered_nd, {"indices": ((1, 3), (0, 0))}, "name what is there"),
    (gathered_nd, {"indices": ((1, 2, 3, 0),), "output": (1,)}, "one to five leading axes"),
    (gathered_nd, {"output": (4, 2)}, "the other dimensions of the indices"),
    (resized, {"dtype": "int16"}, "int8"),
    (resized, {"align_corners": True, "half_pixel_centers": True}, "Not both"),
    (resized, {"size": (5, 3)}, "height and width of the output"),
    (resized, {"source": (1, 3, 4, 3)}, "equal channels"),
    (
        resized,
        {"source": (1, 7, 1, 1), "size": (9001, 1), "output": (1, 9001, 1, 1)},
        "No output lies behind the last cell",
    ),
]


@pytest.mark.parametrize(("model", "arguments", "rule"), REFUSALS)
def test_refusals(model: Callable[..., bytes], arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(model(**arguments), "m"))


def test_an_index_beyond_the_end_is_limited() -> None:
    """TensorFlow Lite Micro reads what lies there; a device must not."""
    from tinyedge.ops.reference import run_graph

    model = _Model()
    source, indices = model.tensor(SHAPE), model.tensor((4,), "int32")
    graph = read_model(model.build("gather", [source, indices], [model.tensor((2, 4, 4))], axis=1, batch_dims=0), "m")
    values = np.arange(24, dtype=np.int8).reshape(SHAPE)
    chosen = np.array([-5, 0, 2, 1 << 20], np.int32)
    output = run_graph(graph, [values, chosen])[graph.outputs[0]]
    np.testing.assert_array_equal(output, values[:, [0, 0, 2, 2]])


def test_axes_are_merged_where_both_sides_allow_it() -> None:
    (layer,) = parse_graph(read_model(joined(), "m"))
    params: Movement = layer.params
    assert [(copy.sizes, copy.target_steps) for copy in params.copies] == [((2, 4), (16, 1)), ((2, 12), (16, 1))]
    assert params.element_bytes == 1
    (layer,) = parse_graph(read_model(cut(dtype="int32", axis=0, outputs=((1, 3, 4), (1, 3, 4))), "m"))
    assert [(copy.target, copy.sizes) for copy in layer.params.copies] == [(0, (12,)), (1, (12,))]


def test_places_of_bilinear_outputs() -> None:
    before, behind, weight = BilinearAxis(3, 6, ONE // 2, ONE // 4 - ONE // 2).places()
    assert before.tolist() == [0, 0, 0, 1, 1, 2]
    assert behind.tolist() == [0, 1, 1, 2, 2, 2]
    assert weight.tolist() == [-256, 256, 768, 256, 768, 256]

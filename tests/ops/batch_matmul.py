"""batch_matmul: nodes, corners and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from kits import operator_models, tflm
from kits.draft import Draft, Node
from kits.kernel_layers import Rng, drafted
from kits.nodes import INT8_SPREAD
from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph

Shape = tuple[int, ...]


def multiplied(
    *,
    left: Shape = (2, 3, 4),
    right: Shape = (2, 4, 5),
    output: Shape = (2, 3, 5),
    adj_x: bool = False,
    adj_y: bool = False,
    left_data: bool = False,
    right_data: bool = False,
    dtype: str = "int8",
    right_scale: float | list[float] = 0.02,
    zero_points: tuple[int, int] = (-7, 9),
    output_scale: float = 0.3,
) -> bytes:
    rng = np.random.default_rng(4)
    builder = TfliteBuilder()
    zeros = zero_points if dtype == "int8" else (0, 0)
    keys = []
    for shape, scale, zero, known in (
        (left, 0.05, zeros[0], left_data),
        (right, right_scale, zeros[1], right_data),
    ):
        data = rng.integers(-128, 128, shape).astype(dtype) if known else None
        keys.append(builder.tensor(shape, dtype, scale=scale, zero_point=zero, axis=len(shape) - 1, data=data))
    target = builder.tensor(output, dtype, scale=output_scale, zero_point=3 if dtype == "int8" else 0)
    builder.operator("batch_matmul", keys, [target], adj_x=adj_x, adj_y=adj_y)
    inputs = [key for key, known in zip(keys, (left_data, right_data), strict=True) if not known]
    return builder.build(inputs or [builder.tensor((1,), scale=0.1)], [target])


@pytest.mark.parametrize("dtype", ["int8", "int16"])
@pytest.mark.parametrize("zero_points", [(-128, 127), (127, -128), (0, 0)])
@pytest.mark.parametrize("adjoint", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 4), (4, 5)), ((2, 3, 4), (4, 5)), ((1, 3, 4), (6, 4, 5)), ((2, 1, 3, 4), (5, 4, 1)), ((2, 1, 2, 3, 4),) * 2],
)
def test_equals_tflm(
    left: Shape, right: Shape, adjoint: tuple[bool, bool], zero_points: tuple[int, int], dtype: str
) -> None:
    if left == right:
        right = (*right[:-2], right[-1], 6)
    batches = np.broadcast_shapes(left[:-2], right[:-2])
    output = (*batches, left[-2], right[-1])
    if adjoint[0]:
        left = (*left[:-2], left[-1], left[-2])
    if adjoint[1]:
        right = (*right[:-2], right[-1], right[-2])
    given: dict[str, Any] = {"left": left, "right": right, "output": output, "zero_points": zero_points, "dtype": dtype}
    for known in ({}, {"right_data": True}):
        tflite = multiplied(**given, adj_x=adjoint[0], adj_y=adjoint[1], **known)
        for seed in range(4):
            tflm.assert_bit_exact(tflite, seed)


def test_a_constant_left_side_equals_tflm() -> None:
    tflm.assert_bit_exact(multiplied(left_data=True), 1)


def test_parameters() -> None:
    (layer,) = parse_graph(read_model(multiplied(right_data=True), "m"))
    assert (layer.params.left_shape, layer.params.depth, layer.macs) == ((1, 1, 2, 3, 4), 4, 2 * 3 * 5 * 4)
    assert [tensor.shape for tensor in layer.inputs] == [(2, 3, 4)]


REFUSALS = [
    (multiplied(**arguments), rule)
    for arguments, rule in (
        ({"left_data": True, "right_data": True}, "At least one of its inputs"),
        ({"dtype": "int32"}, "all int8 or all int16"),
        ({"dtype": "int16", "output_scale": 1e-6}, "2\\*\\*7 times for int16"),
        ({"dtype": "int16", "left": (1, 65537), "right": (65537, 1), "output": (1, 1)}, "int16: 65,536"),
        ({"right_scale": [0.1] * 4 + [0.2]}, "each with one scale"),
        ({"right": (2, 3, 5)}, "matrices that can be multiplied"),
        ({"right": (3, 4, 5)}, "others broadcast"),
        ({"output": (2, 5, 3)}, "matrices that can be multiplied"),
        ({"left": (4,), "output": (2, 5)}, "two to five dimensions"),
        ({"left": (1, 40000), "right": (40000, 1), "output": (1, 1)}, "at most 33,025 products"),
        ({"output_scale": 1e-30}, "less than 2\\*\\*30 times"),
    )
]
"""models that are refused, and words of the rule they break"""


def batch_matmul_node(draft: Draft) -> None:
    kind = draft.kind()
    first = draft.take(draft.pick(2, 3, 3, 4), kind)
    flipped = (draft.flip(0.4), draft.flip(0.4))
    depth = first.shape[-2] if flipped[0] else first.shape[-1]
    rows = first.shape[-1] if flipped[0] else first.shape[-2]
    columns = draft.number(1, 8)
    shape = (*first.shape[:-2], columns, depth) if flipped[1] else (*first.shape[:-2], depth, columns)
    spread = INT8_SPREAD * (256 if kind == "int16" else 1)
    second: Node | int
    if draft.flip(0.5):
        scale = draft.scale(1.0, kind)
        second = draft.values(shape, scale, draft.number(-9, 9) if kind == "int8" else 0, kind)
    else:
        second = draft.input(shape, kind, scale=draft.scale(1.0, kind))
        scale = second.scale
    draft.put(
        "batch_matmul", [first, second], (*first.shape[:-2], rows, columns), kind,
        scale=draft.scale(2.5 * first.scale * scale * spread**2 * math.sqrt(depth), kind),
        adj_x=flipped[0], adj_y=flipped[1],
    )  # fmt: skip


def batch_matmul_s16(rng: Rng) -> bytes:
    batches = operator_models.shape_of(rng, rank=2)
    rows, depth, columns = (int(size) for size in rng.integers(1, 9, 3))
    left, right = (*batches, rows, depth), (*batches, depth, columns)
    scales = {"right_scale": operator_models.scale(rng, -16, -8), "output_scale": operator_models.scale(rng, -14, -4)}
    return multiplied(
        left=left,
        right=right,
        output=(*batches, rows, columns),
        dtype="int16",
        right_data=bool(rng.random() < 0.5),
        **scales,
    )


MODELS = {"batch_matmul_s16": batch_matmul_s16}
NODES = {"batch_matmul": batch_matmul_node}
LAYERS = {"batch_matmul": drafted(batch_matmul_node, "batch_matmul")}

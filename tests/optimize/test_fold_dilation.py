"""Space to batch, a convolution, and back: one convolution with dilation, where it computes the same."""

from __future__ import annotations

import numpy as np
import pytest

from kits import tflm
from kits.net import Net, Node, assert_same_outputs, weights
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.optimize.fold_dilation import fold_dilation

Pairs = tuple[tuple[int, int], tuple[int, int]]
NONE: Pairs = ((0, 0), (0, 0))


def names(graph: Graph) -> list[str]:
    return [op.name for op in graph.operators]


def dilated(
    *,
    size: tuple[int, int] = (7, 9),
    blocks: tuple[int, int] = (2, 3),
    border: Pairs = NONE,
    crop: Pairs = NONE,
    zero_point: int = 0,
    padding: str = "valid",
    stride: int = 1,
    depthwise: bool = False,
    other_zero_point: int | None = None,
    also: bool = False,
) -> bytes:
    net = Net()
    source = net.input((1, *size, 2), zero_point=zero_point)
    grown = [n + sum(pair) for n, pair in zip(size, border, strict=True)]
    assert all(n % block == 0 for n, block in zip(grown, blocks, strict=True)), grown
    count = blocks[0] * blocks[1]
    inside = zero_point if other_zero_point is None else other_zero_point
    apart = net.node((count, grown[0] // blocks[0], grown[1] // blocks[1], 2), 0.05, inside)
    shape = net.constant(np.array(blocks, np.int32))
    net.builder.operator(
        "space_to_batch_nd", [source.key, shape, net.constant(np.array(border, np.int32))], [apart.key]
    )
    kernel = weights(3, *((1, 2, 3, 4) if depthwise else (4, 2, 3, 2)))
    made = net.conv(apart, kernel, np.array([9, -70, 300, 0]), padding=padding, stride=stride, depthwise=depthwise)
    net.builder.graph.tensors[made.key].shape = [count, *made.shape[1:]]
    rows, columns = (made.shape[1 + at] * blocks[at] - sum(crop[at]) for at in (0, 1))
    target = net.node((1, rows, columns, 4), made.scale, made.zero_point)
    shape = net.constant(np.array(blocks, np.int32))
    net.builder.operator("batch_to_space_nd", [made.key, shape, net.constant(np.array(crop, np.int32))], [target.key])
    outputs = [target, *([Node(apart.key, (), 1.0, 0)] if also else [])]
    return net.builder.build(net.inputs, [node.key for node in outputs])


SAME: Pairs = ((1, 2), (3, 3))
"""what a window of 2 by 3 that is dilated by 2 by 3 needs around 7 by 9, with the rest that makes blocks whole"""


@pytest.mark.parametrize("depthwise", [False, True])
@pytest.mark.parametrize(
    "given",
    [
        {"size": (8, 9)},
        {"border": SAME},
        {"border": SAME, "crop": ((0, 1), (0, 0))},
        {"border": ((1, 0), (0, 0)), "zero_point": 0, "padding": "same", "crop": ((1, 0), (0, 0))},
        {"size": (8, 9), "padding": "same", "zero_point": -7},
        {"border": ((0, 1), (0, 0)), "crop": ((0, 1), (0, 0)), "zero_point": 5},
    ],
)
def test_it_becomes_one_convolution(given: dict[str, object], depthwise: bool) -> None:
    tflite = dilated(depthwise=depthwise, **given)  # type: ignore[arg-type]
    if "border" not in given:  # TensorFlow Lite Micro fills one with what its memory held: 0 in a fresh process
        tflm.assert_bit_exact(tflite, 1)
    before = read_model(tflite, "m")
    after = fold_dilation(before)
    assert names(after) == ["depthwise_conv_2d" if depthwise else "conv_2d"]
    assert after.operators[0].options["dilation_w_factor"] == 3
    assert_same_outputs(before, after)


@pytest.mark.parametrize(
    "given",
    [
        {"border": SAME, "zero_point": 4},
        {"size": (8, 9), "stride": 2},
        {"size": (8, 9), "other_zero_point": 3},
        {"size": (8, 9), "also": True},
        {"border": ((7, 0), (0, 0))},
        {"size": (8, 9), "crop": ((1, 0), (0, 0))},
    ],
)
def test_it_stays_where_it_would_compute_something_else(given: dict[str, object]) -> None:
    before = read_model(dilated(**given), "m")  # type: ignore[arg-type]
    assert fold_dilation(before) is before

"""Transposes in front of reductions and of dense layers go: both take their inputs in any order."""

from __future__ import annotations

import pytest

from kits.net import Net, assert_same_outputs, weights
from tinyedge.graph.ir import Graph
from tinyedge.optimize import optimize_graph
from tinyedge.optimize.transpose_flatten import transpose_flatten
from tinyedge.optimize.transpose_reduction import transpose_reduction

FIRST = (0, 3, 1, 2)


def names(graph: Graph) -> list[str]:
    return [operator.name for operator in optimize_graph(graph).operators]


@pytest.mark.parametrize("kind", ["mean", "sum", "reduce_max", "reduce_min"])
def test_a_reduction_reads_the_original(kind: str) -> None:
    net = Net()
    before = net.graph(net.reduce(net.transpose(net.input((1, 5, 4, 3)), FIRST), kind, (2, 3)))
    after = transpose_reduction(before)
    assert names(after) == [kind]
    assert_same_outputs(before, after)


def test_axes_that_change_places_need_the_transpose() -> None:
    for axes, keep in (((3,), False), ((2, 3), True)):
        net = Net()
        before = net.graph(net.reduce(net.transpose(net.input((1, 5, 4, 3)), FIRST), "mean", axes, keep_dims=keep))
        after = transpose_reduction(before)
        assert after is before, axes


def test_one_axis_that_stays_last() -> None:
    net = Net()
    before = net.graph(net.reduce(net.transpose(net.input((2, 5, 3)), (0, 2, 1)), "mean", (2,)))
    after = transpose_reduction(before)
    assert names(after) == ["mean"]
    assert_same_outputs(before, after)


@pytest.mark.parametrize("shape", [(1, 4, 3, 5), (1, 1, 6, 2)])
def test_a_dense_layer_takes_its_weights_in_another_order(shape: tuple[int, ...]) -> None:
    net = Net()
    count = shape[1] * shape[2] * shape[3]
    flat = net.reshape(net.transpose(net.input(shape), FIRST), (1, count))
    before = net.graph(net.fully_connected(flat, weights(5, 7, count)), net.fully_connected(flat, weights(9, 2, count)))
    after = transpose_flatten(before)
    assert "transpose" not in names(after)
    assert_same_outputs(before, after)


def test_what_others_read_stays_in_order() -> None:
    net = Net()
    turned = net.transpose(net.input((1, 4, 3, 5)), FIRST)
    flat = net.reshape(turned, (1, 60))
    dense = net.fully_connected(flat, weights(5, 7, 60))
    for outputs in ((dense, flat), (dense, turned), (dense, net.relu(flat)), (dense, net.relu(turned))):
        before = net.graph(*outputs)
        assert transpose_flatten(before) is before


def test_rows_keep_their_elements() -> None:
    net = Net()
    source = net.input((2, 3, 4))
    flat = net.reshape(net.transpose(source, (1, 0, 2)), (3, 8))
    target = net.node((3, 2), 0.07, -5)
    net.builder.operator("fully_connected", net._weighted(flat, weights(5, 2, 8), 0, None), [target.key],
                         fused_activation_function="none")  # fmt: skip
    before = net.graph(target)
    assert transpose_flatten(before) is before

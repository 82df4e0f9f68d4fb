"""A border goes into the window that reads it, when both count it the same."""

from __future__ import annotations

import pytest

from kits.net import Net, assert_same_outputs, weights
from tinyedge.graph.ir import Graph
from tinyedge.optimize.fold_pad import fold_pad

BORDER = [(0, 0), (1, 2), (0, 1), (0, 0)]


def names(graph: Graph) -> list[str]:
    return [op.name for op in graph.operators]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("depthwise", [False, True])
def test_pad_goes_into_a_convolution(padding: str, stride: int, depthwise: bool) -> None:
    net = Net()
    padded = net.pad(net.input((1, 7, 6, 2)), BORDER)
    shape = (1, 5, 3, 4) if depthwise else (4, 5, 3, 2)
    before = net.graph(net.conv(padded, weights(1, *shape), stride=stride, padding=padding, depthwise=depthwise))
    after = fold_pad(before)
    assert names(after) == ["depthwise_conv_2d" if depthwise else "conv_2d"]
    assert_same_outputs(before, after)


def test_another_value_than_the_zero_point_stays() -> None:
    net = Net()
    padded = net.pad(net.input((1, 7, 6, 2)), BORDER, value=4)
    before = net.graph(net.conv(padded, weights(1, 4, 3, 3, 2), padding="valid"))
    assert fold_pad(before) is before


def test_padded_channels_stay() -> None:
    net = Net()
    padded = net.pad(net.input((1, 7, 6, 2)), [(0, 0), (1, 1), (1, 1), (0, 1)])
    before = net.graph(net.conv(padded, weights(1, 4, 3, 3, 3), padding="valid"))
    assert fold_pad(before) is before


def test_a_border_wider_than_the_window_stays() -> None:
    net = Net()
    padded = net.pad(net.input((1, 7, 6, 2)), [(0, 0), (3, 0), (0, 0), (0, 0)])
    before = net.graph(net.conv(padded, weights(1, 4, 3, 3, 2), padding="valid"))
    assert fold_pad(before) is before


def test_max_pooling_takes_the_lowest_value_only() -> None:
    for value, folded in ((-128, True), (3, False)):
        net = Net()
        padded = net.pad(net.input((1, 7, 6, 2)), [(0, 0), (1, 1), (1, 1), (0, 0)], value=value)
        before = net.graph(net.pool(padded, "max_pool_2d", 3))
        after = fold_pad(before)
        assert ("padv2" not in names(after)) == folded
        assert_same_outputs(before, after)


def test_average_pooling_counts_its_border_and_keeps_it() -> None:
    net = Net()
    padded = net.pad(net.input((1, 7, 6, 2)), [(0, 0), (1, 1), (1, 1), (0, 0)])
    before = net.graph(net.pool(padded, "average_pool_2d", 3))
    assert fold_pad(before) is before


def test_all_readers_fold_or_none() -> None:
    net = Net()
    padded = net.pad(net.input((1, 7, 6, 2)), BORDER)
    first = net.conv(padded, weights(1, 4, 3, 3, 2), padding="valid")
    second = net.conv(padded, weights(2, 2, 4, 4, 2), padding="valid")
    before = net.graph(first, second)
    after = fold_pad(before)
    assert names(after) == ["conv_2d", "conv_2d"]
    assert all("explicit_padding" in op.options for op in after.operators)
    assert_same_outputs(before, after)
    net = Net()
    padded = net.pad(net.input((1, 7, 6, 2)), BORDER)
    before = net.graph(net.conv(padded, weights(1, 4, 3, 3, 2), padding="valid"), net.relu(padded))
    assert fold_pad(before) is before

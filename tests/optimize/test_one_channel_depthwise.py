"""A depthwise convolution of one channel is a convolution."""

from __future__ import annotations

import pytest

from kits.net import Net, assert_same_outputs, weights
from tinyedge.optimize import optimize_graph
from tinyedge.optimize.one_channel_depthwise import one_channel_depthwise


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("channels", [1, 5])
def test_one_input_channel(padding: str, stride: int, channels: int) -> None:
    net = Net()
    filters = weights(3, 1, 3, 2, channels)
    bias = weights(4, channels) * 30
    source = net.input((1, 7, 6, 1))
    before = net.graph(
        net.conv(source, filters, bias, stride=stride, padding=padding, depthwise=True, activation="relu")
    )
    after = one_channel_depthwise(before)
    assert [operator.name for operator in after.operators] == ["conv_2d"]
    assert_same_outputs(before, after)


def test_padding_that_was_folded_stays() -> None:
    net = Net()
    padded = net.pad(net.input((1, 7, 6, 1)), [(0, 0), (1, 1), (1, 1), (0, 0)])
    before = net.graph(net.conv(padded, weights(3, 1, 3, 3, 4), stride=2, padding="valid", depthwise=True))
    after = optimize_graph(before)
    assert [operator.name for operator in after.operators] == ["conv_2d"]
    assert_same_outputs(before, after)


def test_more_channels_stay() -> None:
    net = Net()
    before = net.graph(net.conv(net.input((1, 7, 6, 2)), weights(3, 1, 3, 3, 4), depthwise=True))
    assert one_channel_depthwise(before) is before

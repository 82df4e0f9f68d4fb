"""Intervals hold for every input, and are exact where they should be."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kits.net import Net, assert_same_outputs, weights
from tinyedge.ops import parse_graph
from tinyedge.ops.reference import run_graph
from tinyedge.optimize.dead_channels import dead_channels
from tinyedge.optimize.fold_islands import fold_islands
from tinyedge.optimize.ranges import find_ranges


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    padding=st.sampled_from(["same", "valid"]),
    stride=st.integers(1, 2),
    bias=st.sampled_from([0, 300, -3000, 20000]),
    activation=st.sampled_from(["none", "relu", "relu6"]),
    zero_point=st.integers(-128, 127),
)
def test_no_value_leaves_its_range(
    seed: int, padding: str, stride: int, bias: int, activation: str, zero_point: int
) -> None:
    net = Net()
    image = net.input((1, 6, 5, 3), zero_point=zero_point)
    biases = np.array([bias, -bias, 0, bias // 7])
    x = net.conv(image, weights(seed, 4, 3, 3, 3) // 20, biases, padding=padding, stride=stride, activation=activation)
    y = net.conv(x, weights(seed, 1, 2, 2, 4), biases, depthwise=True, activation=activation, zero_point=-128)
    z = net.mean(net.pool(net.relu(net.add(y, y)), "average_pool_2d", 2, "same"))
    graph = net.graph(net.fully_connected(z, weights(seed, 5, 4)))
    layers = parse_graph(graph)
    ranges = find_ranges(graph, layers)
    chance = np.random.default_rng(seed)
    for number in range(6):
        values = chance.integers(-128, 128, (1, 6, 5, 3)) if number > 1 else np.full((1, 6, 5, 3), (-128, 127)[number])
        for key, array in run_graph(graph, [values.astype(np.int8)], layers).items():
            rows = array.reshape(-1, array.shape[-1])
            assert (rows >= ranges[key].low).all()
            assert (rows <= ranges[key].high).all()


def test_the_padding_counts_as_the_zero_point() -> None:
    """A constant 10 above the zero point, seen through a 3x3 filter of ones; only the middle tap is always inside."""
    for padding, spread in (("same", (10, 90)), ("valid", (90, 90))):
        net = Net()
        flat = net.conv(net.input((1, 5, 5, 1)), np.zeros((1, 1, 1, 1)), np.array([1000]), scale=0.05, zero_point=0)
        target = net.conv(flat, np.ones((1, 3, 3, 1)), padding=padding, scale=0.0005, zero_point=0)
        graph = net.graph(target)
        ranges = find_ranges(graph, parse_graph(graph))
        assert (ranges[flat.key].low[0], ranges[flat.key].high[0]) == (10, 10)
        assert (ranges[target.key].low[0], ranges[target.key].high[0]) == spread


def test_a_filter_that_saturates_for_every_input_is_constant() -> None:
    net = Net()
    target = net.conv(net.input((1, 4, 4, 1)), weights(1, 2, 1, 1, 1), np.array([1_000_000, 0]), zero_point=-128)
    graph = net.graph(target)
    found = find_ranges(graph, parse_graph(graph))[target.key]
    assert found.is_constant.tolist() == [True, False]
    assert found.low[0] == 127


def test_a_scalar_has_one_channel() -> None:
    net = Net()
    scalar = net.reshape(net.input((1, 1)), ())
    doubled = net.add(scalar, scalar)
    graph = net.graph(doubled)
    assert find_ranges(graph, parse_graph(graph))[doubled.key].low.shape == (1,)


def test_an_island_that_reshapes_has_ranges_of_its_own_channels() -> None:
    """A channel behind it holds elements of all channels in front of it."""
    net = Net()
    flat = net.conv(net.input((1, 4, 3, 1)), np.zeros((2, 1, 1, 1)), np.array([1000, -2000]), zero_point=0)
    real = net.dequantize(flat)
    shape = net.constant(np.array([1, 24], np.int32))
    line = net.builder.tensor((1, 24), "float32")
    net.builder.operator("reshape", [real.key, shape], [line], newShape=[1, 24])
    negative = net.builder.tensor((1, 24), "float32")
    net.builder.operator("neg", [line], [negative])
    target = net.node((1, 24), flat.scale, 0)
    net.builder.operator("quantize", [negative], [target.key])
    graph = fold_islands(net.graph(net.fully_connected(target, weights(3, 5, 24))))
    ranges = find_ranges(graph, parse_graph(graph))
    assert ranges[target.key].low.tolist() == [-10] * 24
    assert ranges[target.key].high.tolist() == [20] * 24
    assert_same_outputs(graph, dead_channels(graph))

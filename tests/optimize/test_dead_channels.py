"""Channels that do not matter go; those that might do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits.net import Net, Node, assert_same_outputs, weights
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.graph.verify import verify
from tinyedge.ops import parse_graph
from tinyedge.optimize import optimize_graph
from tinyedge.optimize.dead_channels import dead_channels


def channels(graph: Graph) -> list[int]:
    """Channels that each operator writes."""
    return [graph.tensors[op.outputs[0]].shape[-1] for op in graph.operators]


def with_dead(shape: tuple[int, ...], *dead: int, axis: int = 0) -> npt.NDArray[Any]:
    """Random weights with some filters all zero."""
    values = weights(3, *shape)
    np.moveaxis(values, axis, 0)[list(dead)] = 0
    return values


def checked(graph: Graph) -> Graph:
    """The graph after the pass, verified, with equal outputs."""
    after = dead_channels(graph)
    verify(after)
    assert_same_outputs(graph, after)
    return after


def test_zero_filters_go_through_depthwise_pooling_and_mean() -> None:
    net = Net()
    x = net.conv(net.input((1, 6, 6, 3)), with_dead((6, 3, 3, 3), 1, 4), np.arange(6) * 50, zero_point=-128)
    x = net.conv(x, weights(5, 1, 2, 2, 6), depthwise=True, padding="valid", activation="relu", zero_point=-128)
    x = net.mean(net.relu(net.pool(x, "max_pool_2d", 2)))
    after = checked(net.graph(net.fully_connected(x, weights(6, 3, 6))))
    assert channels(after) == [4, 4, 4, 4, 4, 3]
    bias = after.tensors[after.operators[-1].inputs[2]].data
    assert bias is not None
    assert bias.any()  # it had none; the constants of the dead channels moved here


@pytest.mark.parametrize(("constant", "left"), [(0, 3), (10, 4)])
def test_a_padded_border_lets_only_the_zero_point_pass(constant: int, left: int) -> None:
    """One of 4 channels is constant; a 3x3 `same` convolution reads it."""
    net = Net()
    bias = np.array([0, 0, constant * 100, 0])
    x = net.conv(net.input((1, 5, 5, 2)), with_dead((4, 1, 1, 2), 2), bias)
    after = checked(net.graph(net.conv(x, weights(5, 3, 3, 3, 4))))
    assert channels(after) == [left, 3]


def test_a_padded_border_is_no_matter_where_its_weights_are_zero() -> None:
    net = Net()
    kernel = weights(5, 3, 3, 3, 4)
    kernel[:, [0, 0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 2, 0, 1, 2], 2] = 0  # only the middle tap is left
    x = net.conv(net.input((1, 5, 5, 2)), with_dead((4, 1, 1, 2), 2), np.array([0, 0, 1000, 0]))
    assert channels(checked(net.graph(net.conv(x, kernel)))) == [3, 3]


def test_a_filter_that_saturates_goes() -> None:
    net = Net()
    x = net.conv(net.input((1, 5, 5, 2)), weights(1, 4, 1, 1, 2), np.array([0, 10**6, 0, -(10**6)]))
    assert channels(checked(net.graph(net.conv(x, weights(5, 3, 2, 2, 4), padding="valid")))) == [2, 3]


def test_a_channel_that_nobody_looks_at_goes_back_to_its_filter() -> None:
    """Not constant at all, but the next layer multiplies it by zero: it goes through the depthwise layer too."""
    net = Net()
    blind = weights(5, 3, 1, 1, 4)
    blind[..., 1] = 0
    x = net.conv(net.input((1, 5, 5, 2)), weights(1, 4, 3, 3, 2))
    x = net.conv(x, weights(2, 1, 3, 3, 4), depthwise=True)
    assert channels(checked(net.graph(net.conv(x, blind)))) == [3, 3, 3]


def test_depth_multiplier_goes_whole_or_not_at_all() -> None:
    for dead, left in (([2, 3], [2, 4]), ([3], [3, 6])):
        net = Net()
        filters = with_dead((1, 3, 3, 6), *dead, axis=3)
        x = net.conv(net.input((1, 5, 5, 2)), weights(1, 3, 1, 1, 2))
        x = net.conv(x, filters, depthwise=True)
        after = checked(net.graph(net.conv(x, weights(4, 2, 1, 1, 6))))
        assert channels(after) == [*left, 2]


def test_both_sides_of_an_add_go_together() -> None:
    for second, left in ((2, 3), (3, 4)):
        net = Net()
        image = net.input((1, 5, 5, 2))
        x = net.conv(image, with_dead((4, 1, 1, 2), 2), np.arange(4) * 100)
        y = net.conv(image, with_dead((4, 1, 1, 2), second), np.arange(4) * 200)
        after = checked(net.graph(net.conv(net.add(x, y), weights(4, 2, 1, 1, 4))))
        assert channels(after)[:3] == [left] * 3


def test_the_constant_of_an_add_is_cut() -> None:
    net = Net()
    x = net.conv(net.input((1, 5, 5, 2)), with_dead((4, 1, 1, 2), 2))
    x = net.add_constant(x, np.array([1, 20, 30, -4], np.int8))
    assert channels(checked(net.graph(net.conv(x, weights(4, 2, 1, 1, 4))))) == [3, 3, 2]


def test_flattened_channels_leave_every_position() -> None:
    net = Net()
    x = net.conv(net.input((1, 4, 4, 2)), with_dead((4, 3, 3, 2), 0, 2), np.arange(4) * 100)
    before = net.graph(net.fully_connected(net.reshape(x, (1, 64)), weights(6, 3, 64)))
    after = optimize_graph(before)
    assert_same_outputs(before, after)
    assert channels(after) == [2, 3]
    assert after.tensors[after.operators[1].inputs[1]].shape == (3, 32)


def test_outputs_of_the_model_keep_all_channels() -> None:
    net = Net()
    x = net.conv(net.input((1, 4, 4, 2)), with_dead((4, 1, 1, 2), 2))
    y = net.conv(x, weights(6, 3, 1, 1, 4))
    before = net.graph(x, y)
    assert dead_channels(before) is before


def test_operators_that_mix_channels_keep_them() -> None:
    net = Net()
    x = net.fully_connected(net.input((1, 6)), with_dead((4, 6), 2))
    before = net.graph(net.fully_connected(net.softmax(x), weights(6, 3, 4)))
    assert dead_channels(before) is before


def test_a_scalar_has_no_channels() -> None:
    net = Net()
    x = net.fully_connected(net.input(()), weights(1, 4, 1))
    before = net.graph(net.fully_connected(x, weights(6, 3, 4)))
    assert before.tensors[before.inputs[0]].shape == ()
    assert dead_channels(before) is before


def test_a_layer_all_dead_keeps_one_channel() -> None:
    net = Net()
    x = net.conv(net.input((1, 4, 4, 2)), np.zeros((4, 1, 1, 2)), np.arange(4) * 100)
    after = checked(net.graph(net.conv(x, weights(6, 3, 1, 1, 4))))
    assert channels(after) == [1, 3]


def test_weights_that_two_layers_share_are_cut_for_one_only() -> None:
    net = Net()
    image = net.input((1, 4, 4, 2))
    x = net.conv(image, with_dead((2, 1, 1, 2), 1))
    before = net.graph(net.conv(x, weights(6, 3, 1, 1, 2)), net.conv(image, weights(6, 3, 1, 1, 2)))
    first, second = (op for op in before.operators if before.tensors[op.outputs[0]].shape[-1] == 3)
    shared = tuple(
        op
        if op is not second
        else type(op)(op.index, op.name, (op.inputs[0], *first.inputs[1:]), op.outputs, op.options)
        for op in before.operators
    )
    assert channels(checked(before.evolve(operators=shared))) == [1, 3, 3]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_random_networks_keep_every_bit(data: st.DataObject) -> None:
    draw = data.draw
    net = Net()
    x = net.input((1, 5, 6, 2), zero_point=draw(st.integers(-128, 127)))
    for layer in range(draw(st.integers(2, 5))):
        depthwise = layer > 0 and draw(st.booleans())
        count = x.shape[3] if depthwise else draw(st.integers(1, 6))
        kernel = draw(st.integers(1, 2 if min(x.shape[1:3]) > 2 else 1))
        shape = (1, kernel, kernel, count) if depthwise else (count, kernel, kernel, x.shape[3])
        dead = draw(st.lists(st.integers(0, count - 1), max_size=count))
        biases = draw(st.lists(st.sampled_from([0, 700, -700, 10**6, -(10**6)]), min_size=count, max_size=count))
        x = net.conv(
            x,
            with_dead(shape, *dead, axis=3 if depthwise else 0),
            np.array(biases),
            padding=draw(st.sampled_from(["same", "valid"])),
            activation=draw(st.sampled_from(["none", "relu"])),
            zero_point=draw(st.sampled_from([-128, 0, 50])),
            depthwise=depthwise,
        )
        if draw(st.booleans()):
            x = net.add(x, x)
    before = net.graph(net.fully_connected(net.mean(x), weights(9, 3, x.shape[3])))
    after = optimize_graph(before)
    assert_same_outputs(before, after, samples=6)
    assert sum(layer.macs for layer in parse_graph(after)) <= sum(layer.macs for layer in parse_graph(before))


def test_half_of_the_person_detector_is_dead(shared_models: Path) -> None:
    path = shared_models / "vww_96_int8.tflite"
    before = read_model(path.read_bytes(), "vww")
    after = optimize_graph(before)
    layers = parse_graph(after)
    assert sum(layer.macs for layer in layers) == 3_727_313
    assert sum(t.bytes for t in after.tensors.values() if t.is_constant) == 33_122
    assert_same_outputs(before, after, samples=4)


def test_what_is_asked_for_its_shape_keeps_its_channels() -> None:
    net = Net()
    scores = net.fully_connected(net.input((1, 8)), weights(2, 6, 8))
    sizes = Node(net.builder.tensor((2,), "int32"), (2,), 1.0, 0)
    net.builder.operator("shape", [scores.key], [sizes.key])
    before = net.graph(sizes)
    assert_same_outputs(before, dead_channels(before))

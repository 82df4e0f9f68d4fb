"""Channels that are always the same have small sums; all others are as they were."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits.net import Net, assert_same_outputs, weights
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.graph.verify import verify
from tinyedge.ops import parse_graph
from tinyedge.optimize import optimize_graph
from tinyedge.optimize.quiet_channels import quiet_channels

LOUD = 1 << 30
"""a bias with which a channel saturates whatever it sees"""


def checked(graph: Graph) -> Graph:
    """The graph after the pass, verified, at rest, with equal outputs."""
    after = quiet_channels(graph)
    verify(after)
    assert_same_outputs(graph, after)
    assert quiet_channels(after) is after
    return after


def biases(graph: Graph, layer: int) -> npt.NDArray[np.int64]:
    return np.asarray(parse_graph(graph)[layer].params.bias, np.int64)


@pytest.mark.parametrize("depthwise", [False, True])
def test_a_saturated_channel_gets_zeros_and_a_small_bias(depthwise: bool) -> None:
    net = Net()
    shape = (1, 3, 3, 4) if depthwise else (4, 3, 3, 4)
    x = net.conv(net.input((1, 6, 6, 4)), weights(1, *shape), np.array([9, LOUD, -LOUD, 40]), depthwise=depthwise)
    after = checked(net.graph(net.conv(x, weights(2, 3, 3, 3, 4))))
    params = parse_graph(after)[0].params
    by_channel = np.moveaxis(params.weights, -1 if depthwise else 0, 0)
    assert [bool(filters.any()) for filters in by_channel] == [True, False, False, True]
    assert list(params.bias[[0, 3]]) == [9, 40]
    assert np.abs(params.bias).max() < 1 << 20


def test_a_fully_connected_layer() -> None:
    net = Net()
    x = net.fully_connected(net.input((1, 8)), weights(1, 5, 8), np.array([0, LOUD, 3, -LOUD, 7]))
    after = checked(net.graph(net.fully_connected(x, weights(2, 3, 5))))
    assert np.abs(biases(after, 0)).max() < 1 << 20


def test_nothing_is_done_where_nothing_is_gained() -> None:
    net = Net()
    x = net.conv(net.input((1, 5, 5, 2)), weights(1, 4, 3, 3, 2), np.array([0, 90, -70, 5]))
    graph = net.graph(net.conv(x, weights(2, 3, 3, 3, 4)))
    assert quiet_channels(graph) is graph


def test_a_layer_of_constants_only_stays() -> None:
    net = Net()
    x = net.conv(net.input((1, 5, 5, 2)), weights(1, 2, 3, 3, 2), np.array([LOUD, -LOUD]))
    graph = net.graph(net.conv(x, weights(2, 3, 3, 3, 2)))
    assert quiet_channels(graph) is graph


def test_scales_are_those_that_biases_were_tried_with() -> None:
    """Of three constant channels one is loud; the quiet ones have scales that would move the median."""
    net = Net()
    values = weights(1, 6, 3, 3, 2)
    values[3:] = 0
    x = net.conv(net.input((1, 5, 5, 2)), values, np.array([0, 9, 7, 0, 0, LOUD]))
    graph = net.graph(net.conv(x, weights(2, 3, 3, 3, 6)))
    scales = np.array([0.01, 0.02, 0.03, 1e-4, 1e-4, 1e-4], np.float32)
    first = graph.operators[0]
    tensors = dict(graph.tensors)
    for key, factor in ((first.inputs[1], 1.0), (first.inputs[2], graph.tensors[first.inputs[0]].scale)):
        quantization = graph.tensors[key].quantization
        assert quantization is not None
        wanted = tuple(float(scale) for scale in scales * np.float32(factor))
        tensors[key] = dataclasses.replace(
            graph.tensors[key], quantization=dataclasses.replace(quantization, scale=wanted)
        )
    after = checked(graph.evolve(tensors=tensors))
    assert np.abs(biases(after, 0)).max() < 1 << 20


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_biases(data: st.DataObject) -> None:
    values: list[Any] = data.draw(
        st.lists(st.integers(-(1 << 30), 1 << 30) | st.integers(-500, 500), min_size=4, max_size=4)
    )
    scale = data.draw(st.sampled_from([0.001, 0.05, 2.0]))
    activation = data.draw(st.sampled_from(["none", "relu", "relu6"]))
    net = Net()
    x = net.input((1, 4, 4, 3))
    x = net.conv(x, weights(1, 4, 3, 3, 3), np.array(values), scale=scale, activation=activation)
    checked(net.graph(net.conv(x, weights(2, 3, 3, 3, 4))))


def test_har_keeps_its_fast_kernels(shared_models: Path) -> None:
    """Ten of its channels have biases near 2**30; sums of the others stay far below."""
    path = shared_models / "har_ambiq.tflite"
    layers = parse_graph(optimize_graph(read_model(path.read_bytes(), path.stem)))
    largest = [np.abs(layer.params.bias).max() for layer in layers if hasattr(layer.params, "bias")]
    assert max(largest) < 1 << 23

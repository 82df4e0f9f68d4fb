"""All passes together, on models of the real world."""

from __future__ import annotations

from pathlib import Path

import pytest

from kits.net import Net, assert_same_outputs, weights
from tinyedge.errors import InternalError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.optimize import _run_pass, optimize_graph

MODELS = ("ad01_int8", "hello_world_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8")


@pytest.mark.parametrize("name", MODELS)
def test_real_models_keep_every_bit(shared_models: Path, name: str) -> None:
    before = read_model((shared_models / f"{name}.tflite").read_bytes(), name)
    after = optimize_graph(before)
    assert_same_outputs(before, after, samples=4)
    assert optimize_graph(after) is after
    assert sum(layer.macs for layer in parse_graph(after)) <= sum(layer.macs for layer in parse_graph(before))
    assert not [op for op in after.operators if op.name == "reshape"]


def test_the_same_graph_twice_gives_the_same_graph(shared_models: Path) -> None:
    before = read_model((shared_models / "vww_96_int8.tflite").read_bytes(), "vww")
    first, second = optimize_graph(before), optimize_graph(before)
    assert list(first.tensors) == list(second.tensors)
    assert [(op.index, op.inputs, op.outputs) for op in first.operators] == [
        (op.index, op.inputs, op.outputs) for op in second.operators
    ]


def test_passes_help_each_other() -> None:
    """Behind a reshape, a useless conversion and a pad lies a dead channel."""
    net = Net()
    kernel = weights(1, 4, 3, 3, 2)
    kernel[1] = 0
    x = net.conv(net.pad(net.input((1, 6, 6, 2)), [(0, 0), (1, 1), (1, 1), (0, 0)]), kernel, padding="valid")
    x = net.quantize(net.dequantize(x), x.scale, x.zero_point)
    before = net.graph(net.fully_connected(net.reshape(x, (1, 144)), weights(2, 5, 144)))
    after = optimize_graph(before)
    assert [op.name for op in after.operators] == ["conv_2d", "fully_connected"]
    assert after.tensors[after.operators[0].outputs[0]].shape == (1, 6, 6, 3)
    assert_same_outputs(before, after)


def test_a_pass_that_breaks_a_graph_is_named() -> None:
    net = Net()
    graph = net.graph(net.relu(net.input((1, 4))))

    def lose_everything(graph: Graph) -> Graph:
        return graph.evolve(operators=())

    with pytest.raises(InternalError, match="pass `lose_everything` broke model `test`"):
        _run_pass(lose_everything, graph)

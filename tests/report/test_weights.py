"""What weights cost stored and unpacked, in the reports of plans."""

from __future__ import annotations

import numpy as np
import pytest

from kits.net import Net, weights
from kits.stored_weights import bits, dense, pruned, shared
from tinyedge.artifacts import Optimize, Plan
from tinyedge.boards import CORES
from tinyedge.graph.ir import Graph
from tinyedge.optimize import optimize_graph
from tinyedge.plan import make_plan
from tinyedge.report.json import plan_document
from tinyedge.report.picture import render_plan
from tinyedge.report.weights import weights_table


@pytest.fixture(scope="module")
def graph() -> Graph:
    """1x1 convolutions with weights of int4, many zeros, some zeros, few values, and any."""
    rng = np.random.default_rng(3)
    net = Net()
    x = net.input((1, 6, 6, 32))
    for draw in (bits(4), pruned(0.9), pruned(0.4), shared(8), dense):
        x = net.conv(x, draw(rng, 32 * 32).reshape(32, 1, 1, 32), np.arange(32))
    return optimize_graph(net.graph(x))


def planned(graph: Graph, optimize: Optimize) -> Plan:
    return make_plan(graph, CORES["cortex-m4f"], optimize, by_rows=False)


def test_stored_and_unpacked(graph: Graph) -> None:
    plan = planned(graph, "speed")
    text = weights_table(plan.layers)
    lines = [line.split() for line in text.splitlines()]
    assert lines[0][-4:] == ["flash:", "stored", "unpacked", "share"]
    (nonzeros,) = [line for line in lines if "nonzeros" in line]
    assert nonzeros[:3] == ["1", "conv_2d", "nonzeros"]
    stored, unpacked = (int(nonzeros[at].replace(",", "")) for at in (3, 5))
    assert 2 * 0.1 * unpacked <= stored <= 0.3 * unpacked
    assert "% zeros stay in: leaving them out costs more than it saves" in text.splitlines()[-1]
    assert max(map(len, text.splitlines())) <= 80
    assert text in render_plan(plan)


def test_every_layer_is_in_the_document(graph: Graph) -> None:
    plan = planned(graph, "balanced")
    found = [layer["weights"] for layer in plan_document(plan)["layers"]]
    assert [each["unpacked_bytes"] for each in found] == [planned.layer.params.weights.size for planned in plan.layers]
    assert [each["form"] for each in found] == ["int8", "nonzeros", "int8", "int8", "int8"]
    assert found[0]["stored_bytes"] == found[0]["unpacked_bytes"]
    assert "zeros stay in" in found[2]["note"]


def test_dense_weights_alone_need_no_table() -> None:
    net = Net()
    x = net.conv(net.input((1, 4, 4, 4)), weights(1, 8, 3, 3, 4))
    assert not weights_table(planned(net.graph(x), "balanced").layers)

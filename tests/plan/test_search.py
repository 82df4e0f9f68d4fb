"""How much is looked at to find which layers run together: steps are counted, as time is another on each machine."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from kits.net import Net, Node, weights
from tinyedge.boards import CORES
from tinyedge.graph.ir import Graph
from tinyedge.kernels.armv6m import conv_immediate
from tinyedge.optimize import optimize_graph
from tinyedge.plan import groups, layout, make_plan, parts

BLOCKS = 19
LAYERS = 60
STREAMS_A_LAYER = 15
PARTS_A_LAYER = 2
SECONDS = 30.0
"""of this process for a network of 60 layers: five on a machine of its own"""


def block(net: Net, x: Node, seed: int, channels: int, stride: int) -> Node:
    """An inverted residual block: wider, depthwise, narrower, and a sum where shapes agree."""
    wide = net.conv(x, weights(seed, 4 * x.shape[3], 1, 1, x.shape[3]))
    deep = net.conv(wide, weights(seed + 1, 1, 3, 3, wide.shape[3]), stride=stride, depthwise=True)
    out = net.conv(deep, weights(seed + 2, channels, 1, 1, deep.shape[3]))
    return net.add(out, x) if out.shape == x.shape and seed % 2 else out


def sixty_layers() -> Graph:
    """As MobileNetV2, with fewer channels."""
    net = Net()
    x = net.conv(net.input((1, 96, 96, 3)), weights(1, 8, 3, 3, 3), stride=2)
    for number in range(BLOCKS):
        x = block(net, x, 10 * number, 8 + 4 * (number // 5), 2 if number % 5 == 0 else 1)
    return optimize_graph(net.graph(net.fully_connected(net.mean(x), weights(3, 10, x.shape[3]))))


@pytest.fixture(scope="module")
def graph() -> Graph:
    return sixty_layers()


def counted(monkeypatch: pytest.MonkeyPatch, counts: Counter[str], owner: Any, name: str) -> None:
    """Count the calls of a function where others find it."""
    plain: Callable[..., Any] = getattr(owner, name)

    def calls(*arguments: Any, **named: Any) -> Any:
        counts[name] += 1
        return plain(*arguments, **named)

    monkeypatch.setattr(owner, name, calls)


def test_the_search_looks_at_few_streams_and_parts(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: Counter[str] = Counter()
    for owner, name in ((groups, "make_stream"), (parts, "find_candidates"), (layout, "place_blocks")):
        counted(monkeypatch, counts, owner, name)
    assert len(graph.operators) >= LAYERS
    began = time.process_time()
    plan = make_plan(graph, CORES["cortex-m4f"], "balanced")
    assert time.process_time() - began < SECONDS
    assert plan.groups
    assert 0 < counts["make_stream"] < STREAMS_A_LAYER * LAYERS
    assert 0 < counts["find_candidates"] < PARTS_A_LAYER * LAYERS
    assert 0 < counts["place_blocks"] <= 2 * groups.BUDGETS + 9


def test_code_of_weights_is_written_once_for_all_rows_of_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net()
    x = net.conv(net.input((1, 40, 20, 3)), weights(1, 8, 3, 3, 3), stride=2)
    x = net.conv(net.conv(x, weights(2, 8, 1, 1, 8)), weights(3, 4, 3, 3, 8))
    graph = optimize_graph(net.graph(x))
    counts: Counter[str] = Counter()
    counted(monkeypatch, counts, conv_immediate, "_Emitter")
    make_plan(graph, CORES["cortex-m0plus"], "size")
    assert counts["_Emitter"] == 3

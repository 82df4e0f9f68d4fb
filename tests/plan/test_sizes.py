"""What `--optimize size` gives is no larger than what `balanced` gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from kits.net import Net, Node, weights
from tinyedge.artifacts import Plan
from tinyedge.boards import CORES
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import make_plan

WITH_KERNELS = ("cortex-m0plus", "cortex-m3", "cortex-m4f", "cortex-m55", "rv32imc")
"""cores with kernels of their own, and two that have the portable ones alone"""


def flash_bytes(plan: Plan) -> int:
    """Code and constants by the costs of the kernels, code that layers share counted once."""
    costs = [*(planned.cost for planned in plan.layers), *(group.cost for group in plan.groups)]
    shared = {name: size for cost in costs for name, size in cost.shared_code}
    return sum(cost.code_bytes + cost.constant_bytes for cost in costs) + sum(shared.values())


def halved(net: Net, source: Node) -> Node:
    """Averages of 2 by 2."""
    target = net.node((1, source.shape[1] // 2, source.shape[2] // 2, source.shape[3]), source.scale, source.zero_point)
    window = {"stride_h": 2, "stride_w": 2, "filter_height": 2, "filter_width": 2}
    net.builder.operator(
        "average_pool_2d", [source.key], [target.key], padding="valid", fused_activation_function="none", **window
    )
    return target


def narrowing() -> Graph:
    """The first layer decides the arena; which guess at the layout sees that, depends on the scratch of the others."""
    net = Net()
    x = net.conv(net.input((1, 180, 180, 1)), weights(1, 1, 5, 5, 8), stride=2, padding="valid", depthwise=True)
    x = net.conv(halved(net, x), weights(2, 16, 3, 3, 8), padding="valid")
    return optimize_graph(net.graph(net.fully_connected(net.mean(x), weights(3, 10, 16))))


def assert_size_is_smallest(graph: Graph, core: str) -> None:
    small, balanced = (make_plan(graph, CORES[core], level) for level in ("size", "balanced"))
    assert flash_bytes(small) <= flash_bytes(balanced), (graph.name, core)


def test_size_is_not_larger_where_the_layout_is_hard_to_guess() -> None:
    graph = narrowing()
    assert_size_is_smallest(graph, "cortex-m4f")
    by_rows = make_plan(graph, CORES["cortex-m4f"], "size")
    plan = make_plan(graph, CORES["cortex-m4f"], "size", by_rows=False)
    assert by_rows.arena_bytes < plan.arena_bytes == plan.lower_bound_bytes
    assert plan.layers[2].kernel.name.startswith("portable/conv_2d")


@pytest.mark.slow
@pytest.mark.parametrize("core", WITH_KERNELS)
def test_size_is_not_larger_on_real_models(shared_models: Path, core: str) -> None:
    tried = 0
    for path in sorted(shared_models.rglob("*.tflite")):
        try:
            graph = optimize_graph(settle_graph(read_model(path.read_bytes(), path.stem)))
            assert_size_is_smallest(graph, core)
        except ModelError:
            continue  # refused in either way
        tried += 1
    assert tried >= 10

"""The choice of kernels: by the price of the day, for all layers together, with reasons."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from kits.fake_kernels import CORE, FakeKernel
from kits.net import Net, weights
from tinyedge.artifacts import Optimize, Plan
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Graph
from tinyedge.kernels.contract import Cost, Kernel
from tinyedge.plan import make_plan
from tinyedge.plan.select import ARENA_WEIGHT, FIRMWARE_FLASH_BYTES, FIRMWARE_RAM_BYTES, HALVING_WORTH


def two_convolutions() -> Graph:
    net = Net()
    x = net.conv(net.input((1, 8, 8, 4)), weights(1, 4, 3, 3, 4))
    return net.graph(net.conv(x, weights(2, 4, 3, 3, 4)))


def chosen(kernels: list[Kernel], optimize: Optimize) -> list[str]:
    return [layer.kernel.name for layer in make_plan(two_convolutions(), CORE, optimize, kernels=kernels).layers]


def test_speed_takes_the_fewest_cycles_and_size_the_fewest_bytes() -> None:
    fast = FakeKernel("fast", cost=lambda layer: Cost(1000, 9000, 500))
    small = FakeKernel("small", cost=lambda layer: Cost(9000, 100, 500))
    assert chosen([small, fast], "speed") == ["fast", "fast"]
    assert chosen([small, fast], "size") == ["small", "small"]


def test_size_pays_a_few_bytes_for_half_the_time() -> None:
    """0.2 percent of the bytes of the model, no more."""
    small = FakeKernel("small", cost=lambda layer: Cost(8000, 5000, 500))
    for more, winner in ((5, "fast"), (40, "small")):
        fast = FakeKernel("fast", cost=lambda layer, more=more: Cost(4000, 5000 + more, 500))
        assert chosen([small, fast], "size") == [winner, winner]


def test_size_is_fast_below_the_peak() -> None:
    """The kernel's shared code pays only when all layers that have room for its scratch take it together."""
    net = Net()
    x = net.conv(net.input((1, 32, 32, 4)), weights(1, 4, 3, 3, 4))
    x = net.pool(x, "max_pool_2d", 30)
    for seed in range(3):
        x = net.conv(x, weights(2 + seed, 4, 3, 3, 4))
    small = FakeKernel("small", cost=lambda layer: Cost(8000, 0, 5000))
    greedy = FakeKernel(
        "greedy", cost=lambda layer: Cost(800, 0, 5000, (("te_conv", 120),)), scratch=lambda layer: 4000
    )
    plan = make_plan(net.graph(x), CORE, "size", kernels=[small, greedy])
    assert [layer.kernel.name for layer in plan.layers] == ["small", *["greedy"] * 4]


def test_shared_code_counts_once() -> None:
    """700 bytes shared by two layers beat 2 * 400 bytes of their own, though they lose for either layer alone."""
    own = FakeKernel("own", cost=lambda layer: Cost(1000, 400, 0))
    shared = FakeKernel("shared", cost=lambda layer: Cost(1000, 10, 0, (("te_conv", 700),)))
    assert chosen([own, shared], "size") == ["shared", "shared"]
    dear = FakeKernel("dear", cost=lambda layer: Cost(1000, 10, 0, (("te_conv", 790),)))
    assert chosen([own, dear], "size") == ["own", "own"]


def test_balanced_weighs_a_percent_against_a_percent() -> None:
    base = FakeKernel("base", cost=lambda layer: Cost(100_000, 4000, 1000))
    for cycles, flash, winner in ((70_000, 5000, "tried"), (99_000, 9000, "base"), (30_000, 6000, "tried")):
        tried = FakeKernel("tried", cost=lambda layer, c=cycles, f=flash: Cost(c, f, 1000))
        assert chosen([base, tried], "balanced") == [winner, winner]


def test_scratch_costs_only_where_it_raises_the_peak() -> None:
    """The second layer works on small tensors: there the fast kernel's scratch is free."""
    net = Net()
    x = net.conv(net.input((1, 32, 32, 4)), weights(1, 4, 3, 3, 4))
    graph = net.graph(net.conv(net.pool(x, "max_pool_2d", 30), weights(2, 4, 3, 3, 4)))
    plain = FakeKernel("plain", cost=lambda layer: Cost(1010, 100, 0))
    greedy = FakeKernel("greedy", cost=lambda layer: Cost(1000, 100, 0), scratch=lambda layer: 4400)
    plan = make_plan(graph, CORE, "balanced", kernels=[plain, greedy])
    assert [layer.kernel.name for layer in plan.layers] == ["plain", "plain", "greedy"]


def test_leads_that_add_up_are_seen() -> None:
    """Eight layers in a row: 500 bytes of scratch once are less than 100 bytes of in-place offset eight times."""
    net = Net()
    x = net.input((1, 10, 10, 8), 0.05, 3)
    for _ in range(8):
        x = net.relu(x)
    graph = net.graph(x)
    lean = FakeKernel("lean", in_place=lambda layer: 100)
    steady = FakeKernel("steady", in_place=lambda layer: 0, scratch=lambda layer: 500)
    plan = make_plan(graph, CORE, "size", by_rows=False, kernels=[lean, steady])
    assert plan.arena_bytes == 1300
    assert {layer.kernel.name for layer in plan.layers} == {"steady"}


@dataclass(frozen=True)
class ThreeByThree:
    """Three kernels for three layers in a row: figures[kernel][layer], and the code that a kernel's layers share."""

    optimize: Optimize
    cycles: Sequence[Sequence[int]]
    code: Sequence[Sequence[int]]
    scratch: Sequence[Sequence[int]]
    shared: Sequence[int]
    best: Sequence[str]

    def plan(self, *allowed: Sequence[int]) -> Plan:
        """The plan where layer i may take only kernels allowed[i]; without `allowed` all."""
        net = Net()
        x = net.input((1, 10, 10, 8), 0.05, 3)
        for _ in range(3):
            x = net.relu(x)
        kernels = [self._kernel(k, [i for i in range(3) if not allowed or k in allowed[i]]) for k in range(3)]
        return make_plan(net.graph(x), CORE, self.optimize, by_rows=False, kernels=kernels)

    def _kernel(self, k: int, layers: Sequence[int]) -> Kernel:
        shared = ((f"te_{k}", self.shared[k]),) if self.shared[k] else ()
        return FakeKernel(
            f"k{k}",
            reason=lambda layer: "" if layer.index in layers else "not this one",
            cost=lambda layer: Cost(self.cycles[k][layer.index], self.code[k][layer.index], 0, shared),
            scratch=lambda layer: self.scratch[k][layer.index],
        )

    def price(self, plan: Plan) -> float:
        """What `optimize` is about, as the module's description says it."""
        cycles = sum(layer.cost.cycles for layer in plan.layers)
        flash = sum(layer.cost.code_bytes for layer in plan.layers)
        flash += sum(dict(code for layer in plan.layers for code in layer.cost.shared_code).values())
        if self.optimize == "size":
            return math.log(flash + ARENA_WEIGHT * plan.arena_bytes + 1) + HALVING_WORTH * math.log2(cycles + 1)
        memory = math.log(flash + FIRMWARE_FLASH_BYTES) + math.log(plan.arena_bytes + FIRMWARE_RAM_BYTES)
        return math.log(cycles + 1) + memory


FROM_FEWEST_CYCLES = ThreeByThree(
    "balanced",
    cycles=((1000, 2000, 1000), (1000, 4000, 2000), (1000, 4000, 1000)),
    code=((500, 300, 500), (200, 0, 200), (100, 300, 0)),
    scratch=((0, 400, 0), (0, 0, 0), (200, 0, 0)),
    shared=(500, 300, 600),
    best=("k2", "k0", "k2"),
)
FROM_FEWEST_BYTES = ThreeByThree(
    "size",
    cycles=((4000, 2000, 2000), (8000, 2000, 4000), (4000, 4000, 2000)),
    code=((100, 200, 200), (0, 300, 100), (0, 0, 200)),
    scratch=((0, 400, 200), (0, 0, 200), (0, 0, 200)),
    shared=(500, 0, 300),
    best=("k2", "k2", "k1"),
)
FROM_LEAST_MEMORY = ThreeByThree(
    "balanced",
    cycles=((2000, 2000, 8000), (8000, 4000, 2000), (8000, 2000, 2000)),
    code=((200, 300, 200), (500, 0, 300), (0, 0, 300)),
    scratch=((200, 200, 400), (400, 0, 0), (200, 200, 200)),
    shared=(400, 300, 400),
    best=("k0", "k2", "k2"),
)


@pytest.mark.parametrize("case", [FROM_FEWEST_CYCLES, FROM_FEWEST_BYTES, FROM_LEAST_MEMORY])
def test_each_starting_point_finds_what_the_others_miss(case: ThreeByThree) -> None:
    """The best of all 27 selections, each reached from one of the three starting points alone."""
    plan = case.plan()
    assert tuple(layer.kernel.name for layer in plan.layers) == case.best
    prices = [case.price(case.plan([a], [b], [c])) for a, b, c in itertools.product(range(3), repeat=3)]
    assert case.price(plan) == pytest.approx(min(prices), abs=1e-9)


def test_every_kernel_that_was_considered_is_told() -> None:
    fast = FakeKernel("fast", cost=lambda layer: Cost(1000, 50, 500), scratch=lambda layer: 64)
    fussy = FakeKernel("fussy", reason=lambda layer: "channels are no multiple of 3")
    plan = make_plan(two_convolutions(), CORE, "speed", kernels=[fussy, fast])
    assert plan.layers[0].considered == (
        ("fast", "1,000 cycles, 50 B code, 500 B constants, 64 B scratch"),
        ("fussy", "channels are no multiple of 3"),
    )


def test_no_kernel_fits() -> None:
    fussy = FakeKernel("fussy", reason=lambda layer: "channels are no multiple of 3")
    shy = FakeKernel("shy", reason=lambda layer: "the core has no FPU")
    with pytest.raises(ModelError) as caught:
        make_plan(two_convolutions(), CORE, "speed", kernels=[fussy, shy])
    assert caught.value.what == (
        "no kernel for core `cortex-m4f` runs operator 0 (`conv_2d`): int8 [1, 8, 8, 4] -> int8 [1, 8, 8, 4]\n"
        "       fussy: channels are no multiple of 3\n"
        "       shy: the core has no FPU"
    )
    assert caught.value.hint

"""Groups of layers as one stream of rows: exact in a memory full of noise, and no byte larger than they must be."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kits.arena_run import run_in_arena
from kits.core_kernels import CoreRunner
from kits.host_kernels import HostRunner
from kits.kernel_cases import NATIVE, Case, Runner, Trial, make_case
from kits.kernel_layers import Array
from kits.net import Net, weights
from kits.qemu_kernels import QemuRunner
from kits.row_nets import Grouped, find_groups, grouped_options, random_net, random_values, some_groups
from tinyedge.artifacts import Buffer, Plan
from tinyedge.boards import CORES, Core
from tinyedge.errors import FitError, InternalError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.ops.reference import run_graph
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import make_plan, plan_curve
from tinyedge.plan.place import place_plan
from tinyedge.plan.verify import verify_plan

M4 = CORES["cortex-m4f"]
NETWORKS = int(os.environ.get("TINYEDGE_ROW_NETWORKS", "40"))
"""random ones that slow tests run; docs/rows.md says how many were run at once"""
NETWORKS_A_PROGRAM = 20
INPUTS_A_RUN = 25
"""as many inputs go to a program at once: each takes an arena for each group"""


def plan_of(graph: Graph, grouped: Grouped) -> Plan:
    """The plan of a graph in which one group runs, and the cheapest kernel for every other layer."""
    groups = find_groups(graph, M4)
    first, last = grouped.option.first, grouped.option.last
    singles = [each.candidates[0] for each in groups.candidates]
    chosen = (*singles[:first], grouped.option.candidate, *singles[last + 1 :])
    return place_plan(graph, groups.candidates, chosen, "balanced", keep_inputs=False)


def differences(plan: Plan, seed: int) -> int:
    """How many bytes of the outputs differ from the reference's."""
    rng = np.random.default_rng(seed)
    inputs = [rng.integers(-128, 128, t.shape).astype(t.dtype.numpy) for t in plan.graph.input_tensors()]
    expected = run_graph(plan.graph, inputs)
    outputs = run_in_arena(plan, inputs, seed)
    return sum(int(np.sum(out != expected[key])) for key, out in zip(plan.graph.outputs, outputs, strict=True))


@pytest.mark.parametrize("seed", [1, 4, 7, 12])
def test_groups_of_random_networks_run_in_their_arena(seed: int) -> None:
    for grouped in some_groups(seed, M4):
        plan = plan_of(grouped.graph, grouped)
        verify_plan(plan)
        assert differences(plan, seed) == 0


@pytest.mark.slow
def test_groups_of_many_random_networks_run_in_their_arena() -> None:
    for seed in range(2000, 2000 + NETWORKS):
        for grouped in some_groups(seed, M4, most=2):
            plan = plan_of(grouped.graph, grouped)
            verify_plan(plan)
            assert differences(plan, seed) == 0, seed


def shrinking() -> Graph:
    """Rows that grow: the output runs after the input it overwrites."""
    net = Net()
    x = net.conv(net.input((1, 12, 8, 4)), weights(1, 8, 3, 3, 4))
    return optimize_graph(net.graph(net.conv(x, weights(2, 8, 3, 3, 8))))


def tight_plan() -> Plan:
    """A plan whose output lies as near below its input as the group allows."""
    graph = shrinking()
    (grouped, *_) = [g for g in grouped_options(graph, M4) if g.option.first == 0]
    return plan_of(graph, grouped)


def nearer(plan: Plan, count: int) -> Plan:
    """The same with the output so many bytes nearer to the input it overwrites."""

    def moved(buffer: Buffer) -> Buffer:
        near = buffer.tensor == plan.graph.outputs[0]
        return replace(buffer, offset=buffer.offset + count) if near else buffer

    (group,) = plan.groups
    rows = (*group.rows[:-1], replace(group.rows[-1], offset=group.rows[-1].offset + count))
    buffers = tuple(moved(buffer) for buffer in plan.buffers)
    return replace(plan, buffers=buffers, groups=(replace(group, rows=rows),))


def residual() -> Graph:
    """A block whose sum reads, row by row, the tensor that the block began with."""
    net = Net()
    x = net.conv(net.input((1, 10, 8, 4)), weights(1, 8, 1, 1, 4))
    wide = net.conv(net.conv(x, weights(2, 16, 1, 1, 8)), weights(3, 1, 3, 3, 16), depthwise=True)
    return optimize_graph(net.graph(net.add(net.conv(wide, weights(4, 8, 1, 1, 16)), x)))


def summed_plan() -> Plan:
    """A plan whose sum lies over its own operand."""
    graph = residual()
    found = [g for g in grouped_options(graph, M4) if (g.option.first, g.option.last) == (1, 4)]
    plans = [plan_of(graph, grouped) for grouped in found if min(grouped.stream.leads.values()) == 0]
    assert plans
    return plans[0]


@pytest.mark.parametrize(("make", "least"), [(tight_plan, 4), (summed_plan, 0)], ids=["windows", "a sum"])
def test_a_lead_four_bytes_smaller_goes_wrong_and_is_seen(make: Callable[[], Plan], least: int) -> None:
    plan = make()
    (group,), ((lead,),) = plan.groups, (group.in_place_offsets for group in plan.groups)
    assert lead is not None
    assert lead >= least
    source, target = plan.buffer_of(group.layer.inputs[0].index), plan.buffer_of(plan.graph.outputs[0])
    at_lead = nearer(plan, source.offset - target.offset - lead)
    assert sum(differences(at_lead, seed) for seed in range(3)) == 0
    verify_plan(at_lead)
    too_near = nearer(at_lead, 4)
    assert sum(differences(too_near, seed) for seed in range(3)) > 0
    with pytest.raises(InternalError):
        verify_plan(too_near)


def test_a_strip_in_the_way_of_the_input_is_seen() -> None:
    """The replay looks at bytes: a strip that lies over rows still to be read is told by the row that is gone."""
    plan = tight_plan()
    (group,) = plan.groups
    assert group.scratch is not None
    over = replace(group.scratch, offset=plan.buffer_of(plan.graph.inputs[0]).offset)
    buffers = tuple(over if buffer == group.scratch else buffer for buffer in plan.buffers)
    wrong = replace(plan, buffers=buffers, groups=(replace(group, scratch=over),))
    with pytest.raises(InternalError, match="and is not there"):
        verify_plan(wrong)


def test_the_fastest_plan_that_fits_is_taken_and_the_least_is_told() -> None:
    net = Net()
    wide = net.conv(net.input((1, 12, 8, 4)), weights(1, 24, 3, 3, 4))
    graph = optimize_graph(net.graph(net.conv(wide, weights(2, 4, 3, 3, 24), stride=2)))
    curve = plan_curve(graph, M4).points
    assert len(curve) > 1
    assert curve[0].groups
    for point in curve:
        plan = make_plan(graph, M4, "balanced", max_ram_bytes=point.arena_bytes)
        costs = [*(p.cost.cycles for p in plan.layers), *(g.cost.cycles for g in plan.groups)]
        assert plan.arena_bytes <= point.arena_bytes
        assert sum(costs) <= point.cycles
    with pytest.raises(FitError, match=f"take {curve[0].arena_bytes:,} B at least"):
        make_plan(graph, M4, "balanced", max_ram_bytes=curve[0].arena_bytes - 1)


# -- generated C -----------------------------------------------------------------------------------------------------


def cases_of(groups: list[Grouped], core: Core) -> list[Case]:
    """Each group with its tensors apart, and with the output as near below each input as it allows."""
    cases = []
    for grouped in groups:
        cases.append(make_case(grouped.layer, grouped.kernel, core))
        cases += [
            make_case(grouped.layer, grouped.kernel, core, overlap=grouped.stream.leads[key], shared_input=at)
            for at, key in enumerate(grouped.stream.inputs)
        ]
    return cases


def check_groups(groups: list[Grouped], core: Core, runner: Runner, samples: int) -> None:
    """Every byte is that of whole layers, from random inputs, and nothing outside the buffers is touched."""
    cases = cases_of(groups, core)
    by_kernel = {grouped.kernel: grouped for grouped in groups}
    rng = np.random.default_rng(len(cases))
    trials, expected = [], []
    for number, case in enumerate(cases):
        grouped = by_kernel[case.kernel]  # type: ignore[index]
        for _ in range(samples):
            inputs, output = grouped.sample(random_values(grouped.graph, rng))
            trials.append((number, case.arena(inputs)))
            expected.append(output)
    check_trials(cases, trials, expected, runner)


def check_over_inputs(graph: Graph, groups: list[Grouped], core: Core, runner: Runner, count: int) -> None:
    """As `check_groups`, for groups of one graph: each input goes to one case of each group, the next to the next."""
    cases = cases_of(groups, core)
    numbers = [[n for n, case in enumerate(cases) if case.kernel is grouped.kernel] for grouped in groups]
    rng = np.random.default_rng(count)
    for at in range(0, count, INPUTS_A_RUN):
        trials, expected = [], []
        for turn in range(at, min(at + INPUTS_A_RUN, count)):
            values_of = random_values(graph, rng)
            for grouped, own in zip(groups, numbers, strict=True):
                inputs, output = grouped.sample(values_of)
                number = own[turn % len(own)]
                trials.append((number, cases[number].arena(inputs)))
                expected.append(output)
        check_trials(cases, trials, expected, runner)


def check_trials(cases: list[Case], trials: list[Trial], expected: list[Array], runner: Runner) -> None:
    for (number, _), after, output in zip(trials, runner(cases, trials), expected, strict=True):
        (found,) = cases[number].outputs(after)
        assert np.array_equal(found.reshape(-1), output.reshape(-1)), cases[number].title


def test_the_c_of_groups_is_exact_on_the_host(tmp_path: Path) -> None:
    groups = [grouped for seed in (8, 9) for grouped in some_groups(seed, NATIVE, most=2)]
    check_groups(groups, NATIVE, HostRunner(tmp_path), samples=2)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(100, 100 + NETWORKS, NETWORKS_A_PROGRAM))
def test_the_c_of_many_random_groups_is_exact_on_the_host(tmp_path: Path, first: int) -> None:
    seeds = range(first, first + NETWORKS_A_PROGRAM)
    groups = [grouped for seed in seeds for grouped in some_groups(seed, NATIVE, most=1)]
    check_groups(groups, NATIVE, HostRunner(tmp_path), samples=4)


@pytest.mark.slow
@pytest.mark.parametrize("core", ["cortex-m4f", "cortex-m0plus", "cortex-m3", "rv32imc", "cortex-m7f", "cortex-m33f"])
def test_random_groups_are_exact_on_each_core(tmp_path: Path, core: str) -> None:
    groups = [grouped for seed in range(200, 206) for grouped in some_groups(seed, CORES[core], most=2)]
    check_groups(groups, CORES[core], CoreRunner(tmp_path, CORES[core]), samples=2)


@pytest.mark.slow
def test_random_groups_are_exact_on_a_cortex_m55(tmp_path: Path) -> None:
    core = CORES["cortex-m55"]
    groups = [grouped for seed in range(200, 204) for grouped in some_groups(seed, core, most=2)]
    check_groups(groups, core, QemuRunner(tmp_path, "zig"), samples=2)


REAL = ("kws_ref_model", "pretrainedResnet_quant", "person_detect", "vww_96_int8")


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_groups_of_real_models_are_exact_over_200_inputs(shared_models: Path, tmp_path: Path, name: str) -> None:
    """The groups of the covers that take the least RAM: 200 inputs on this machine, four on a Cortex-M4F."""
    graph = optimize_graph(settle_graph(read_model((shared_models / f"{name}.tflite").read_bytes(), name)))
    runners = ((NATIVE, HostRunner(tmp_path), 200), (M4, CoreRunner(tmp_path, M4), 4))
    for core, runner, count in runners:
        groups = find_groups(graph, core)
        covers = [groups.cheapest(budget) for budget in groups.budgets[:4]]
        options = dict.fromkeys(o for cover in covers if cover is not None for o in cover if o.last > o.first)
        assert options
        check_over_inputs(graph, [Grouped(graph, option) for option in options], core, runner, count)


def test_every_random_network_has_a_group() -> None:
    """The tests above would pass over networks without one."""
    counts = [len(grouped_options(random_net(seed), M4)) for seed in (1, 4, 7, 8, 9, 12)]
    assert min(counts) > 0

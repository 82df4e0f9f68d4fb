"""Whole plans: run on an arena of exactly their bytes, checked, and as small as they can be."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits.arena_run import run_in_arena
from kits.fake_kernels import CORE, FakeKernel
from kits.net import Net, Node, weights
from tinyedge.artifacts import Optimize, Plan
from tinyedge.errors import FitError, InternalError, ModelError
from tinyedge.graph.reader import read_model
from tinyedge.kernels.contract import Cost
from tinyedge.ops.contract import Layer
from tinyedge.ops.reference import run_graph
from tinyedge.optimize import optimize_graph
from tinyedge.plan import make_plan
from tinyedge.plan.verify import verify_plan


def check_run(plan: Plan, seed: int) -> None:
    chance = np.random.default_rng(seed)
    inputs = [chance.integers(-128, 128, t.shape).astype(np.int8) for t in plan.graph.input_tensors()]
    expected = run_graph(plan.graph, inputs)
    for key, found in zip(plan.graph.outputs, run_in_arena(plan, inputs, seed), strict=True):
        assert np.array_equal(found, expected[key])


@given(data=st.data(), optimize=st.sampled_from(["size", "balanced", "speed"]))
@settings(max_examples=60, deadline=None)
def test_random_networks_run_in_their_arena(data: st.DataObject, optimize: Optimize) -> None:
    """Branches, reshapes, inputs and outputs in the middle, tensors read twice; kernels with scratch, some in place."""
    draw = data.draw
    net = Net()
    nodes = [net.input((1, 4, 4, 2)) for _ in range(draw(st.integers(1, 2)))]
    for seed in range(draw(st.integers(1, 9))):
        x, y = draw(st.sampled_from(nodes)), draw(st.sampled_from(nodes))
        kind = draw(st.sampled_from(["conv", "add", "relu", "reshape", "pool"]))
        if x.shape != (1, 4, 4, 2):
            nodes.append(net.reshape(x, (1, 4, 4, 2)))
        elif kind == "conv":
            nodes.append(net.conv(x, weights(seed, 2, 3, 3, 2)))
        elif kind == "add" and y.shape == x.shape:
            nodes.append(net.add(x, y))
        elif kind == "reshape":
            nodes.append(net.reshape(x, (1, 32)))
        elif kind == "pool":
            nodes.append(net.pool(x, "max_pool_2d", 3, "same"))
        else:
            nodes.append(net.relu(x))
    computed = [node for node in nodes if node.key not in net.inputs]
    outputs = draw(st.lists(st.sampled_from(computed), min_size=1, max_size=3, unique_by=lambda node: node.key))
    kernels = [
        FakeKernel(
            f"test/{number}",
            cost=lambda layer, n=number: Cost(100 + (layer.index + n) * 37 % 50, 100, 10 * n),
            scratch=lambda layer, n=number: (layer.index * 31 + n * 17) % 3 * 9,
            in_place=lambda layer, n=number: [None, 0, 4, 11][(layer.index + n) % 4],
            alignment=[4, 8][number],
        )
        for number in range(2)
    ]
    graph = net.graph(*outputs)
    plan = make_plan(graph, CORE, optimize, kernels=kernels)
    assert plan.lower_bound_bytes <= plan.arena_bytes
    check_run(plan, 5)


@pytest.mark.parametrize(
    ("name", "live", "overlapped"),
    [
        ("ad01_int8", 768, 768),
        ("kws_ref_model", 16_000, 8_400),
        ("pretrainedResnet_quant", 49_152, 33_300),
        ("vww_96_int8", 55_296, 36_900),
    ],
)
def test_real_models_reach_their_live_bytes(shared_models: Path, name: str, live: int, overlapped: int) -> None:
    """Without overlap the tensors alive at the worst layer; with kernels that lead by a row and a pixel little more
    than half of it."""
    graph = optimize_graph(read_model((shared_models / f"{name}.tflite").read_bytes(), name))
    started = time.process_time()
    plain = make_plan(graph, CORE, "balanced", by_rows=False, kernels=[FakeKernel()])
    assert plain.arena_bytes == plain.lower_bound_bytes == live
    close = make_plan(graph, CORE, "balanced", by_rows=False, kernels=[FakeKernel(in_place=tight_offset)])
    assert time.process_time() - started < 3  # 0.1 s alone on one core; shared machines are slower
    assert close.arena_bytes <= overlapped
    check_run(close, 3)


def tight_offset(layer: Layer) -> int | None:
    """For kernels that buffer rows in registers or scratch: output under input, up to what growing images need."""
    if layer.name == "fully_connected":
        return None
    return max(0, sum(t.bytes for t in layer.outputs) - sum(t.bytes for t in layer.inputs))


@pytest.mark.parametrize(
    "name", ["ad01_int8", "hello_world_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8"]
)
@pytest.mark.parametrize("optimize", ["size", "balanced", "speed"])
def test_real_models_with_real_kernels(shared_models: Path, name: str, optimize: Optimize) -> None:
    original = read_model((shared_models / f"{name}.tflite").read_bytes(), name)
    plan = make_plan(optimize_graph(original), CORE, optimize)
    check_run(plan, 3)
    again = make_plan(optimize_graph(original), CORE, optimize)
    assert plan.buffers == again.buffers
    assert [layer.kernel for layer in plan.layers] == [layer.kernel for layer in again.layers]


def test_a_reshape_shares_memory_with_what_it_reads() -> None:
    """Between input and output of the model, where no pass removes it."""
    net = Net()
    image = net.input((1, 32))
    shaped = net.reshape(image, (1, 4, 4, 2))
    graph = net.graph(shaped, net.conv(shaped, weights(1, 2, 3, 3, 2)))
    plan = make_plan(graph, CORE, "balanced", kernels=[FakeKernel()])
    assert plan.buffer_of(image.key).offset == plan.buffer_of(shaped.key).offset
    assert plan.arena_bytes == 64
    check_run(plan, 1)


def test_memory_shared_by_a_reshape_lives_as_long_as_the_last_of_its_names() -> None:
    """The reshaped tensor dies early; in-place relu must not overwrite it while the original is still to be read."""
    net = Net()
    x = net.relu(net.input((1, 4, 4, 2)))
    y = net.relu(net.reshape(x, (1, 32)))
    z = net.relu(net.reshape(y, (1, 4, 4, 2)))
    graph = net.graph(net.add(z, x))
    plan = make_plan(graph, CORE, "balanced", kernels=[FakeKernel(in_place=lambda layer: 0)])
    check_run(plan, 2)
    assert plan.arena_bytes == 64


def test_all_inputs_are_there_before_the_first_layer() -> None:
    net = Net()
    first, second = net.input((1, 40)), net.input((1, 40))
    x = net.relu(net.relu(first))
    plan = make_plan(net.graph(net.add(x, second)), CORE, "balanced", kernels=[FakeKernel(in_place=lambda layer: 0)])
    assert plan.buffer_of(second.key).first == 0
    assert plan.arena_bytes == 80
    check_run(plan, 2)


def test_outputs_last_until_the_end() -> None:
    net = Net()
    early = net.relu(net.input((1, 40)))
    late = net.relu(net.relu(early))
    plan = make_plan(net.graph(early, late), CORE, "balanced", kernels=[FakeKernel(in_place=lambda layer: 0)])
    assert plan.buffer_of(early.key).last == 2
    check_run(plan, 2)


def test_an_output_read_by_the_last_layer_is_not_overwritten_by_it() -> None:
    net = Net()
    x = net.relu(net.input((1, 40)))
    net.relu(x)  # writes what nobody reads, in the last step
    plan = make_plan(net.graph(x), CORE, "balanced", kernels=[FakeKernel(in_place=lambda layer: 0)])
    assert plan.arena_bytes == 80
    check_run(plan, 2)


def test_a_constant_output_is_refused() -> None:
    net = Net()
    relu = net.relu(net.input((1, 4)))
    graph = net.graph(relu)
    constant = replace(graph.tensors[relu.key], index=9, name="fixed", data=np.zeros((1, 4), np.int8))
    graph = graph.evolve(tensors={**graph.tensors, 9: constant}, outputs=(relu.key, 9))
    with pytest.raises(ModelError, match="output `fixed` of model `test` is a constant"):
        make_plan(graph, CORE, "balanced")


def test_a_constant_that_calls_itself_a_variable_needs_no_memory() -> None:
    net = Net()
    graph = net.graph(net.fully_connected(net.input((1, 8)), weights(1, 6, 8)))
    key = graph.operators[0].inputs[1]
    odd = graph.evolve(tensors={**graph.tensors, key: replace(graph.tensors[key], is_variable=True)})
    plan = make_plan(odd, CORE, "balanced")
    assert plan.arena_bytes == make_plan(graph, CORE, "balanced").arena_bytes
    check_run(plan, 1)


def test_variables_have_memory_of_their_own_all_the_time() -> None:
    """A variable keeps its bytes over an inference although every output could be put on top of it."""
    net = Net()
    x = net.relu(net.input((1, 40)))
    state = net.builder.tensor((1, 40), scale=0.05, zero_point=3, is_variable=True)
    y = net.add(x, Node(state, (1, 40), 0.05, 3))
    graph = net.graph(net.relu(net.relu(y)))
    plan = make_plan(graph, CORE, "balanced", kernels=[FakeKernel(in_place=lambda layer: 0)])
    kept = plan.buffer_of(state)
    assert (kept.first, kept.last) == (0, 3)
    assert plan.state == (kept,)
    assert kept not in plan.buffers
    assert (plan.arena_bytes, plan.state_bytes, plan.lower_bound_bytes) == (40, 40, 40)


def test_what_is_read_behind_a_tensor_is_in_the_arena_or_the_state() -> None:
    """Of two tensors in place one may end where the arena does, and so may the only variable where the state does."""
    net = Net()
    state = net.builder.tensor((1, 40), scale=0.05, zero_point=3, is_variable=True)
    graph = net.graph(net.add(net.input((1, 40)), Node(state, (1, 40), 0.05, 3)))
    for behind, more in ((0, 0), (1, 4), (4, 4), (5, 8)):
        kernels = [FakeKernel(in_place=lambda layer: 0, behind=behind)]
        plan = make_plan(graph, CORE, "balanced", kernels=kernels)
        assert (plan.arena_bytes, plan.state_bytes) == (40 + more, 40 + more)
        limited = make_plan(graph, CORE, "balanced", kernels=kernels, max_ram_bytes=80 + 2 * more)
        assert (limited.arena_bytes, limited.state_bytes) == (40 + more, 40 + more)
        with pytest.raises(FitError, match=f"take {80 + 2 * more:,} B at least"):
            make_plan(graph, CORE, "balanced", kernels=kernels, max_ram_bytes=79 + 2 * more)


def test_a_variable_that_the_first_step_writes_lies_on_no_input() -> None:
    """The kernel could take its dying input in place, but what the variable held before would be gone."""
    net = Net()
    source = net.input((1, 1, 2, 4))
    buffer = net.builder.tensor((1, 5, 2, 4), scale=0.05, zero_point=3, is_variable=True)
    net.builder.operator("CIRCULAR_BUFFER", [source.key], [buffer])
    graph = net.graph(net.relu(Node(buffer, (1, 5, 2, 4), 0.05, 3)))
    plan = make_plan(graph, CORE, "balanced", kernels=[FakeKernel(in_place=lambda layer: 0)])
    assert plan.state == (plan.buffer_of(buffer),)
    assert plan.buffer_of(source.key) in plan.buffers


def test_kept_inputs_are_overwritten_by_nothing() -> None:
    """Neither by a kernel that could work in place, in the last step too, nor by what comes later."""
    net = Net()
    x, second = net.input((1, 40)), net.input((1, 40))
    graph = net.graph(net.relu(net.relu(net.add(x, second))))
    kernels = [FakeKernel(in_place=lambda layer: 0)]
    assert make_plan(graph, CORE, "balanced", kernels=kernels).arena_bytes == 80
    plan = make_plan(graph, CORE, "balanced", kernels=kernels, keep_inputs=True)
    assert plan.arena_bytes == 120
    places = [plan.buffer_of(key) for key in graph.inputs]
    assert all((place.first, place.last) == (0, 2) for place in places)
    check_run(plan, 2)

    single = Net()
    graph = single.graph(single.relu(single.input((1, 40))))
    assert make_plan(graph, CORE, "balanced", kernels=kernels, keep_inputs=True).arena_bytes == 80


def test_a_kept_input_that_is_overwritten_is_found() -> None:
    net = Net()
    graph = net.graph(net.relu(net.input((1, 40))))
    plan = make_plan(graph, CORE, "balanced", kernels=[FakeKernel(in_place=lambda layer: 0)])
    with pytest.raises(InternalError, match="overlap at step 0"):
        verify_plan(replace(plan, keeps_inputs=True))

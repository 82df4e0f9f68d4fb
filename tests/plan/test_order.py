"""The order of execution: valid always, optimal on small graphs, the file's own where nothing is gained."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.kernels.contract import ExactOffset
from tinyedge.ops.contract import Layer
from tinyedge.plan.liveness import Memory, Step, find_memory, find_overlaps, lifetimes, step_needs
from tinyedge.plan.order import best_order, dependencies


def make_graph(
    sizes: Sequence[int], reads: Sequence[Sequence[int]], outputs: Sequence[int]
) -> tuple[Graph, list[Layer]]:
    """Tensor 0 is the input; layer i reads `reads[i]` and writes tensor i + 1."""
    tensors = {key: Tensor(key, f"t{key}", (size,), DType.INT8) for key, size in enumerate(sizes)}
    operators = tuple(Operator(at, "any", tuple(keys), (at + 1,)) for at, keys in enumerate(reads))
    graph = Graph("test", tensors, operators, (0,), tuple(outputs))
    layers = [
        Layer(op, None, tuple(tensors[key] for key in op.inputs), tuple(tensors[key] for key in op.outputs), 0)
        for op in operators
    ]
    return graph, layers


def peak(memory: Memory, steps: Sequence[Step], order: Sequence[int]) -> int:
    return max(step_needs(memory, [steps[layer] for layer in order], order, 4))


@st.composite
def networks(draw: st.DrawFn, most: int) -> tuple[Graph, list[Step]]:
    count = draw(st.integers(1, most))
    sizes = [draw(st.integers(1, 50)) for _ in range(count + 1)]
    reads = [draw(st.lists(st.integers(0, at), min_size=1, max_size=3)) for at in range(count)]
    graph, layers = make_graph(sizes, reads, [count])
    in_place_offsets = st.one_of(st.none(), st.integers(0, 20))
    steps = [
        Step(layer, draw(st.sampled_from([0, 0, 30])), tuple(draw(in_place_offsets) for _ in layer.inputs))
        for layer in layers
    ]
    return graph, steps


@given(networks(6))
@settings(max_examples=60, deadline=None)
def test_small_graphs_run_in_the_best_of_all_orders(network: tuple[Graph, list[Step]]) -> None:
    graph, steps = network
    memory = find_memory(graph, [step.layer for step in steps])
    needs = dependencies(graph, steps)

    def allowed(order: Sequence[int]) -> bool:
        return all(needs[layer] & ~sum(1 << before for before in order[:at]) == 0 for at, layer in enumerate(order))

    found = best_order(graph, memory, steps)
    assert allowed(found)
    best = min(peak(memory, steps, order) for order in itertools.permutations(range(len(steps))) if allowed(order))
    assert peak(memory, steps, found) == best
    if peak(memory, steps, range(len(steps))) == best:
        assert found == tuple(range(len(steps)))


def test_the_branch_that_shrinks_runs_before_the_one_that_grows() -> None:
    """Input 100 -> a 300 -> a small 10; input -> b 200 -> b small 10; then both. The file interleaves the branches."""
    graph, layers = make_graph([100, 300, 200, 10, 10, 20], [[0], [0], [1], [2], [3, 4]], [5])
    steps = [Step(layer) for layer in layers]
    memory = find_memory(graph, layers)
    order = best_order(graph, memory, steps)
    assert order == (0, 2, 1, 3, 4)
    assert peak(memory, steps, order) < peak(memory, steps, range(5))


def test_variables_keep_the_order_of_the_file() -> None:
    graph, layers = make_graph([100, 300, 10, 20, 7], [[0, 4], [0, 4], [1, 2]], [3])
    state = Tensor(4, "state", (7,), DType.INT8, is_variable=True)
    graph = graph.evolve(tensors={**graph.tensors, 4: state})
    assert [bin(mask) for mask in dependencies(graph, [Step(layer) for layer in layers])] == ["0b0", "0b1", "0b11"]


def test_a_wide_graph_takes_bounded_work() -> None:
    count = 24
    reads = [[0] for _ in range(count)] + [[at + 1] for at in range(count)]
    sizes = [10] + [100 + at for at in range(count)] + [5] * count
    graph, layers = make_graph(sizes, reads, range(count + 1, 2 * count + 1))
    steps = [Step(layer) for layer in layers]
    memory = find_memory(graph, layers)
    order = best_order(graph, memory, steps)
    assert sorted(order) == list(range(2 * count))
    assert peak(memory, steps, order) <= 300 + 8 * count


def test_an_input_read_twice_overlaps_only_when_both_uses_allow_it() -> None:
    graph, layers = make_graph([40, 40], [[0, 0]], [1])
    exact = ExactOffset(8)
    cases = (
        ((0, 8), [8]),
        ((0, None), []),
        ((exact, 4), [8]),
        ((8, exact), [8]),
        ((exact, 9), []),
        ((exact, exact), [8]),
    )
    for in_place_offsets, found in (*cases, ((exact, ExactOffset(4)), [])):
        memory = find_memory(graph, layers)
        overlaps = find_overlaps(memory, [Step(layers[0], 0, in_place_offsets)], lifetimes(memory, [0]))
        assert [overlap.in_place for overlap in overlaps] == found

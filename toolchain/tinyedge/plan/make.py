"""The plan of a graph: kernels, order of execution and the arena, put together and checked."""

from __future__ import annotations

from collections.abc import Sequence

from tinyedge.artifacts import Buffer, Optimize, Plan, PlannedLayer
from tinyedge.boards import Core
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Graph
from tinyedge.kernels.contract import Kernel
from tinyedge.ops import parse_graph
from tinyedge.plan.arena import place_blocks
from tinyedge.plan.control_flow import control_kernels
from tinyedge.plan.layout import make_layout
from tinyedge.plan.liveness import Memory, aligned, find_memory, lifetimes, step_needs, tensor_lifetimes
from tinyedge.plan.order import best_order
from tinyedge.plan.select import Candidate, LayerCandidates, find_candidates, select_kernels, serving_kernels
from tinyedge.plan.verify import verify_plan


def make_plan(
    graph: Graph,
    core: Core,
    optimize: Optimize,
    *,
    keep_inputs: bool = False,
    kernels: Sequence[Kernel] | None = None,
) -> Plan:
    """Plan `graph` for `core`, and what loops and branches run with it.

    Pure and deterministic: the same graph gives the same plan to the byte.

    keep_inputs  no layer overwrites an input of the model, so that inferences can be repeated; it may take more memory
    kernels      candidates instead of the registry, for tests and for measuring one kernel

    Raises: ModelError when the graph holds what no kernel runs or an output that is a constant,
            InternalError when the plan fails its own check
    """
    for tensor in graph.output_tensors():
        if tensor.is_constant:
            raise ModelError(
                f"output `{tensor.name}` of model `{graph.name}` is a constant: there is nothing to compute for it",
                hint="remove this output from the model and convert it again",
            )
    layers = parse_graph(graph)

    def plan_inner(inner: Graph) -> Plan:
        return make_plan(inner, core, optimize, kernels=kernels)

    candidates = tuple(
        find_candidates(layer, core, control_kernels(layer, plan_inner) or serving_kernels(layer, kernels))
        for layer in layers
    )
    memory = find_memory(graph, layers, keep_inputs=keep_inputs)
    given = tuple(range(len(layers)))
    chosen = select_kernels(memory, candidates, given, optimize)
    order = best_order(graph, memory, [candidate.step for candidate in chosen], _alignment(chosen))
    if order != given:
        chosen = select_kernels(memory, candidates, order, optimize)
    plan = _place(graph, memory, candidates, chosen, order, optimize, keep_inputs=keep_inputs)
    verify_plan(plan)
    return plan


def _alignment(chosen: Sequence[Candidate]) -> int:
    return max((4, *(candidate.kernel.alignment for candidate in chosen)))


def _place(
    graph: Graph,
    memory: Memory,
    candidates: Sequence[LayerCandidates],
    chosen: Sequence[Candidate],
    order: Sequence[int],
    optimize: Optimize,
    *,
    keep_inputs: bool,
) -> Plan:
    """Lay out the arena for `chosen` kernels in a given order (both sequences as the graph lists its layers)."""
    alignment = _alignment(chosen)
    steps = [chosen[layer].step for layer in order]
    layout = make_layout(memory, steps, lifetimes(memory, order))
    state_at, state_bytes = _place_state(memory, alignment)
    bound = max(step_needs(memory, steps, order, alignment)) - state_bytes  # variables are alive at every step
    blocks = [at for at in range(len(layout.blocks)) if at not in state_at]
    number_of = {at: number for number, at in enumerate(blocks)}
    overlaps = {(number_of[a], number_of[b]): in_place for (a, b), in_place in layout.overlaps.items()}
    placement = place_blocks([layout.blocks[at] for at in blocks], overlaps, alignment=alignment, lower_bound=bound)
    offsets = {at: placement.offsets[number] for at, number in number_of.items()}

    alive = tensor_lifetimes(graph, [step.layer for step in steps], keep_inputs=keep_inputs)
    buffers: list[Buffer] = []
    state: list[Buffer] = []
    for at, storage in enumerate(memory.storages):
        for key in storage.tensors:
            offset, found = (state_at[at], state) if at in state_at else (offsets[at], buffers)
            found.append(Buffer(graph.tensors[key].name, key, offset, graph.tensors[key].bytes, *alive[key]))
    planned = []
    for number, layer in enumerate(order):
        candidate, scratch = chosen[layer], None
        if number in layout.scratch_at:
            name = f"scratch of operator {candidate.step.layer.index}"
            offset = offsets[layout.scratch_at[number]]
            scratch = Buffer(name, None, offset, candidate.step.scratch_bytes, number, number)
            buffers.append(scratch)
        planned.append(
            PlannedLayer(
                candidate.step.layer,
                candidate.kernel,
                candidate.cost,
                candidates[layer].considered,
                scratch,
                candidate.step.in_place_offsets,
            )
        )
    return Plan(
        graph=graph,
        layers=tuple(planned),
        buffers=tuple(buffers),
        state=tuple(state),
        state_bytes=state_bytes,
        arena_bytes=aligned(placement.bytes, alignment),
        lower_bound_bytes=bound,
        optimize=optimize,
        keeps_inputs=keep_inputs,
    )


def _place_state(memory: Memory, alignment: int) -> tuple[dict[int, int], int]:
    """(storage of variables -> its offset in the state, bytes of the state): one behind the other."""
    offsets, end = {}, 0
    for at, storage in enumerate(memory.storages):
        if storage.variable:
            offsets[at] = end
            end += aligned(storage.bytes, alignment)
    return offsets, end

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
from tinyedge.plan.layout import make_layout
from tinyedge.plan.liveness import Memory, aligned, demands, find_memory, lifetimes, tensor_lifetimes
from tinyedge.plan.order import best_order
from tinyedge.plan.select import Choice, Menu, candidates_for, make_menu, select_kernels
from tinyedge.plan.verify import verify_plan


def make_plan(graph: Graph, core: Core, optimize: Optimize, *, kernels: Sequence[Kernel] | None = None) -> Plan:
    """Plan `graph` for `core`. Pure and deterministic: the same graph gives the same plan to the byte.

    kernels  to choose from instead of the registry, for tests and for measuring one kernel

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
    menus = tuple(make_menu(layer, core, candidates_for(layer, kernels)) for layer in layers)
    memory = find_memory(graph, layers)
    given = tuple(range(len(layers)))
    choices = select_kernels(memory, menus, given, optimize)
    order = best_order(graph, memory, [choice.step for choice in choices], _alignment(choices))
    if order != given:
        choices = select_kernels(memory, menus, order, optimize)
    plan = _place(graph, memory, menus, choices, order, optimize)
    verify_plan(plan)
    return plan


def _alignment(choices: Sequence[Choice]) -> int:
    return max((4, *(choice.kernel.alignment for choice in choices)))


def _place(
    graph: Graph,
    memory: Memory,
    menus: Sequence[Menu],
    choices: Sequence[Choice],
    order: Sequence[int],
    optimize: Optimize,
) -> Plan:
    """Lay out the arena for chosen kernels in a given order (`menus` and `choices` as the graph lists its layers)."""
    alignment = _alignment(choices)
    steps = [choices[layer].step for layer in order]
    layout = make_layout(memory, steps, lifetimes(memory, order))
    bound = max(demands(memory, steps, order, alignment))
    placement = place_blocks(layout.blocks, layout.overlaps, alignment=alignment, lower_bound=bound)

    alive = tensor_lifetimes(graph, [step.layer for step in steps])
    buffers = [
        Buffer(graph.tensors[key].name, key, placement.offsets[at], graph.tensors[key].bytes, *alive[key])
        for at, storage in enumerate(memory.storages)
        for key in storage.tensors
    ]
    planned = []
    for number, layer in enumerate(order):
        choice, scratch = choices[layer], None
        if number in layout.scratch_at:
            name = f"scratch of operator {choice.step.layer.index}"
            offset = placement.offsets[layout.scratch_at[number]]
            scratch = Buffer(name, None, offset, choice.step.scratch_bytes, number, number)
            buffers.append(scratch)
        planned.append(
            PlannedLayer(
                choice.step.layer, choice.kernel, choice.cost, menus[layer].considered, scratch, choice.step.leads
            )
        )
    return Plan(
        graph=graph,
        layers=tuple(planned),
        buffers=tuple(buffers),
        arena_bytes=aligned(placement.bytes, alignment),
        lower_bound_bytes=bound,
        optimize=optimize,
    )

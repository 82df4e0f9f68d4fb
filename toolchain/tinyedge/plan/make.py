"""The plan of a graph: kernels, order of execution and the arena, put together and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tinyedge.artifacts import Optimize, Plan, RamCurve
from tinyedge.boards import Core
from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Graph
from tinyedge.kernels.contract import Kernel
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.plan.choose import choose_cover, fastest_cover, ram_curve
from tinyedge.plan.control_flow import control_kernels
from tinyedge.plan.groups import Cover, Groups
from tinyedge.plan.liveness import Memory, find_memory
from tinyedge.plan.order import best_order
from tinyedge.plan.place import place_plan
from tinyedge.plan.select import Candidate, LayerCandidates, find_candidates, flash_of, select_kernels, serving_kernels
from tinyedge.plan.verify import verify_plan


def make_plan(
    graph: Graph,
    core: Core,
    optimize: Optimize,
    *,
    keep_inputs: bool = False,
    max_ram_bytes: int | None = None,
    input_rows: bool = False,
    by_rows: bool = True,
    kernels: Sequence[Kernel] | None = None,
) -> Plan:
    """Plan `graph` for `core`, and what loops and branches run with it.

    Pure and deterministic: the same graph gives the same plan to the byte.

    keep_inputs    no layer overwrites an input of the model, so that inferences can be repeated; it may take more
                   memory
    max_ram_bytes  the fastest plan whose arena and state have at most so many bytes, whatever `optimize` says
    input_rows     the rows of the input are given one by one, and lie nowhere whole
    by_rows        layers may run as one stream of rows; `speed` has no use for it, but for `max_ram_bytes`
    kernels        candidates instead of the registry, for tests and for measuring one kernel

    Raises: ModelError when the graph holds what no kernel runs or an output that is a constant,
            FitError when no plan has so few bytes, InternalError when the plan fails its own check
    """
    if input_rows:
        graph = _arriving(graph)
    draft = _Draft.of(_ask(graph, core, optimize, keep_inputs=keep_inputs, kernels=kernels), optimize)
    chosen = _choose(draft, optimize, max_ram_bytes, by_rows=by_rows)
    if optimize == "size" and by_rows and max_ram_bytes is None:

        def balanced() -> tuple[_Draft, Sequence[Candidate]]:
            asked = _ask(graph, core, "balanced", keep_inputs=keep_inputs, kernels=kernels)
            other = _Draft.of(asked, "balanced")
            return other, _choose(other, "balanced", None, by_rows=True)

        draft, chosen = _smaller(draft, chosen, balanced)
    plan = place_plan(graph, draft.candidates, chosen, optimize, keep_inputs=keep_inputs)
    verify_plan(plan)
    return plan


def _arriving(graph: Graph) -> Graph:
    """The graph whose input is given row by row. Raises: ModelError where it cannot be."""
    if any(tensor.dtype not in (DType.INT8, DType.INT16) for tensor in graph.input_tensors()):
        raise ModelError(
            f"the input of model `{graph.name}` cannot arrive in rows: it is no int8 or int16",
            hint="leave out `--input rows`, or convert the model with an int8 input",
        )
    keeps = any(tensor.is_variable for tensor in graph.tensors.values())
    if len(graph.inputs) != 1 or keeps or graph.inputs[0] in graph.outputs:
        why = "it keeps state between inferences" if keeps else f"it has {len(graph.inputs)} inputs"
        raise ModelError(
            f"the input of model `{graph.name}` cannot arrive in rows: {why}", hint="leave out `--input rows`"
        )
    return graph.evolve(borrowed=graph.borrowed | {graph.inputs[0]})


def _choose(draft: _Draft, optimize: Optimize, max_ram_bytes: int | None, *, by_rows: bool) -> Sequence[Candidate]:
    """The kernels in order of execution, some of them for layers that run together."""
    cover = _cover(draft, optimize, max_ram_bytes, by_rows=by_rows)
    return draft.plain if cover is None else draft.groups.candidates_in(cover)


def _cover(draft: _Draft, optimize: Optimize, max_ram_bytes: int | None, *, by_rows: bool) -> Cover | None:
    """Which layers run together; None: each by itself."""
    groups = draft.groups
    if groups.arrives and groups.is_impossible:
        raise ModelError(
            f"the input of model `{groups.graph.name}` cannot arrive in rows: its first layers do not run row by row",
            hint="leave out `--input rows`; it is for images [1, H, W, C] that a convolution or pooling takes first",
        )
    if max_ram_bytes is not None:
        return fastest_cover(groups, max_ram_bytes)
    if groups.arrives:
        return choose_cover(groups, None, optimize)
    if by_rows and optimize != "speed" and draft.candidates:
        return choose_cover(groups, groups.cover_of(draft.plain), optimize)
    return None


def plan_curve(graph: Graph, core: Core, *, keep_inputs: bool = False, input_rows: bool = False) -> RamCurve:
    """What RAM can be traded for: the plans of which none faster takes as little RAM, the smallest first.

    Raises: as `make_plan`
    """
    arriving = _arriving(graph) if input_rows else graph
    draft = _Draft.of(_ask(arriving, core, "speed", keep_inputs=keep_inputs, kernels=None), "speed")
    return RamCurve(graph.name, core.name, ram_curve(draft.groups) if draft.candidates else ())


class PlansOf:
    """Plans of one graph for one core: what kernels say of its layers is asked once for all of them.

    keep_inputs, input_rows  as `make_plan` takes them

    Raises: as `make_plan`
    """

    def __init__(self, graph: Graph, core: Core, *, keep_inputs: bool = False, input_rows: bool = False) -> None:
        self._graph = _arriving(graph) if input_rows else graph
        self._core, self._keep_inputs = core, keep_inputs
        self._asked: _Asked | None = None
        self._drafts: dict[Optimize, _Draft] = {}
        self._chosen: dict[Optimize, tuple[_Draft, Sequence[Candidate]]] = {}

    def plan(self, optimize: Optimize, max_ram_bytes: int | None = None) -> Plan:
        """The same as `make_plan` makes."""
        draft, chosen = self._choice(optimize) if max_ram_bytes is None else self._within(optimize, max_ram_bytes)
        plan = place_plan(self._graph, draft.candidates, chosen, optimize, keep_inputs=self._keep_inputs)
        verify_plan(plan)
        return plan

    def _within(self, optimize: Optimize, max_ram_bytes: int) -> tuple[_Draft, Sequence[Candidate]]:
        draft = self._draft(optimize)
        return draft, _choose(draft, optimize, max_ram_bytes, by_rows=True)

    def _choice(self, optimize: Optimize) -> tuple[_Draft, Sequence[Candidate]]:
        if optimize not in self._chosen:
            draft = self._draft(optimize)
            chosen = _choose(draft, optimize, None, by_rows=True)
            if optimize == "size":
                draft, chosen = _smaller(draft, chosen, lambda: self._choice("balanced"))
            self._chosen[optimize] = draft, chosen
        return self._chosen[optimize]

    def _draft(self, optimize: Optimize) -> _Draft:
        if optimize not in self._drafts:
            asked = self._asked
            if asked is None:
                asked = _ask(self._graph, self._core, optimize, keep_inputs=self._keep_inputs, kernels=None)
                if not any(operator.subgraphs for operator in self._graph.operators):  # their plans are for an aim
                    self._asked = asked
            self._drafts[optimize] = _Draft.of(asked, optimize)
        return self._drafts[optimize]


def _smaller(
    draft: _Draft, chosen: Sequence[Candidate], other: Callable[[], tuple[_Draft, Sequence[Candidate]]]
) -> tuple[_Draft, Sequence[Candidate]]:
    """What `size` chose, or what `balanced` did: less arena for more flash than that is no size."""
    faster, balanced = other()
    return (faster, balanced) if flash_of(balanced) < flash_of(chosen) else (draft, chosen)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What kernels say of the layers of a graph, in the order of the file.

    groups  by the order of execution
    """

    graph: Graph
    core: Core
    layers: Sequence[Layer]
    candidates: tuple[LayerCandidates, ...]
    memory: Memory
    kernels: Sequence[Kernel] | None
    keep_inputs: bool
    groups: dict[tuple[int, ...], Groups] = field(default_factory=dict)

    def groups_in(self, order: tuple[int, ...]) -> Groups:
        if order not in self.groups:
            in_order = tuple(self.candidates[layer] for layer in order)
            self.groups[order] = Groups(self.graph, self.core, in_order, self.kernels, keep_inputs=self.keep_inputs)
        return self.groups[order]


def _ask(
    graph: Graph, core: Core, optimize: Optimize, *, keep_inputs: bool, kernels: Sequence[Kernel] | None
) -> _Asked:
    """Ask all kernels. `optimize` is what loops and branches are planned for."""
    for tensor in graph.output_tensors():
        if tensor.is_constant:
            raise ModelError(
                f"output `{tensor.name}` of model `{graph.name}` is a constant: there is nothing to compute for it",
                hint="remove this output from the model and convert it again",
            )
    layers = parse_graph(graph)

    def plan_inner(inner: Graph) -> Plan:
        return make_plan(inner, core, optimize, by_rows=False, kernels=kernels)

    candidates = tuple(
        find_candidates(layer, core, control_kernels(layer, plan_inner) or serving_kernels(layer, kernels))
        for layer in layers
    )
    memory = find_memory(graph, layers, keep_inputs=keep_inputs)
    return _Asked(graph, core, layers, candidates, memory, kernels, keep_inputs)


@dataclass(frozen=True, eq=False)
class _Draft:
    """What is known before it is decided which layers run together.

    candidates  of each layer, in order of execution
    plain       those chosen where each layer runs by itself
    """

    candidates: tuple[LayerCandidates, ...]
    plain: tuple[Candidate, ...]
    groups: Groups

    @classmethod
    def of(cls, asked: _Asked, optimize: Optimize) -> _Draft:
        """Choose among kernels, and find the order of execution."""
        candidates, memory = asked.candidates, asked.memory
        given = tuple(range(len(candidates)))
        chosen = select_kernels(memory, candidates, given, optimize)
        steps = [candidate.step for candidate in chosen]
        order = best_order(asked.graph, memory, steps, max((4, *(each.kernel.alignment for each in chosen))))
        if order != given:
            chosen = select_kernels(memory, candidates, order, optimize)
        in_order = tuple(candidates[layer] for layer in order)
        return cls(in_order, tuple(chosen[layer] for layer in order), asked.groups_in(order))

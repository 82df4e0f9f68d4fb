"""The plan of a graph: kernels, order of execution and the arena, put together and checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyedge.artifacts import Optimize, Plan, RamCurve
from tinyedge.boards import Core
from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Graph
from tinyedge.kernels.contract import Kernel
from tinyedge.ops import parse_graph
from tinyedge.plan.choose import choose_cover, fastest_cover, ram_curve
from tinyedge.plan.control_flow import control_kernels
from tinyedge.plan.groups import Cover, Groups
from tinyedge.plan.liveness import find_memory
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
    draft = _Draft.of(graph, core, optimize, keep_inputs=keep_inputs, kernels=kernels)
    return _plan(draft, optimize, max_ram_bytes, by_rows=by_rows)


def _plan(draft: _Draft, optimize: Optimize, max_ram_bytes: int | None, *, by_rows: bool) -> Plan:
    """The plan of a draft, checked."""
    chosen = _choose(draft, optimize, max_ram_bytes, by_rows=by_rows)
    if optimize == "size" and by_rows and max_ram_bytes is None:  # less arena for more flash than `balanced` is no size
        other = draft.again("balanced")
        faster = _choose(other, "balanced", None, by_rows=True)
        if flash_of(faster) < flash_of(chosen):
            draft, chosen = other, faster
    graph, keep_inputs = draft.groups.graph, draft.groups.keep_inputs
    plan = place_plan(graph, draft.candidates, chosen, optimize, keep_inputs=keep_inputs)
    verify_plan(plan)
    return plan


class PlansOf:
    """Plans of one graph for one core, the same as `make_plan` makes: kernels are asked once for all of them.

    keep_inputs, input_rows  as `make_plan` takes them

    Raises: as `make_plan`
    """

    def __init__(self, graph: Graph, core: Core, *, keep_inputs: bool = False, input_rows: bool = False) -> None:
        arriving = _arriving(graph) if input_rows else graph
        self._first = _Draft.of(arriving, core, "balanced", keep_inputs=keep_inputs, kernels=None)
        self._plans: dict[tuple[Optimize, int | None], Plan] = {}

    def plan(self, optimize: Optimize, max_ram_bytes: int | None = None) -> Plan:
        """The plan for an aim; with a limit the fastest within it."""
        if (optimize, max_ram_bytes) not in self._plans:
            self._plans[optimize, max_ram_bytes] = self._make(optimize, max_ram_bytes)
        return self._plans[optimize, max_ram_bytes]

    def _make(self, optimize: Optimize, max_ram_bytes: int | None) -> Plan:
        draft = self._first if optimize == "balanced" else self._first.again(optimize)
        return _plan(draft, optimize, max_ram_bytes, by_rows=True)


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
    draft = _Draft.of(_arriving(graph) if input_rows else graph, core, "speed", keep_inputs=keep_inputs, kernels=None)
    return RamCurve(graph.name, core.name, ram_curve(draft.groups) if draft.candidates else ())


@dataclass(frozen=True, eq=False)
class _Draft:
    """What is known before it is decided which layers run together.

    asked   the kernels of each layer, in the order of the graph
    plain   those chosen where each layer runs by itself, in order of execution
    inner   whether some were planned with loops or branches inside, which look at what to optimize for
    """

    asked: tuple[LayerCandidates, ...]
    plain: tuple[Candidate, ...]
    groups: Groups
    inner: bool
    kernels: Sequence[Kernel] | None

    @property
    def candidates(self) -> tuple[LayerCandidates, ...]:
        """Of each layer, in order of execution."""
        return tuple(self.groups.candidates)

    @classmethod
    def of(
        cls, graph: Graph, core: Core, optimize: Optimize, *, keep_inputs: bool, kernels: Sequence[Kernel] | None
    ) -> _Draft:
        """Ask all kernels, choose among them, and find the order of execution."""
        for tensor in graph.output_tensors():
            if tensor.is_constant:
                raise ModelError(
                    f"output `{tensor.name}` of model `{graph.name}` is a constant: there is nothing to compute for it",
                    hint="remove this output from the model and convert it again",
                )
        layers = parse_graph(graph)

        def plan_inner(inner: Graph) -> Plan:
            return make_plan(inner, core, optimize, by_rows=False, kernels=kernels)

        control = [control_kernels(layer, plan_inner) for layer in layers]
        asked = tuple(
            find_candidates(layer, core, planned or serving_kernels(layer, kernels))
            for layer, planned in zip(layers, control, strict=True)
        )
        plain, order = _order(graph, asked, optimize, keep_inputs=keep_inputs)
        groups = Groups(graph, core, [asked[at] for at in order], kernels, keep_inputs=keep_inputs)
        return cls(asked, plain, groups, any(control), kernels)

    def again(self, optimize: Optimize) -> _Draft:
        """The same for another goal: kernels are not asked twice, and groups are the same in the same order."""
        graph, core, keep_inputs = self.groups.graph, self.groups.core, self.groups.keep_inputs
        if self.inner:
            return _Draft.of(graph, core, optimize, keep_inputs=keep_inputs, kernels=self.kernels)
        plain, order = _order(graph, self.asked, optimize, keep_inputs=keep_inputs)
        in_order = tuple(self.asked[at] for at in order)
        groups = self.groups
        if in_order != self.candidates:
            groups = Groups(graph, core, in_order, self.kernels, keep_inputs=keep_inputs)
        return _Draft(self.asked, plain, groups, self.inner, self.kernels)


def _order(
    graph: Graph, asked: tuple[LayerCandidates, ...], optimize: Optimize, *, keep_inputs: bool
) -> tuple[tuple[Candidate, ...], tuple[int, ...]]:
    """The kernels of layers that each run by themselves, and the order: both in order of execution."""
    memory = find_memory(graph, [each.layer for each in asked], keep_inputs=keep_inputs)
    given = tuple(range(len(asked)))
    chosen = select_kernels(memory, asked, given, optimize)
    steps = [candidate.step for candidate in chosen]
    order = tuple(best_order(graph, memory, steps, max((4, *(each.kernel.alignment for each in chosen)))))
    if order != given:
        chosen = select_kernels(memory, asked, order, optimize)
    return tuple(chosen[layer] for layer in order), order

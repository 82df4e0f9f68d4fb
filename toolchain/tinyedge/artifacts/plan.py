"""What runs in which order and where its memory lies, for one model on one board: known before anything is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

from tinyedge.artifacts.budget import Budget
from tinyedge.artifacts.model import QuantizedModel
from tinyedge.artifacts.observer import Observer
from tinyedge.boards import Board
from tinyedge.errors import ModelError
from tinyedge.features.quantize import FeatureInput, fit_input
from tinyedge.features.stream import Stream, StreamSettings, can_listen, fit_stream
from tinyedge.graph.ir import Array, Graph, Tensor
from tinyedge.kernels.contract import Cost, Kernel
from tinyedge.ops.contract import Layer

Protocols = Literal["tinyedge", "mlperf"]
"""what a firmware speaks"""
Optimize = Literal["size", "balanced", "speed"]


def feature_input(model: QuantizedModel, graph: Graph) -> FeatureInput | None:
    """How features fill a model's input; None when it has none. Raises: ModelError when they do not fit."""
    if model.features is None:
        return None
    inputs = graph.input_tensors()
    if len(inputs) != 1:
        raise ModelError(
            f"features fill the only input of a model; `{model.name}` has {len(inputs)}",
            hint="leave out the table [features], and compute the inputs in front of the model",
        )
    return fit_input(model.features, model.name, inputs[0])


def model_stream(model: QuantizedModel, graph: Graph) -> Stream | None:
    """How a model listens to a signal; None when it cannot, and nobody says it should.

    Raises: ModelError when its features do not fit its input, or its settings do not fit its features or output
    """
    filled = feature_input(model, graph)
    output = graph.output_tensors()[0]
    if filled is None or (model.stream is None and not can_listen(filled, output)):
        return None
    keeps_state = any(tensor.is_variable for tensor in graph.tensors.values())
    settings = model.stream or StreamSettings()
    return fit_stream(settings, filled, model.name, output, model.class_names, keeps_state=keeps_state)


class Named(Protocol):
    """What runs a layer, as reports name it."""

    @property
    def name(self) -> str: ...


class ScheduledLayer(Protocol):
    """A layer, and what runs it."""

    @property
    def layer(self) -> Layer: ...

    @property
    def kernel(self) -> Named: ...


class Schedule(Protocol):
    """What a firmware runs, whatever its runtime: a `Plan`, or the `Program` of an interpreter."""

    @property
    def graph(self) -> Graph: ...

    @property
    def layers(self) -> Sequence[ScheduledLayer]:
        """In order of execution."""
        ...

    @property
    def arena_bytes(self) -> int: ...

    @property
    def optimize(self) -> Optimize: ...


@dataclass(frozen=True)
class Buffer:
    """A piece of the arena: a tensor or the scratch of a layer, alive from step `first` to step `last` inclusive."""

    name: str
    tensor: int | None
    """key in `Graph.tensors`; None for scratch"""
    offset: int
    bytes: int
    first: int
    last: int


@dataclass(frozen=True)
class NamedKernel:
    """A kernel of which tinyedge knows the name alone."""

    name: str


@dataclass(frozen=True, eq=False)
class PlannedLayer:
    """A layer, the kernel that won, and why. Of a layer in a group the kernel is named alone: the group's runs it."""

    layer: Layer
    kernel: Kernel | NamedKernel
    cost: Cost
    considered: tuple[tuple[str, str], ...]
    """(kernel name, its cost or the reason it does not fit), for `build -v`"""
    scratch: Buffer | None
    in_place_offsets: tuple[int | None, ...] = ()
    """per input what `Kernel.in_place_offset` said; without an entry the output may not overlap that input"""
    reads_behind: int = 0
    """bytes behind the end of its tensors that it may read"""


@dataclass(frozen=True)
class RowsAt:
    """Where the rows of a layer in a group lie right after the call that computed them.

    offset      in the arena: of its rows if all have a place, else of the end of the newest, whose place they share
    row_bytes   of a row; `pitch` bytes lie from one to the next
    rows        of its output in all
    first_rows  of the first call that leaves any; `call_rows` of each further one, but for what is left in the last
    whole       all rows have a place: they lie one behind the other
    silent      calls before the first that leaves rows
    """

    offset: int
    row_bytes: int
    pitch: int
    rows: int
    first_rows: int
    call_rows: int
    whole: bool
    silent: int = 0


@dataclass(frozen=True, eq=False)
class PlannedGroup:
    """Layers that run as one stream of rows: steps `first` to `last` of a plan, of which one kernel runs all.

    layer    what stands for them: it reads what they read from outside, and gives what the last one computes
    scratch  the rows that wait inside
    calls    the step of each call of a layer, in order
    rows     for each layer where its rows lie

    reads_behind  as a layer has it
    """

    first: int
    last: int
    layer: Layer
    kernel: Kernel
    cost: Cost
    scratch: Buffer | None
    in_place_offsets: tuple[int | None, ...]
    calls: tuple[int, ...]
    rows: tuple[RowsAt, ...]
    reads_behind: int = 0


@dataclass(frozen=True, eq=False)
class PlanUnit:
    """What is run as a whole: a layer, or a group."""

    first: int
    last: int
    layer: Layer
    kernel: Kernel
    scratch: Buffer | None
    in_place_offsets: tuple[int | None, ...]
    reads_behind: int
    group: PlannedGroup | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """Kernels, order of execution and the arena for one graph on one core."""

    graph: Graph
    layers: tuple[PlannedLayer, ...]
    """in order of execution"""
    buffers: tuple[Buffer, ...]
    """in the arena"""
    arena_bytes: int
    lower_bound_bytes: int
    """what the tensors alive at the worst step need at least, overlap allowed for"""
    optimize: Optimize
    state: tuple[Buffer, ...] = ()
    """the variables, which keep their bytes from one inference to the next: offsets in memory beside the arena"""
    state_bytes: int = 0
    keeps_inputs: bool = False
    """no layer overwrites an input of the model"""
    groups: tuple[PlannedGroup, ...] = ()
    """in order of execution"""

    @cached_property
    def units(self) -> tuple[PlanUnit, ...]:
        """Layers and groups in order of execution."""
        group_at = {group.first: group for group in self.groups}
        inside = {step for group in self.groups for step in range(group.first, group.last + 1)}
        found = []
        for step, planned in enumerate(self.layers):
            group = group_at.get(step)
            if group is not None:
                offsets, behind = group.in_place_offsets, group.reads_behind
                unit = PlanUnit(step, group.last, group.layer, group.kernel, group.scratch, offsets, behind, group)
                found.append(unit)
            elif step not in inside:
                assert isinstance(planned.kernel, Kernel)
                offsets, behind = planned.in_place_offsets, planned.reads_behind
                found.append(PlanUnit(step, step, planned.layer, planned.kernel, planned.scratch, offsets, behind))
        return tuple(found)

    @property
    def arriving_input(self) -> Tensor | None:
        """The input whose rows are given one by one, and which lies nowhere whole."""
        return next((tensor for tensor in self.graph.input_tensors() if tensor.index in self.graph.borrowed), None)

    @property
    def alignment(self) -> int:
        """Of tensors and scratch, in bytes, as kernels want it."""
        return max((unit.kernel.alignment for unit in self.units), default=1)

    def group_of(self, step: int) -> PlannedGroup | None:
        """The group that a step belongs to."""
        return next((group for group in self.groups if group.first <= step <= group.last), None)

    def buffer_of(self, key: int) -> Buffer:
        """The buffer of tensor `key`, in the state if it is a variable; KeyError for a constant, and what is never
        whole."""
        for buffer in (*self.buffers, *self.state):
            if buffer.tensor == key:
                return buffer
        raise KeyError(key)


@dataclass(frozen=True, eq=False)
class ProgramLayer:
    """A layer that an interpreter runs."""

    layer: Layer
    kernel: NamedKernel


@dataclass(frozen=True)
class RamPoint:
    """One plan among those that trade time for RAM.

    arena_bytes   of arena and state
    cycles        of one inference, as the planner estimates them
    flash_bytes   of code and constants, likewise
    groups        (operator of the first layer, of the last, calls) of each stream of rows
    """

    arena_bytes: int
    cycles: int
    flash_bytes: int
    groups: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class RamCurve:
    """The plans of a model on a core of which none faster takes as little RAM, the smallest first."""

    model: str
    core: str
    points: tuple[RamPoint, ...]


def call_steps(schedule: Schedule) -> tuple[int, ...]:
    """The step of each call that a firmware tells of, in order: one for a layer, several for one in a group."""
    if not isinstance(schedule, Plan):
        return tuple(range(len(schedule.layers)))
    return tuple(
        step for unit in schedule.units for step in (unit.group.calls if unit.group is not None else (unit.first,))
    )


@dataclass(frozen=True, eq=False)
class Program:
    """What an interpreter on the device runs: the layers of the file in its order, with memory it plans itself."""

    graph: Graph
    layers: tuple[ProgramLayer, ...]
    arena_bytes: int
    """0 until it is known"""
    optimize: Optimize


class Reference(Protocol):
    """What a firmware's outputs have to be."""

    @property
    def name(self) -> str:
        """Whose they are, as reports say it: outputs differ from ..., or equal those of ..."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report has to say of it; empty for the oracle."""
        ...

    def outputs(self, samples: Sequence[Array], observer: Observer) -> list[Array]:
        """One array [N, *shape] for each output of the model.

        Shape:   samples one array [N, *shape] for each input
        Raises:  ToolError when it is not installed or refuses the model
        """
        ...


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model for a board: everything that is known before anything is compiled."""

    model: QuantizedModel
    board: Board
    runtime: str
    original: Graph
    """as in the file"""
    plan: Schedule
    memory: Plan | None
    """the plan of the arena; None where an interpreter on the device makes it"""
    reference: Reference
    budget: Budget | None = None
    """what it may cost; None where figures of budgets are not of this runtime, or the firmware has other models"""

    @property
    def feature_input(self) -> FeatureInput | None:
        """How features fill the model's input; None when it has none. Raises: ModelError when they do not fit."""
        return feature_input(self.model, self.original)

    @property
    def stream(self) -> Stream | None:
        """How the model listens to a signal. Raises: as `model_stream`."""
        return model_stream(self.model, self.original)

"""What runs in which order and where its memory lies, for one model on one board: known before anything is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from tinyedge.artifacts.model import QuantizedModel
from tinyedge.artifacts.observer import Observer
from tinyedge.boards import Board
from tinyedge.graph.ir import Array, Graph
from tinyedge.kernels.contract import Cost, Kernel
from tinyedge.ops.contract import Layer

Protocols = Literal["tinyedge", "mlperf"]
"""what a firmware speaks"""
Optimize = Literal["size", "balanced", "speed"]


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


@dataclass(frozen=True, eq=False)
class PlannedLayer:
    """A layer, the kernel that won, and why."""

    layer: Layer
    kernel: Kernel
    cost: Cost
    considered: tuple[tuple[str, str], ...]
    """(kernel name, its cost or the reason it does not fit), for `build -v`"""
    scratch: Buffer | None
    in_place_offsets: tuple[int | None, ...] = ()
    """per input what `Kernel.in_place_offset` said; without an entry the output may not overlap that input"""


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

    def buffer_of(self, key: int) -> Buffer:
        """The buffer of tensor `key`, in the state if it is a variable; KeyError when it is a constant."""
        for buffer in (*self.buffers, *self.state):
            if buffer.tensor == key:
                return buffer
        raise KeyError(key)


@dataclass(frozen=True)
class NamedKernel:
    """A kernel of which tinyedge knows the name alone."""

    name: str


@dataclass(frozen=True, eq=False)
class ProgramLayer:
    """A layer that an interpreter runs."""

    layer: Layer
    kernel: NamedKernel


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
    budget: Path | None = None
    """the recipe's budget.toml, if there is one and its figures are of this runtime"""

"""What a model holds, as far as its file tells; and what becomes of it on a board."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class InspectedTensor:
    """A tensor as the file states it.

    shape   -1 where the file leaves a size open
    scales  how many there are; 0 without quantization
    """

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int
    scales: int
    smallest_scale: float | None
    largest_scale: float | None
    zero_point: int | None


@dataclass(frozen=True)
class InspectedWeights:
    """The constants of an operator that are multiplied with.

    distinct       different values
    dead_channels  output channels of which every weight is zero
    """

    count: int
    bytes: int
    zeros: int
    distinct: int
    channels: int
    dead_channels: int


@dataclass(frozen=True)
class InspectedOperator:
    """An operator as the file states it.

    macs         None where nobody can tell
    alive_bytes  of activations while it runs: what it reads and writes, and what later operators still need
    """

    index: int
    name: str
    activation: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    macs: int | None
    weights: InspectedWeights | None
    alive_bytes: int


@dataclass(frozen=True)
class PassEffect:
    """What a pass did to a graph.

    gone, added     operators by name, with how many
    constant_bytes  after it less before it
    """

    name: str
    about: str
    gone: tuple[tuple[str, int], ...]
    added: tuple[tuple[str, int], ...]
    constant_bytes: int


@dataclass(frozen=True)
class BoardLayer:
    """A layer on a board, by its operator in the file; None: what lies between the rows of layers that run as one."""

    operator: int | None
    name: str
    kernel: str
    constant_bytes: int
    instructions: int


@dataclass(frozen=True)
class Inspection:
    """A model.

    problems  why it does not run as it is; empty when it does
    board     the one that `layers` are of; empty without one
    """

    model: str
    digest: str
    file_bytes: int
    tensors: tuple[InspectedTensor, ...]
    operators: tuple[InspectedOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    further_graphs: int
    problems: tuple[str, ...]
    passes: tuple[PassEffect, ...] = ()
    board: str = ""
    compiler: str = ""
    layers: tuple[BoardLayer, ...] = ()

    @property
    def macs(self) -> int:
        """Of one inference, as far as they are known."""
        return sum(operator.macs or 0 for operator in self.operators)

    @property
    def weight_bytes(self) -> int:
        return sum(operator.weights.bytes for operator in self.operators if operator.weights is not None)

    @property
    def peak_bytes(self) -> int:
        """Of activations, if each had a place of its own."""
        return max((operator.alive_bytes for operator in self.operators), default=0)

    def tensor(self, index: int) -> InspectedTensor:
        return self.tensors[index]

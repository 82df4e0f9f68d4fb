"""The graph: tensors and operators as frozen data, as the .tflite file states them.

Operators carry TFLite's names in lower case. What an operator *means* (explicit padding, multipliers, ranges) is
worked out by `tinyedge.ops`; here stands only what the file says.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class DType(enum.Enum):
    """Element types, with TFLite's names.

    `int4` is packed two to a byte in files and unpacked to int8 in `Tensor.data`.
    """

    INT4 = "int4"
    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    BOOL = "bool"
    RESOURCE = "resource"

    @property
    def numpy(self) -> np.dtype[Any]:
        """The numpy type that holds one element."""
        return np.dtype({"int4": "int8", "resource": "int32"}.get(self.value, self.value))

    @property
    def bytes(self) -> int:
        """Size of one element in memory on the device, in bytes."""
        return int(self.numpy.itemsize)

    @property
    def c_name(self) -> str:
        """The C type of one element."""
        return {"float32": "float", "bool": "bool"}.get(self.numpy.name, f"{self.numpy.name}_t")


def integer_range(dtype: DType) -> tuple[int, int]:
    """Smallest and largest value of an integer type.

    >>> integer_range(DType.INT8), integer_range(DType.INT4)
    ((-128, 127), (-8, 7))
    """
    if dtype is DType.INT4:
        return -8, 7
    info = np.iinfo(dtype.numpy)
    return int(info.min), int(info.max)


@dataclass(frozen=True)
class Quantization:
    """Affine quantization: real = scale * (q - zero_point), per tensor (one entry) or per channel of `axis`."""

    scale: tuple[float, ...]
    """float32 values, exactly as in the file"""
    zero_point: tuple[int, ...]
    axis: int = 0

    @property
    def per_channel(self) -> bool:
        return len(self.scale) > 1


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor. `data` is a read-only array of `shape` for a constant, None for what is computed."""

    index: int
    """its key in `Graph.tensors`: the index in the file, or a fresh one given by a pass"""
    name: str
    shape: tuple[int, ...]
    dtype: DType
    quantization: Quantization | None = None
    data: Array | None = None
    is_variable: bool = False
    """keeps its value from one inference to the next"""
    start: Array | None = None
    """what a variable holds before the first inference, where the model says so; else `start_byte`"""

    @property
    def elements(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def bytes(self) -> int:
        """Size in memory on the device."""
        return self.elements * self.dtype.bytes

    @property
    def is_constant(self) -> bool:
        return self.data is not None

    @property
    def start_byte(self) -> int:
        """What every byte of a variable without `start` is before the first inference, in [0, 255]: the zero point of
        int8, else 0."""
        return self.quantization.zero_point[0] & 0xFF if self.dtype is DType.INT8 and self.quantization else 0

    @property
    def scale(self) -> float:
        """The per-tensor scale; only for tensors known to have one."""
        assert self.quantization is not None, self.name
        return self.quantization.scale[0]

    @property
    def zero_point(self) -> int:
        """The per-tensor zero point; only for tensors known to have one."""
        assert self.quantization is not None, self.name
        return self.quantization.zero_point[0]


@dataclass(frozen=True, eq=False)
class Operator:
    """One operator: TFLite's name in lower case, tensor keys, options as in the file.

    The key -1 stands for an optional input that is absent. `options` holds the file's builtin options by their
    schema names in snake case, enumerations as lower-case strings: `{"padding": "same", "stride_h": 2,
    "fused_activation_function": "relu"}`. Passes may add keys of their own (documented where they are read),
    e.g. `explicit_padding`.
    """

    index: int
    """position in the file's list of operators: what errors name, and stable over passes"""
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    subgraphs: tuple[Graph, ...] = ()
    """what it runs: condition and body of a while, the two branches of an if; each with tensor keys of its own"""


@dataclass(frozen=True, eq=False)
class Graph:
    """A model, or one subgraph of a file: operators in an order that can be executed."""

    name: str
    tensors: Mapping[int, Tensor]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    digest: str = ""
    """SHA-256 of the file it was read from"""
    calls_once: bool = False
    """whether the file runs another subgraph before the first inference, to give variables their `start`"""
    borrowed: frozenset[int] = frozenset()
    """tensors that lie in memory of the graph around this one; what is planned for this graph has no room for them"""

    def tensor(self, key: int) -> Tensor:
        return self.tensors[key]

    def input_tensors(self) -> tuple[Tensor, ...]:
        return tuple(self.tensors[key] for key in self.inputs)

    def output_tensors(self) -> tuple[Tensor, ...]:
        return tuple(self.tensors[key] for key in self.outputs)

    def producer(self, key: int) -> Operator | None:
        """The operator that writes tensor `key`; None for inputs and constants."""
        return self._producers.get(key)

    def consumers(self, key: int) -> tuple[Operator, ...]:
        """The operators that read tensor `key`, in order."""
        return tuple(self._consumers.get(key, ()))

    @cached_property
    def _producers(self) -> Mapping[int, Operator]:
        """Tensor key -> the first operator that writes it."""
        return {key: op for op in reversed(self.operators) for key in op.outputs}

    @cached_property
    def _consumers(self) -> Mapping[int, list[Operator]]:
        """Tensor key -> the operators that read it, in order."""
        found: dict[int, list[Operator]] = {}
        for op in self.operators:
            for key in set(op.inputs):
                found.setdefault(key, []).append(op)
        return found

    def present_inputs(self, operator: Operator) -> Iterator[Tensor]:
        """The input tensors of an operator, without absent ones."""
        return (self.tensors[key] for key in operator.inputs if key >= 0)

    def evolve(self, **changes: Any) -> Graph:
        """A copy with some fields replaced."""
        return replace(self, **changes)


def count_operators(graph: Graph) -> int:
    """Operators of a graph, those of a subgraph counted wherever it is run from."""
    counts: dict[int, int] = {}

    def count(inner: Graph) -> int:
        if id(inner) not in counts:
            runs = (subgraph for operator in inner.operators for subgraph in operator.subgraphs)
            counts[id(inner)] = len(inner.operators) + sum(map(count, runs))
        return counts[id(inner)]

    return count(graph)

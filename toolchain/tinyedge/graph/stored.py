"""A model as its file states it, whether or not tinyedge can run it: what diagnoses look at.

`read_model` refuses what no graph can express. Here types are words, shapes may be open, operators may be anyone's,
and all subgraphs are there. What makes no sense of a file at all is refused here too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from tinyedge.graph.flat_file import OUT_OF_FILE, TABLE_BYTES, FlatFile
from tinyedge.graph.option_fields import words_of

Array = npt.NDArray[Any]
UNKNOWN = "builtin_"
"""how an operator is called that the schema has no name for, in front of its number"""
SUBGRAPH_OPTIONS = (
    *("then_subgraph_index", "else_subgraph_index", "cond_subgraph_index", "body_subgraph_index"),
    "init_subgraph_index",
)
"""options that name a subgraph that the operator runs"""
_MOST_SHARED = 64
"""times the size of the file: what its constants have together, those of shared buffers counted for each tensor"""
_NUMPY = ("int8", "uint8", "int16", "int32", "int64", "uint32", "uint64", "float16", "float32", "float64", "bool")
_DIMENSIONS = 8


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """A tensor as the file states it."""

    index: int
    name: str
    shape: tuple[int, ...]
    """-1 where the file states no size at all"""
    signature: tuple[int, ...]
    """the same with -1 where the file lets a caller choose another size"""
    dtype: str
    """TFLite's word in lower case"""
    scale: tuple[float, ...] = ()
    zero_point: tuple[int, ...] = ()
    axis: int = 0
    data: Array | None = None
    """of a constant: by its shape and type (int4 as int8) where these fit, else its bytes"""
    stored: Array | None = None
    """the bytes of a constant in the file"""
    offset: int | None = None
    """where in the file these lie"""
    is_variable: bool = False
    exotic: str = ""
    """how its data or its scales are kept, where that is neither dense nor per tensor or channel: `sparse`, ..."""

    @property
    def is_constant(self) -> bool:
        return self.stored is not None

    @property
    def elements(self) -> int:
        """An open size counts as 1."""
        return math.prod(abs(size) for size in self.shape)

    @property
    def bytes(self) -> int:
        """Size in memory on a device; types of no fixed size count as bytes."""
        return self.elements * (np.dtype(self.dtype).itemsize if self.dtype in _NUMPY else 1)

    @property
    def is_float(self) -> bool:
        return self.dtype in ("float16", "float32", "float64")

    @property
    def per_channel(self) -> bool:
        return len(self.scale) > 1

    def values(self) -> Array | None:
        """The numbers of a constant; None where its bytes do not fit its shape, or it is computed."""
        return self.data if self.data is not None and self.data.shape == self.shape else None


@dataclass(frozen=True, eq=False)
class StoredOperator:
    """An operator as the file states it; -1 stands for an input that is absent."""

    index: int
    name: str
    """TFLite's in lower case; of a custom operator its own, of one that the schema does not know `builtin_<number>`"""
    is_custom: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class StoredGraph:
    """A subgraph of a file."""

    number: int
    tensors: tuple[StoredTensor, ...]
    operators: tuple[StoredOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def operands(self, operator: StoredOperator) -> list[StoredTensor]:
        """The inputs that are there."""
        return [self.tensors[key] for key in operator.inputs if key >= 0]

    def results(self, operator: StoredOperator) -> list[StoredTensor]:
        return [self.tensors[key] for key in operator.outputs]

    def operand(self, operator: StoredOperator, position: int) -> StoredTensor | None:
        """The input at a position; None when it is absent."""
        there = position < len(operator.inputs) and operator.inputs[position] >= 0
        return self.tensors[operator.inputs[position]] if there else None

    def producer(self, key: int) -> StoredOperator | None:
        return self._producers.get(key)

    def consumers(self, key: int) -> list[StoredOperator]:
        return self._consumers.get(key, [])

    @cached_property
    def _producers(self) -> dict[int, StoredOperator]:
        return {key: operator for operator in reversed(self.operators) for key in operator.outputs}

    @cached_property
    def _consumers(self) -> dict[int, list[StoredOperator]]:
        found: dict[int, list[StoredOperator]] = {}
        for operator in self.operators:
            for key in dict.fromkeys(operator.inputs):
                found.setdefault(key, []).append(operator)
        return found


@dataclass(frozen=True, eq=False)
class StoredModel:
    """A file."""

    name: str
    file_bytes: int
    graphs: tuple[StoredGraph, ...]
    """all subgraphs; the first is the model"""
    signatures: tuple[str, ...]
    metadata: tuple[str, ...]

    def used_graphs(self) -> Iterator[StoredGraph]:
        """The model, and the subgraphs that its operators run, and so on, each once."""
        pending, seen = [0], {0}
        while pending:
            graph = self.graphs[pending.pop(0)]
            yield graph
            for operator in graph.operators:
                for option in SUBGRAPH_OPTIONS:
                    number = operator.options.get(option, 0)
                    if 0 < number < len(self.graphs) and number not in seen:
                        seen.add(number)
                        pending.append(number)


class _StoredReader(FlatFile):
    """One file being read as it is."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data, name)
        self.constants = _MOST_SHARED * (len(data) + 1024)

    def unknown_builtin(self, builtin: int) -> str:
        return f"{UNKNOWN}{builtin}"

    def model(self) -> StoredModel:
        self.check_magic()
        model = schema.Model.GetRootAs(self.data, 0)
        self.place = "the model table"
        codes = self.operator_names(model)
        custom = [
            max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) == schema.BuiltinOperator.CUSTOM
            for code in map(model.OperatorCodes, range(len(codes)))
        ]
        if not model.SubgraphsLength():
            raise self.fail("it has no subgraph")
        graphs = []
        for number in range(model.SubgraphsLength()):
            self.spend(TABLE_BYTES // 2)
            graphs.append(self.graph(model, number, list(zip(codes, custom, strict=True))))
        self.place = "the model table"
        return StoredModel(
            self.name,
            len(self.data),
            tuple(graphs),
            tuple(self.text(model.SignatureDefs(i).SignatureKey()) for i in range(model.SignatureDefsLength())),
            tuple(self.text(model.Metadata(i).Name()) for i in range(model.MetadataLength())),
        )

    def graph(self, model: Any, number: int, codes: list[tuple[str, bool]]) -> StoredGraph:
        subgraph = model.Subgraphs(number)
        tensors = tuple(self.tensor(model, subgraph, index) for index in range(subgraph.TensorsLength()))
        operators = tuple(
            self.operator(subgraph, index, codes, len(tensors)) for index in range(subgraph.OperatorsLength())
        )
        self.place = f"subgraph {number}"
        inputs, outputs = self.vector(subgraph.InputsAsNumpy), self.vector(subgraph.OutputsAsNumpy)
        for key in (*inputs, *outputs):
            if not 0 <= key < len(tensors):
                raise self.fail(f"it refers to tensor {key}, the file has {len(tensors)}")
        return StoredGraph(number, tensors, operators, inputs, outputs)

    def tensor(self, model: Any, subgraph: Any, index: int) -> StoredTensor:
        self.place = f"tensor {index}"
        self.spend(TABLE_BYTES)
        table = subgraph.Tensors(index)
        shape = self.vector(table.ShapeAsNumpy)
        signature = self.vector(table.ShapeSignatureAsNumpy)
        if len(shape) > _DIMENSIONS:
            raise self.fail(f"it has {len(shape)} dimensions, at most {_DIMENSIONS} can be")
        dtype = words_of(schema.TensorType).get(table.Type(), f"type_{table.Type()}")
        scales = table.Quantization()
        stored = self.stored(model, table)
        offset = None if stored is None else self.offset_of(stored)
        return StoredTensor(
            index,
            self.text(table.Name()),
            shape,
            signature if len(signature) == len(shape) else shape,
            dtype,
            () if scales is None else self.vector(scales.ScaleAsNumpy),
            () if scales is None else self.vector(scales.ZeroPointAsNumpy),
            0 if scales is None else scales.QuantizedDimension(),
            None if stored is None else self.typed(stored, shape, dtype),
            stored,
            offset,
            table.IsVariable(),
            _exotic(table),
        )

    def stored(self, model: Any, table: Any) -> Array | None:
        """The bytes of a constant; None for what is computed, or lies elsewhere."""
        if table.Buffer() >= model.BuffersLength():
            raise self.fail(f"it refers to buffer {table.Buffer()}, the file has {model.BuffersLength()}")
        raw = model.Buffers(table.Buffer()).DataAsNumpy()
        if not isinstance(raw, np.ndarray) or raw.size == 0:
            return None
        self.constants -= raw.size
        if self.constants < 0:
            raise self.fail(f"its tensors share buffers to {_MOST_SHARED} times the size of the file")
        return raw

    def typed(self, stored: Array, shape: tuple[int, ...], dtype: str) -> Array:
        """The bytes as numbers of that shape, where they fit; else as they are."""
        elements = math.prod(shape)
        if dtype == "int4" and stored.size == (elements + 1) // 2 and elements >= 0:
            return self.unpack_int4(stored, elements).reshape(shape)
        if dtype not in _NUMPY or elements < 0 or stored.size != elements * np.dtype(dtype).itemsize:
            return stored
        kind = np.dtype(dtype).newbyteorder("<")
        return np.frombuffer(self.data, kind, elements, self.offset_of(stored)).reshape(shape)

    def operator(self, subgraph: Any, index: int, codes: list[tuple[str, bool]], tensors: int) -> StoredOperator:
        self.place = f"operator {index}"
        self.spend(TABLE_BYTES)
        table = subgraph.Operators(index)
        if table.OpcodeIndex() >= len(codes):
            raise self.fail(f"it refers to operator code {table.OpcodeIndex()}, the file has {len(codes)}")
        name, is_custom = codes[table.OpcodeIndex()]
        inputs, outputs = self.vector(table.InputsAsNumpy), self.vector(table.OutputsAsNumpy)
        for key in (*inputs, *outputs):
            if not -1 <= key < tensors or (key < 0 and key in outputs):
                raise self.fail(f"it refers to tensor {key}, the file has {tensors}")
        unread = is_custom or name.startswith(UNKNOWN)
        options = MappingProxyType({}) if unread else self.operator_options(table)
        return StoredOperator(index, name, is_custom, inputs, outputs, options)


def _exotic(table: Any) -> str:
    """How a tensor is kept that no microcontroller's runtime reads; empty for others."""
    scales = table.Quantization()
    if table.Sparsity() is not None:
        return "sparse"
    if table.ExternalBuffer() != 0:
        return "in another file"
    if table.VariantTensorsLength() != 0:
        return "variant"
    return "block-wise" if scales is not None and scales.DetailsType() != schema.QuantizationDetails.NONE else ""


def read_stored(data: bytes, name: str) -> StoredModel:
    """What a .tflite file states. Constants are views into `data`.

    Raises: ModelError when the file is damaged
    """
    reader = _StoredReader(bytes(data), name)
    try:
        return reader.model()
    except OUT_OF_FILE as error:
        raise reader.out_of_file(error) from error

"""Reads a .tflite file into a `Graph`.

The file is not trusted: nothing it claims is believed before it was compared with the bytes that are there, nothing
is copied that can be viewed in place, and whatever is wrong becomes a `ModelError` that says where.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from tinyedge.graph.flat_file import OUT_OF_FILE, TABLE_BYTES, FlatFile
from tinyedge.graph.ir import DType, Graph, Operator, Quantization, Tensor, count_operators
from tinyedge.graph.option_fields import words_of
from tinyedge.graph.resources import bind_resources, keep_outputs
from tinyedge.graph.verify import verify

_MAX_RANK = 8
_MAX_OPERANDS = 1024
_MAX_TENSOR_BYTES = 1 << 31
_SUBGRAPHS = MappingProxyType(
    {
        "if": ("then_subgraph_index", "else_subgraph_index"),
        "while": ("cond_subgraph_index", "body_subgraph_index"),
    }
)
"""operators that run other subgraphs, and the options that name these, in the order of `Operator.subgraphs`"""
_DEEPEST = 8
"""subgraphs one within the other"""
_MOST_INNER = 5_000
"""operators of all subgraphs that a graph runs, those of each counted wherever it is run from"""
_DTYPES = {getattr(schema.TensorType, dtype.name): dtype for dtype in DType}


def _settled(quantization: Quantization, shape: tuple[int, ...], dtype: DType) -> Quantization | None:
    """What a tensor's scales mean where the file is loose about their axis.

    A tensor of one dimension has one axis, whatever number the file gives it. What is int32 or int64 is added as it
    is, as biases are: scales that fit no axis of it say nothing, and older converters wrote such.
    """
    if not quantization.per_channel:
        return quantization
    axis = 0 if len(shape) == 1 else quantization.axis
    fits = 0 <= axis < len(shape) and shape[axis] == len(quantization.scale)
    if not fits and dtype in (DType.INT32, DType.INT64):
        return None
    return replace(quantization, axis=axis)


class _Reader(FlatFile):
    """One file being read."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data, name)
        self.zero_points: dict[tuple[int, int], tuple[int, ...]] = {}

    # -- the file --------------------------------------------------------------------------------------------------

    def graphs(self) -> tuple[Graph, Mapping[int, Graph]]:
        """The first subgraph, which is the model, and by their numbers those that it runs once, at the start.

        What the model runs as the data decides is part of its operators. Others are for other signatures of
        the file: nothing runs them.
        """
        self.check_magic()
        model = schema.Model.GetRootAs(self.data, 0)
        self.place = "the model table"
        self.check_metadata(model)
        codes = self.operator_names(model)
        if not model.SubgraphsLength():
            raise self.fail("it has no subgraph")
        read: dict[int, Graph] = {}
        main = self.whole_subgraph(model, 0, codes, read)
        once = {
            self.subgraph_number(model, operator, "init_subgraph_index")
            for operator in main.operators
            if operator.name == "call_once"
        }
        return main, {number: self.subgraph(model, number, codes) for number in sorted(once)}

    def whole_subgraph(
        self, model: Any, number: int, codes: list[str], read: dict[int, Graph], outer: tuple[int, ...] = ()
    ) -> Graph:
        """A subgraph with those that its operators run, and so on.

        read   what has been read, by number
        outer  the numbers of the subgraphs around it
        """
        if number in read:
            return read[number]
        if len(outer) > _DEEPEST:
            raise self.fail(f"it runs subgraphs within subgraphs, more than {_DEEPEST} deep", "nest fewer loops")
        graph = self.subgraph(model, number, codes)
        operators = []
        for operator in graph.operators:
            inner = []
            for option in _SUBGRAPHS.get(operator.name, ()):
                run = self.subgraph_number(model, operator, option)
                if run in (number, *outer):
                    raise self.fail(f"it runs subgraph {run}, which it is part of", "export the model again")
                inner.append(self.whole_subgraph(model, run, codes, read, (number, *outer)))
            operators.append(replace(operator, subgraphs=tuple(inner)))
        read[number] = graph.evolve(
            name=f"{self.name}, subgraph {number}" if number else self.name, operators=tuple(operators)
        )
        self.place = f"subgraph {number}"
        if (inner_operators := count_operators(read[number]) - len(operators)) > _MOST_INNER:
            raise self.fail(
                f"its subgraphs have {inner_operators:,} operators, counted wherever they are run from; "
                f"at most {_MOST_INNER:,} can be",
                "run fewer subgraphs from within others",
            )
        return read[number]

    def subgraph_number(self, model: Any, operator: Operator, option: str) -> int:
        """The number of a subgraph that an operator runs."""
        self.place = f"operator {operator.index} `{operator.name}`"
        number = operator.options.get(option, 0)
        if not 0 < number < model.SubgraphsLength():
            raise self.fail(f"it runs subgraph {number}, the file has subgraphs 1 to {model.SubgraphsLength() - 1}")
        return int(number)

    def subgraph(self, model: Any, number: int, codes: list[str]) -> Graph:
        subgraph = model.Subgraphs(number)
        tensors = {index: self.tensor(model, subgraph, index) for index in range(subgraph.TensorsLength())}
        operators = tuple(self.operator(subgraph, index, codes, tensors) for index in range(subgraph.OperatorsLength()))
        self.place = f"subgraph {number}"
        return Graph(
            name=self.name,
            tensors=MappingProxyType(tensors),
            operators=operators,
            inputs=self.vector(subgraph.InputsAsNumpy),
            outputs=self.vector(subgraph.OutputsAsNumpy),
            digest=hashlib.sha256(self.data).hexdigest(),
        )

    def check_metadata(self, model: Any) -> None:
        for index in range(model.MetadataLength()):
            self.place = f"metadata {index}"
            if model.Metadata(index).Name() == b"COMPRESSION_METADATA":
                raise self.fail(
                    "its tensors are compressed by TensorFlow Lite Micro's tool, which tinyedge cannot read",
                    "give the model from before the compression",
                    "TE405",
                )

    # -- tensors ---------------------------------------------------------------------------------------------------

    def tensor(self, model: Any, subgraph: Any, index: int) -> Tensor:
        self.place = f"tensor {index}"
        table = subgraph.Tensors(index)
        self.spend(TABLE_BYTES)
        name = self.text(table.Name())
        self.place = f"tensor {index} `{name}` (file offset {table._tab.Pos:#x})"
        dtype = self.dtype(table)
        shape = self.shape(table, dtype)
        self.refuse_exotic(table)
        data = self.constant(model, table.Buffer(), shape, dtype)
        quantization = self.quantization(table)
        if quantization is not None:
            quantization = _settled(quantization, shape, dtype)
        return Tensor(index, name, shape, dtype, quantization, data, table.IsVariable())

    def dtype(self, table: Any) -> DType:
        dtype = _DTYPES.get(table.Type())
        if dtype is None:
            name = words_of(schema.TensorType).get(table.Type(), f"number {table.Type()}")
            raise self.fail(
                f"its type is {name}; tinyedge reads {', '.join(d.value for d in DType)}",
                "convert to int8 with a representative data set",
                {"float16": "TE107", "variant": "TE404"}.get(name, "TE109"),
            )
        return dtype

    def shape(self, table: Any, dtype: DType) -> tuple[int, ...]:
        shape = self.vector(table.ShapeAsNumpy)
        if len(shape) > _MAX_RANK:
            raise self.fail(f"it has {len(shape)} dimensions, at most {_MAX_RANK} can be")
        if any(size < 0 for size in shape):
            raise self.fail(
                f"its shape {list(shape)} is not fixed",
                "export the model with a fixed input shape and batch size 1",
                "TE213",
            )
        if math.prod(shape) * dtype.bytes >= _MAX_TENSOR_BYTES:
            raise self.fail(f"its shape {list(shape)} takes {math.prod(shape) * dtype.bytes:,} bytes")
        return shape

    def refuse_exotic(self, table: Any) -> None:
        if table.Sparsity() is not None:
            raise self.fail(
                "it is stored sparse, tinyedge reads dense tensors",
                "convert without the sparsity optimization; pruned zeros stay zeros",
                "TE404",
            )
        if table.ExternalBuffer() != 0:
            raise self.fail("its data lies in another file", "export the model as a single .tflite file", "TE404")
        if table.VariantTensorsLength() != 0:
            raise self.fail("it is a variant tensor, which tinyedge cannot run", "export without tensor lists", "TE404")

    def quantization(self, table: Any) -> Quantization | None:
        parameters = table.Quantization()
        if parameters is None:
            return None
        if parameters.DetailsType() != schema.QuantizationDetails.NONE:
            raise self.fail(
                "its quantization is custom or block-wise; tinyedge knows per tensor and per channel",
                "convert with TensorFlow Lite's int8 quantization",
                "TE404",
            )
        scale = self.vector(parameters.ScaleAsNumpy)
        if not scale:
            return None
        zero_point = self.vector(parameters.ZeroPointAsNumpy) or (0,)
        if len(zero_point) == 1 and len(scale) > 1:
            zero_point = self.repeated(zero_point[0], len(scale))
        return Quantization(scale, zero_point, parameters.QuantizedDimension())

    def repeated(self, zero_point: int, count: int) -> tuple[int, ...]:
        """One zero point for each of several scales, as TensorFlow Lite Micro takes it; tensors share the tuple."""
        key = (zero_point, count)
        if key not in self.zero_points:
            self.zero_points[key] = (zero_point,) * count
        return self.zero_points[key]

    def constant(self, model: Any, buffer: int, shape: tuple[int, ...], dtype: DType) -> npt.NDArray[Any] | None:
        """The data of a tensor, viewed in the file; None for a tensor that is computed."""
        elements = math.prod(shape)
        if elements == 0:
            return np.zeros(shape, dtype.numpy)
        if buffer >= model.BuffersLength():
            raise self.fail(f"it refers to buffer {buffer}, the file has {model.BuffersLength()}")
        table = model.Buffers(buffer)
        if table.Offset() > 1 or table.Size() > 1:
            raise self.fail("its data lies behind the flatbuffer", "models above 2 GB are not for microcontrollers")
        raw = table.DataAsNumpy()
        if not isinstance(raw, np.ndarray) or raw.size == 0:
            return None
        expected = (elements + 1) // 2 if dtype is DType.INT4 else elements * dtype.bytes
        if raw.size != expected:
            raise self.fail(
                f"buffer {buffer} holds {raw.size:,} bytes, shape {list(shape)} of {dtype.value} needs {expected:,}"
            )
        if dtype is DType.INT4:
            return self.unpack_int4(raw, elements).reshape(shape)
        values = np.frombuffer(self.data, dtype.numpy.newbyteorder("<"), elements, self.offset_of(raw))
        return values.astype(dtype.numpy, copy=False).reshape(shape)

    # -- operators -------------------------------------------------------------------------------------------------

    def operator(self, subgraph: Any, index: int, codes: list[str], tensors: Mapping[int, Tensor]) -> Operator:
        self.place = f"operator {index}"
        table = subgraph.Operators(index)
        self.spend(TABLE_BYTES)
        self.place = f"operator {index} (file offset {table._tab.Pos:#x})"
        if table.OpcodeIndex() >= len(codes):
            raise self.fail(f"it refers to operator code {table.OpcodeIndex()}, the file has {len(codes)}")
        name = codes[table.OpcodeIndex()]
        self.place = f"operator {index} `{name}` (file offset {table._tab.Pos:#x})"
        inputs = self.vector(table.InputsAsNumpy)
        outputs = self.vector(table.OutputsAsNumpy)
        if max(len(inputs), len(outputs)) > _MAX_OPERANDS:
            raise self.fail(f"it has {len(inputs)} inputs and {len(outputs)} outputs, at most {_MAX_OPERANDS} can be")
        for key in (*(key for key in inputs if key != -1), *outputs):
            if key not in tensors:
                raise self.fail(f"it refers to tensor {key}, the file has {len(tensors)}")
        return Operator(index, name, inputs, outputs, self.operator_options(table))


def read_model(data: bytes, name: str) -> Graph:
    """The verified graph of a .tflite file. Constants are views into `data`; int4 constants are unpacked copies.

    Raises: ModelError when the file is damaged, or holds what no graph of tinyedge can express
    """
    data = bytes(data)
    reader = _Reader(data, name)
    try:
        graph, once = reader.graphs()
    except OUT_OF_FILE as error:
        raise reader.out_of_file(error) from error
    graph = keep_outputs(bind_resources(graph, once))
    verify(graph)
    return graph

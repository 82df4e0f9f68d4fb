"""Fold operators in float32 between dequantize and quantize into tables. It runs before a model is checked."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tinyedge.arithmetic import float_functions
from tinyedge.arithmetic.float_functions import Floats
from tinyedge.graph.access import constant, per_tensor
from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.ops.island import OPERATORS, TABLE
from tinyedge.optimize.remove_unused import remove_unused
from tinyedge.optimize.rewrite import reference_outputs, replace_operator, try_parse

_SAME_ORDER = ("reshape", "expand_dims", "squeeze")
"""operators that leave every element where it is in memory"""
_VALUES = np.arange(-128, 128).astype(np.int8)


@dataclass(frozen=True, eq=False)
class Column:
    """A tensor whose every element is a function of the element of `source` at the same place: its 256 results.

    source  key of an int8 tensor; None for a single constant, which has one result
    """

    source: int | None
    results: Floats
    operators: tuple[int, ...]
    """indices of the operators in float32 behind it"""


def fold_islands(graph: Graph) -> Graph:
    """Put an `island` in the place of every quantize whose input is a function, in float32, of one dequantized value.

    Lossless: the results of all 256 values are computed as the float kernels compute them.
    """
    folded = graph
    columns = Columns(graph)
    for operator in graph.operators:
        if operator.name != "quantize" or len(operator.inputs) != 1 or not _is_int8(graph.tensors[operator.outputs[0]]):
            continue
        column = columns.of(operator.inputs[0])
        if column is None or column.source is None or not column.operators:
            continue
        table = _quantized(graph, operator, column.results)
        if table is not None:
            folded = replace_operator(folded, tabulated(operator, column, table))
    return graph if folded is graph else remove_unused(folded)


def tabulated(operator: Operator, column: Column, table: tuple[int, ...] | tuple[float, ...]) -> Operator:
    """The island that gives what `operator` gives, from the tensor that its column is a function of."""
    assert column.source is not None
    options = {TABLE: table, OPERATORS: column.operators}
    return replace(operator, name="island", inputs=(column.source,), options=options)


def island_notes(original: Graph, folded: Graph) -> tuple[str, ...]:
    """What is to be said of the islands of a model, when it has some."""
    names = {operator.index: operator.name for operator in original.operators}
    notes = []
    for operator in folded.operators:
        if operator.name == "island" and operator.options[OPERATORS]:
            real = folded.tensors[operator.outputs[0]].dtype is DType.FLOAT32
            behind = [names[index] for index in operator.options[OPERATORS]]
            # A quantize that was moved has no place in the file.
            place = operator.index if operator.index in names else operator.options[OPERATORS][-1]
            notes.append(
                f"operator {place}: {', '.join(['dequantize', *behind, *([] if real else ['quantize'])])} "
                "compute in float32; they run as one table of 256 results, TensorFlow Lite Micro computes each value"
            )
    return tuple(notes)


def _is_int8(tensor: Tensor) -> bool:
    return tensor.dtype is DType.INT8 and per_tensor(tensor) and tensor.scale > 0


class Columns:
    """The columns of a graph, each worked out once."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._producers = {key: operator for operator in graph.operators for key in operator.outputs}
        self._known: dict[int, Column | None] = {}

    def of(self, key: int) -> Column | None:
        """What a float tensor is; None where it is no function of single elements. Without recursion: chains are
        long."""
        pending = [key]
        while pending:
            at = pending[-1]
            if at in self._known:
                pending.pop()
                continue
            producer = self._producers.get(at)
            operands = _operands(producer) if producer is not None else ()
            missing = [operand for operand in operands if operand not in self._known]
            if missing:
                pending += missing
                continue
            self._known[at] = _make_column(self._graph, at, producer, [self._known[each] for each in operands])
            pending.pop()
        return self._known[key]


def _operands(producer: Operator) -> tuple[int, ...]:
    """The float tensors that decide what an operator gives."""
    if producer.name in float_functions.FUNCTIONS:
        count = 2 if producer.name in float_functions.OF_TWO else 1
        return producer.inputs if len(producer.inputs) == count else ()
    return producer.inputs[:1] if producer.name in _SAME_ORDER else ()


def _make_column(graph: Graph, key: int, producer: Operator | None, operands: list[Column | None]) -> Column | None:
    tensor = graph.tensors.get(key)
    if tensor is None or tensor.dtype is not DType.FLOAT32 or tensor.is_variable:
        return None
    if producer is None:
        single = tensor.is_constant and tensor.elements == 1
        return Column(None, constant(tensor).astype(np.float32).reshape(1), ()) if single else None
    if producer.name == "dequantize":
        return _dequantized(graph, producer)
    columns = [operand for operand in operands if operand is not None]
    sources = {column.source for column in columns if column.source is not None}
    if len(columns) < max(len(operands), 1) or len(sources) != 1:
        return None
    return _applied(graph, tensor, producer, columns, sources.pop())


def _applied(graph: Graph, tensor: Tensor, producer: Operator, columns: list[Column], source: int) -> Column | None:
    """What an operator on columns gives; None where elements change places or are repeated."""
    if graph.tensors[source].elements != tensor.elements:
        return None
    indices = tuple(sorted({index for column in columns for index in column.operators}))
    if producer.name in _SAME_ORDER:
        return replace(columns[0], operators=indices)
    shapes = {graph.tensors[key].shape for key in producer.inputs if graph.tensors[key].elements > 1}
    if len(shapes) > 1:
        return None
    results = float_functions.apply(producer.name, producer.options, *(column.results for column in columns))
    return Column(source, results, (*indices, producer.index))


def _dequantized(graph: Graph, producer: Operator) -> Column | None:
    if len(producer.inputs) != 1 or producer.inputs[0] not in graph.tensors:
        return None
    source = graph.tensors[producer.inputs[0]]
    if not _is_int8(source) or source.is_variable:
        return None
    values = _VALUES
    if source.is_constant:
        if source.elements != 1:
            return None
        values = constant(source).reshape(1)
    real = (source.scale * (values.astype(np.float64) - source.zero_point)).astype(np.float32)
    return Column(None if source.is_constant else source.index, real, ())


def _quantized(graph: Graph, operator: Operator, results: Floats) -> tuple[int, ...] | None:
    """The table."""
    layer = try_parse(graph, operator)
    if layer is None:
        return None
    (table,) = reference_outputs(layer, [np.broadcast_to(results, 256)])
    return tuple(int(value) for value in table)

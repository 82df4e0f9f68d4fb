"""Which values an input of a model may take: those its quantize can hold, rows of the table that it indexes, truth.

A float32 input that other operators read first takes numbers between -4 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinyedge.graph.ir import DType, Graph, Operator, Tensor, integer_range

Array = npt.NDArray[Any]
_UNCHANGED = frozenset(
    (
        *("broadcast_to", "concatenation", "expand_dims", "pack", "reshape", "reverse_v2", "slice", "split", "split_v"),
        *("squeeze", "strided_slice", "transpose", "unpack"),
    )
)
"""operators that pass the values of their inputs on"""


@dataclass(frozen=True)
class InputRange:
    """The `count` values of an input, from `first` on: whole numbers, or, with a `scale`, that many steps of it.

    scale          of the quantize that reads a float32 input; 0 for other inputs
    element_bytes  4, or 1 for bool
    """

    count: int
    first: int
    scale: float = 0.0
    element_bytes: int = 4
    is_limit: bool = True
    """whether a quantize cannot tell values beyond apart, or a table has no others; else other values are as good"""

    def drawn(self, values: Array) -> Array:
        """What an input may hold for an array of its type that holds any bytes: as numbers, each one modulo `count`."""
        if self.element_bytes == 1:
            return (values.view(np.uint8) % self.count + self.first).astype(values.dtype)
        whole = (values.view(np.uint32) % np.uint32(self.count)).astype(np.int64) + self.first
        if not self.scale:
            return whole.astype(np.int32)
        return whole.astype(np.float32) * np.float32(self.scale)


_ANY_COUNT = InputRange(4, 0, is_limit=False)
"""numbers that no loop counts long from"""
_NUMBERS = InputRange(256, -128, 2.0**-5, is_limit=False)
"""of float32: random bits would be numbers of any size, and none"""


class RangedInput(NamedTuple):
    """An input of a model, and the values it may take; None: any bytes."""

    tensor: Tensor
    limits: InputRange | None


def ranged_inputs(graph: Graph) -> tuple[RangedInput, ...]:
    """The inputs of the model in their order."""
    return tuple(RangedInput(tensor, _range_of(graph, tensor)) for tensor in graph.input_tensors())


def _range_of(graph: Graph, tensor: Tensor) -> InputRange | None:
    if tensor.dtype is DType.BOOL:
        return InputRange(2, 0, element_bytes=1)
    found = []
    seen, pending = {tensor.index}, [tensor.index]
    while pending:
        key = pending.pop()
        for operator in graph.consumers(key):
            limits = _read_by(graph, operator, key, tensor.dtype)
            if limits is not None:
                found.append(limits)
            if operator.name in _UNCHANGED:
                pending += [output for output in operator.outputs if output not in seen]
                seen.update(operator.outputs)
    if found:
        return min(found, key=lambda limits: limits.count)
    return _NUMBERS if tensor.dtype is DType.FLOAT32 else None


def _read_by(graph: Graph, operator: Operator, key: int, dtype: DType) -> InputRange | None:
    """What an operator makes of an input's values, read as they are."""
    if dtype is DType.INT32:
        return _index_range(graph, operator, key)
    if dtype is not DType.FLOAT32 or operator.name != "quantize":
        return None
    target = graph.tensors[operator.outputs[0]]
    if target.quantization is None or target.scale <= 0:
        return None
    low, high = integer_range(target.dtype)
    return InputRange(high - low + 1, low - target.zero_point, target.scale)


def _index_range(graph: Graph, operator: Operator, key: int) -> InputRange | None:
    """What an operator makes of an int32 input's values, where they count or name places."""
    if operator.subgraphs:
        return _counted(operator, key)
    if operator.name not in ("gather", "gather_nd", "slice") or key != operator.inputs[1]:
        return None
    table, indices = graph.tensors[operator.inputs[0]].shape, graph.tensors[key].shape
    if operator.name == "slice":
        sizes = graph.tensors[operator.outputs[0]].shape
        most = min((size - count for size, count in zip(table, sizes, strict=False)), default=0)
        return InputRange(max(most, 0) + 1, 0)
    if operator.name == "gather_nd":
        return InputRange(min(table[: indices[-1]], default=1), 0) if indices else None
    return InputRange(table[operator.options.get("axis", 0)], 0)


def _counted(operator: Operator, key: int) -> InputRange:
    """What a loop or a branch takes: rows of the table that it indexes; else a number that a loop may count from."""
    operands = operator.inputs[len(operator.inputs) - len(operator.subgraphs[0].inputs) :]
    places = [at for at, operand in enumerate(operands) if operand == key]
    inner = [
        limits
        for graph in operator.subgraphs
        for at in places
        if at < len(graph.inputs) and (limits := _range_of(graph, graph.tensors[graph.inputs[at]])) is not None
    ]
    return min(inner, key=lambda limits: limits.count) if inner else _ANY_COUNT

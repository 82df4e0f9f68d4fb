"""Which values an input of a model may take: those its quantize can hold, or rows of the table that it indexes.

A float32 input that other operators read first takes numbers between -4 and 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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

    scale  of the quantize that reads a float32 input; 0 for int32
    """

    count: int
    first: int
    scale: float = 0.0
    is_limit: bool = True
    """whether a quantize cannot tell values beyond apart; else other values are as good"""

    def drawn(self, bits: npt.NDArray[np.uint32]) -> Array:
        """Values for random numbers of 32 bits, each one modulo `count`."""
        whole = (bits % np.uint32(self.count)).astype(np.int64) + self.first
        if not self.scale:
            return whole.astype(np.int32)
        return whole.astype(np.float32) * np.float32(self.scale)


_NUMBERS = InputRange(256, -128, 2.0**-5, is_limit=False)
"""of float32: random bits would be numbers of any size, and none"""


def input_ranges(graph: Graph) -> tuple[InputRange | None, ...]:
    """One for each input of the model; None for those that may hold any bytes."""
    return tuple(_range_of(graph, tensor) for tensor in graph.input_tensors())


def _range_of(graph: Graph, tensor: Tensor) -> InputRange | None:
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
    if dtype is DType.FLOAT32 and operator.name == "quantize":
        target = graph.tensors[operator.outputs[0]]
        if target.quantization is None or target.scale <= 0:
            return None
        low, high = integer_range(target.dtype)
        return InputRange(high - low + 1, low - target.zero_point, target.scale)
    if dtype is DType.INT32 and operator.name in ("gather", "gather_nd") and key == operator.inputs[1]:
        table, indices = graph.tensors[operator.inputs[0]].shape, graph.tensors[key].shape
        if operator.name == "gather_nd":
            return InputRange(min(table[: indices[-1]], default=1), 0) if indices else None
        return InputRange(table[operator.options.get("axis", 0)], 0)
    return None

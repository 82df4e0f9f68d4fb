"""Let operators that only move elements move integers instead of float32. It runs before a model is checked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from tinyedge.graph.access import constant
from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.ops.checks import computed_input
from tinyedge.optimize.remove_unused import remove_unused
from tinyedge.optimize.rewrite import add_tensors, fresh_key, reference_outputs, try_parse

_DATA = {
    **dict.fromkeys(("batch_to_space_nd", "depth_to_space", "expand_dims", "gather", "gather_nd", "mirror_pad"), 0),
    **dict.fromkeys(("pad", "reshape", "reverse_v2", "slice", "space_to_batch_nd", "space_to_depth"), 0),
    **dict.fromkeys(("split_v", "squeeze", "strided_slice", "transpose", "unpack"), 0),
    "split": 1,
}
"""the input that each of them moves"""
_JOINING = ("concatenation", "pack")
"""operators that move all their inputs"""


def move_borders(graph: Graph) -> Graph:
    """Dequantize behind operators that move elements, and quantize in front of them.

    Lossless: both are functions of single elements. Padding is of zeros, which the zero point is.
    """
    if all(operator.name != "dequantize" for operator in graph.operators):
        return graph
    moves = _Moves(graph)
    for operator in graph.operators:
        moves.add(moves.behind(operator))
    behind = moves.graph
    moves = _Moves(behind)
    for operator in behind.operators:
        moves.add(moves.in_front(operator))
    return graph if moves.graph is graph else remove_unused(moves.graph)


class _Moves:
    """A graph that is put together anew, operator by operator."""

    def __init__(self, original: Graph) -> None:
        self._original = original
        self._operators: list[Operator] = []
        self._tensors = dict(original.tensors)
        self._index = max(operator.index for operator in original.operators)
        self._sources: dict[int, Tensor] = {}
        """what float tensors were before they were dequantized"""
        self._gone: set[Operator] = set()
        """those that others stand for"""

    @property
    def graph(self) -> Graph:
        """The original where no operator was exchanged."""
        operators = tuple(operator for operator in self._operators if operator not in self._gone)
        if operators == self._original.operators:
            return self._original
        return self._original.evolve(operators=operators, tensors=self._tensors)

    def add(self, operators: Iterable[Operator]) -> None:
        self._operators += operators

    # -- dequantize behind -----------------------------------------------------------------------------------------

    def behind(self, operator: Operator) -> Sequence[Operator]:
        """What stands for an operator: itself, or it moves integers, which are dequantized then."""
        if operator.name == "dequantize":
            if try_parse(self._original, operator) is not None:
                source = self._tensors[operator.inputs[0]]
                if not source.is_variable:
                    self._sources[operator.outputs[0]] = source
            return [operator]
        sources = [self._sources.get(key) for key in self._moved(operator)]
        first = sources[0] if sources else None
        if first is None or any(each is None or not _alike(each, first) for each in sources):
            return [operator]
        return self._moved_behind(operator, first)

    def _moved(self, operator: Operator) -> tuple[int, ...]:
        """The tensors an operator moves."""
        if operator.name in _JOINING:
            return operator.inputs
        place = _DATA.get(operator.name)
        return () if place is None else operator.inputs[place : place + 1]

    def _moved_behind(self, operator: Operator, like: Tensor) -> Sequence[Operator]:
        moved = set(self._moved(operator))
        inputs = tuple(self._sources[key].index if key in moved else key for key in operator.inputs)
        targets = [self._fresh(self._tensors[key], like) for key in operator.outputs]
        mover = replace(operator, inputs=inputs, outputs=tuple(tensor.index for tensor in targets))
        if any(self._tensors[key].is_variable for key in operator.outputs) or not self._runs(mover):
            return [operator]
        borders = []
        for key, tensor in zip(operator.outputs, targets, strict=True):
            if self._original.consumers(key) or key in self._original.outputs:
                self._sources[key] = tensor
                borders.append(Operator(self._fresh_index(), "dequantize", (tensor.index,), (key,)))
        return [mover, *borders]

    # -- quantize in front -----------------------------------------------------------------------------------------

    def in_front(self, operator: Operator) -> Sequence[Operator]:
        """What stands for an operator: itself, or it moves integers, which are quantized before."""
        moved = dict.fromkeys(self._moved(operator))
        readers = self._original.consumers(operator.outputs[0]) if moved and len(operator.outputs) == 1 else ()
        if len(readers) != 1 or readers[0].name != "quantize" or operator.outputs[0] in self._original.outputs:
            return [operator]
        if try_parse(self._original, readers[0]) is None or min(moved) < 0:
            return [operator]
        target = self._tensors[readers[0].outputs[0]]
        tensors = {key: self._tensors[key] for key in moved}
        if any(tensor.dtype is not DType.FLOAT32 or tensor.is_variable for tensor in tensors.values()):
            return [operator]
        quantized = {key: self._fresh(tensor, target) for key, tensor in tensors.items()}
        borders = [
            replace(readers[0], index=self._fresh_index(), inputs=(key,), outputs=(tensor.index,))
            for key, tensor in quantized.items()
        ]
        for border in borders:
            self._quantize_constant(border)
        inputs = tuple(quantized[key].index if key in quantized else key for key in operator.inputs)
        mover = replace(operator, inputs=inputs, outputs=(target.index,))
        if not self._runs(mover):
            return [operator]
        self._gone.add(readers[0])
        left = [border for border in borders if not tensors[border.inputs[0]].is_constant]
        if left:
            left[0] = replace(left[0], index=readers[0].index)
        return [*left, mover]

    def _quantize_constant(self, border: Operator) -> None:
        source, target = self._tensors[border.inputs[0]], self._tensors[border.outputs[0]]
        if not source.is_constant:
            return
        graph = add_tensors(self._original, [source, target])
        layer = try_parse(graph, border, waived=[computed_input])
        assert layer is not None, "the quantize itself runs"
        (result,) = reference_outputs(layer, [constant(source)])
        data = np.ascontiguousarray(result, target.dtype.numpy).reshape(target.shape)
        data.flags.writeable = False
        self._tensors[target.index] = replace(target, data=data)

    # -- common ----------------------------------------------------------------------------------------------------

    def _fresh(self, tensor: Tensor, like: Tensor) -> Tensor:
        """A tensor of integers, quantized like another."""
        fresh = Tensor(fresh_key(self._tensors), tensor.name, tensor.shape, like.dtype, like.quantization)
        self._tensors[fresh.index] = fresh
        return fresh

    def _fresh_index(self) -> int:
        self._index += 1
        return self._index

    def _runs(self, operator: Operator) -> bool:
        return try_parse(self._original.evolve(tensors=self._tensors), operator) is not None


def _alike(one: Tensor, other: Tensor) -> bool:
    return one.dtype is other.dtype and one.quantization == other.quantization

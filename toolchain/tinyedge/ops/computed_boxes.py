"""dynamic_update_slice, and slice from a computed beginning: a box of a tensor whose place is known at run time only.

A box that would leave the tensor is moved inside. TensorFlow Lite Micro does so where a box is written; where one is
read it takes whatever lies there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.movement import Copy, View, make_copies
from tinyedge.graph.access import all_inputs, constant, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops import checks
from tinyedge.ops.contract import Layer, OperatorSpec

MOST_AXES = 5
_MOVED = (DType.INT8, DType.INT16, DType.INT32)


@dataclass(frozen=True, eq=False)
class ComputedBox:
    """Parameters.

    operands  the tensor, for an update what is written into it, and where the box begins along each axis: constants;
              None for what is computed (in this order in Layer.inputs)
    copy      of the box, from (for an update: to) the first element of the tensor on
    steps     elements of the tensor from one index to the next, along each axis
    """

    operands: tuple[Array | None, ...]
    copy: Copy
    shape: tuple[int, ...]
    box: tuple[int, ...]
    steps: tuple[int, ...]
    element_bytes: int

    @property
    def updates(self) -> bool:
        return len(self.operands) == 3

    @property
    def most(self) -> tuple[int, ...]:
        """The last place where the box may begin, along each axis."""
        return tuple(size - count for size, count in zip(self.shape, self.box, strict=True))


def _tensors(graph: Graph, operator: Operator) -> tuple[Tensor, Tensor, Tensor]:
    tensor, box, begin = all_inputs(graph, operator)
    return tensor, box, begin


def whole_of_one_type(graph: Graph, operator: Operator) -> bool:
    """The tensor, what is written into it, and the output are all int8, all int16 or all int32."""
    tensor, box, _ = _tensors(graph, operator)
    types = {tensor.dtype, box.dtype, first_output(graph, operator).dtype}
    return len(types) == 1 and types <= set(_MOVED)


def box_fits(graph: Graph, operator: Operator) -> bool:
    """What is written has as many axes as the tensor, one to five, and is no longer along any; the output has the shape
    of the tensor."""
    tensor, box, _ = _tensors(graph, operator)
    same_rank = 1 <= len(tensor.shape) == len(box.shape) <= MOST_AXES
    smaller = same_rank and all(count <= size for count, size in zip(box.shape, tensor.shape, strict=True))
    return smaller and first_output(graph, operator).shape == tensor.shape


def begins_at_int32(graph: Graph, operator: Operator) -> bool:
    """Where it begins is int32, a number for each axis; not all inputs are constants."""
    tensor, _, begin = _tensors(graph, operator)
    computed = not all(operand.is_constant for operand in all_inputs(graph, operator))
    return computed and begin.dtype is DType.INT32 and begin.shape == (len(tensor.shape),)


def _data(tensor: Tensor) -> Array | None:
    return constant(tensor).reshape(-1) if tensor.is_constant else None


def make_box(operator: Operator, operands: Sequence[Tensor], box: Sequence[int], target: Tensor) -> Layer:
    """A layer that reads a box of the first operand, or, with three operands, writes the second into it."""
    tensor, written = operands[0], View.whole(tuple(box))
    inside = View(0, tuple(box), View.whole(tensor.shape).steps)
    pair = (written, inside) if len(operands) == 3 else (inside, written)
    params = ComputedBox(
        operands=tuple(_data(operand) for operand in operands),
        copy=make_copies(0, 0, [pair])[0],
        shape=tensor.shape,
        box=tuple(box),
        steps=View.whole(tensor.shape).steps,
        element_bytes=tensor.dtype.bytes,
    )
    computed = tuple(operand for operand in operands if not operand.is_constant)
    return Layer(operator, params, computed, (target,), macs=0)


def parse(graph: Graph, operator: Operator) -> Layer:
    operands = _tensors(graph, operator)
    return make_box(operator, operands, operands[1].shape, first_output(graph, operator))


def reference(params: ComputedBox, inputs: Sequence[Array]) -> tuple[Array, ...]:
    computed: Iterator[Array] = iter(inputs)
    operands = [next(computed) if known is None else known for known in params.operands]
    begin = np.clip(operands[-1].reshape(-1).astype(np.int64), 0, params.most)
    place = tuple(slice(int(at), int(at) + count) for at, count in zip(begin, params.box, strict=True))
    tensor = np.array(operands[0]).reshape(params.shape)
    if not params.updates:
        return (tensor[place],)
    tensor[place] = operands[1].reshape(params.box)
    return (tensor,)


SPECS = (
    OperatorSpec(
        name="dynamic_update_slice",
        constraints=(checks.arity(3, 3), whole_of_one_type, box_fits, begins_at_int32),
        parse=parse,
        reference=reference,
    ),
)

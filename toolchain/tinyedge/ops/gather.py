"""gather, gather_nd: blocks of a tensor picked by indices, which are constants or computed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.quantization import wrap_int32
from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops import checks
from tinyedge.ops.checks import element_types
from tinyedge.ops.contract import Layer, OperatorSpec

_MOST_NUMBERS = 5
"""indices that name one block, in gather_nd"""


@dataclass(frozen=True, eq=False)
class Gather:
    """Parameters. A table of `batches * outer` spans of `span` elements; the indices of a batch serve all its spans.

    Index tuple c of a batch picks the `block` elements that begin at the sum of its numbers times `steps`, within the
    span. A sum that would leave the span is limited to it: TensorFlow Lite Micro reads whatever lies there, or fails.

    table, indices  constants (int8, int32), one-dimensional; None for what is computed (in this order in Layer.inputs)
    """

    batches: int
    outer: int
    count: int
    """index tuples per batch"""
    span: int
    block: int
    steps: tuple[int, ...]
    table: Array | None
    indices: Array | None


def _tensors(graph: Graph, operator: Operator) -> tuple[Tensor, Tensor]:
    return graph.tensors[operator.inputs[0]], graph.tensors[operator.inputs[1]]


def _axis_and_batches(graph: Graph, operator: Operator) -> tuple[int, int]:
    """The axis and the number of batch dimensions of gather, counted from the front; maybe out of range."""
    table, indices = _tensors(graph, operator)
    axis, batches = operator.options["axis"], operator.options["batch_dims"]
    axis += len(table.shape) if axis < 0 else 0
    return axis, batches + (len(indices.shape) if batches < 0 else 0)


def _gather(graph: Graph, operator: Operator) -> Gather:
    table, indices = _tensors(graph, operator)
    axis, batches = _axis_and_batches(graph, operator)
    block = math.prod(table.shape[axis + 1 :])
    return Gather(
        batches=math.prod(table.shape[:batches]),
        outer=math.prod(table.shape[batches:axis]),
        count=math.prod(indices.shape[batches:]),
        span=table.shape[axis] * block,
        block=block,
        steps=(block,),
        table=None if table.data is None else table.data.reshape(-1),
        indices=None if indices.data is None else indices.data.reshape(-1),
    )


def _gather_nd(graph: Graph, operator: Operator) -> Gather:
    table, indices = _tensors(graph, operator)
    numbers = indices.shape[-1]
    return Gather(
        batches=1,
        outer=1,
        count=math.prod(indices.shape[:-1]),
        span=table.elements,
        block=math.prod(table.shape[numbers:]),
        steps=tuple(math.prod(table.shape[number + 1 :]) for number in range(numbers)),
        table=None if table.data is None else table.data.reshape(-1),
        indices=None if indices.data is None else indices.data.reshape(-1),
    )


def _params(graph: Graph, operator: Operator) -> Gather:
    return _gather(graph, operator) if operator.name == "gather" else _gather_nd(graph, operator)


def int32_indices(graph: Graph, operator: Operator) -> bool:
    """The indices are int32; they or the tensor they pick from are computed by the model."""
    table, indices = _tensors(graph, operator)
    return indices.dtype is DType.INT32 and not (table.is_constant and indices.is_constant)


def axis_exists(graph: Graph, operator: Operator) -> bool:
    """The axis exists, and batch dimensions, if there are any, lie in front of it and are the same for both inputs."""
    table, indices = _tensors(graph, operator)
    axis, batches = _axis_and_batches(graph, operator)
    if not 0 <= batches <= axis < len(table.shape) or batches > len(indices.shape):
        return False
    return table.shape[:batches] == indices.shape[:batches]


def picks_to_output(graph: Graph, operator: Operator) -> bool:
    """The output has the indices' dimensions (without batch dimensions) in place of the axis."""
    table, indices = _tensors(graph, operator)
    axis, batches = _axis_and_batches(graph, operator)
    shape = (*table.shape[:axis], *indices.shape[batches:], *table.shape[axis + 1 :])
    return first_output(graph, operator).shape == shape


def numbers_name_axes(graph: Graph, operator: Operator) -> bool:
    """The last dimension of the indices names one to five leading axes of the input."""
    table, indices = _tensors(graph, operator)
    return bool(indices.shape) and 1 <= indices.shape[-1] <= min(len(table.shape), _MOST_NUMBERS)


def picks_blocks_to_output(graph: Graph, operator: Operator) -> bool:
    """The output has the other dimensions of the indices, then the axes of the input that they do not name."""
    table, indices = _tensors(graph, operator)
    return first_output(graph, operator).shape == (*indices.shape[:-1], *table.shape[indices.shape[-1] :])


def indices_are_inside(graph: Graph, operator: Operator) -> bool:
    """Indices that are constants name what is there."""
    params = _params(graph, operator)
    if params.indices is None:
        return True
    if operator.name == "gather":
        begins = params.indices.astype(np.int64) * params.block
        return bool(np.all((begins >= 0) & (begins < params.span)))
    sizes = np.array(first_input(graph, operator).shape[: len(params.steps)])
    numbers = params.indices.reshape(-1, len(params.steps))
    return bool(np.all((numbers >= 0) & (numbers < sizes)))


def parse(graph: Graph, operator: Operator) -> Layer:
    computed = tuple(tensor for tensor in _tensors(graph, operator) if not tensor.is_constant)
    return Layer(operator, _params(graph, operator), computed, (first_output(graph, operator),), macs=0)


def reference(params: Gather, inputs: Sequence[Array]) -> tuple[Array, ...]:
    computed = list(inputs)
    table = computed.pop(0) if params.table is None else params.table
    indices = computed.pop(0) if params.indices is None else params.indices
    numbers = indices.reshape(params.batches, params.count, len(params.steps)).astype(np.int64)
    begins = wrap_int32((wrap_int32(numbers * np.array(params.steps))).sum(axis=-1))
    begins = np.clip(begins, 0, params.span - params.block)
    spans = table.reshape(params.batches, params.outer, params.span)
    places = begins[:, :, None] + np.arange(params.block)
    picked = [spans[batch][:, places[batch]] for batch in range(params.batches)]
    return (np.stack(picked),)


SPECS = (
    OperatorSpec(
        name="gather",
        constraints=(
            checks.arity(2, 2),
            checks.options("axis", "batch_dims"),
            element_types(DType.INT8),
            int32_indices,
            axis_exists,
            picks_to_output,
            indices_are_inside,
        ),
        parse=parse,
        reference=reference,
    ),
    OperatorSpec(
        name="gather_nd",
        constraints=(
            checks.arity(2, 2),
            element_types(DType.INT8),
            int32_indices,
            numbers_name_axes,
            picks_blocks_to_output,
            indices_are_inside,
        ),
        parse=parse,
        reference=reference,
    ),
)

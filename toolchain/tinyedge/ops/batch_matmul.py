"""batch_matmul: matrix products in int8 or int16, leading dimensions broadcast, either side maybe transposed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.axes import broadcast_shape
from tinyedge.arithmetic.quantization import (
    MAX_LEFT_SHIFT,
    MAX_WIDE_LEFT_SHIFT,
    multiply_wide,
    quantize_multiplier,
    requantize,
)
from tinyedge.graph.access import first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops import checks
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec

_MOST_AXES = 5
_DEEPEST = ((1 << 31) - 1) // (255 * 255)
"""products of two bytes, each less a zero point, that int32 can add up"""
_DEEPEST_WIDE = 1 << 16
"""products of two int16 whose sum stays below 2**47"""

Five = tuple[int, int, int, int, int]


@dataclass(frozen=True, eq=False)
class BatchMatmul:
    """Parameters. Shapes are of rank 5, leading ones added; three of batches, then the matrices as they lie in memory.

    left, right  constants of those shapes; None for what is computed (in this order in Layer.inputs)
    """

    left_shape: Five
    right_shape: Five
    output_shape: Five
    left_transposed: bool
    """the left matrix lies as [depth, rows] rather than [rows, depth]"""
    right_transposed: bool
    """the right matrix lies as [columns, depth] rather than [depth, columns]"""
    left: Array | None
    right: Array | None
    left_zero_point: int
    right_zero_point: int
    output_zero_point: int
    multiplier: int
    shift: int
    dtype: DType = DType.INT8

    @property
    def depth(self) -> int:
        """Products in each sum."""
        return self.left_shape[3 if self.left_transposed else 4]


def _five(shape: Sequence[int]) -> Five:
    a, b, c, d, e = (1,) * (5 - len(shape)) + tuple(shape)
    return a, b, c, d, e


def _sides(graph: Graph, operator: Operator) -> tuple[Tensor, Tensor]:
    return graph.tensors[operator.inputs[0]], graph.tensors[operator.inputs[1]]


def _factor(graph: Graph, operator: Operator) -> float:
    left, right = _sides(graph, operator)
    return left.scale * right.scale / first_output(graph, operator).scale


def one_computed(graph: Graph, operator: Operator) -> bool:
    """At least one of its inputs is computed by the model."""
    return not all(tensor.is_constant for tensor in _sides(graph, operator))


def matrices_match(graph: Graph, operator: Operator) -> bool:
    """The inputs have two to five dimensions: the last two are matrices that can be multiplied, others broadcast."""
    left, right = (tensor.shape for tensor in _sides(graph, operator))
    if not (2 <= len(left) <= _MOST_AXES and 2 <= len(right) <= _MOST_AXES):
        return False
    rows, depth = left[-2:][::-1] if operator.options["adj_x"] else left[-2:]
    height, columns = right[-2:][::-1] if operator.options["adj_y"] else right[-2:]
    batches = broadcast_shape(left[:-2], right[:-2])
    return depth == height and batches is not None and first_output(graph, operator).shape == (*batches, rows, columns)


def sums_fit(graph: Graph, operator: Operator) -> bool:
    """It sums at most 33,025 products (int16: 65,536), so that no sum leaves int32 (2**47)."""
    left, _ = _sides(graph, operator)
    deepest = _DEEPEST_WIDE if left.dtype is DType.INT16 else _DEEPEST
    return left.shape[-2 if operator.options["adj_x"] else -1] <= deepest


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """The product of the input scales is less than 2**30 times the output scale (2**7 times for int16)."""
    wide = first_output(graph, operator).dtype is DType.INT16
    return checks.scalable(_factor(graph, operator), MAX_WIDE_LEFT_SHIFT if wide else MAX_LEFT_SHIFT)


def parse(graph: Graph, operator: Operator) -> Layer:
    left, right = _sides(graph, operator)
    target = first_output(graph, operator)
    multiplier, shift = quantize_multiplier(_factor(graph, operator))
    params = BatchMatmul(
        left_shape=_five(left.shape),
        right_shape=_five(right.shape),
        output_shape=_five(target.shape),
        left_transposed=bool(operator.options["adj_x"]),
        right_transposed=bool(operator.options["adj_y"]),
        left=left.data,
        right=right.data,
        left_zero_point=left.zero_point,
        right_zero_point=right.zero_point,
        output_zero_point=target.zero_point,
        multiplier=multiplier,
        shift=shift,
        dtype=target.dtype,
    )
    computed = tuple(tensor for tensor in (left, right) if not tensor.is_constant)
    return Layer(operator, params, computed, (target,), macs=math.prod(target.shape) * params.depth)


def reference(params: BatchMatmul, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """One matrix product in float64, which is exact: all sums stay below 2**47."""
    computed = list(inputs)
    left = computed.pop(0) if params.left is None else params.left
    right = computed.pop(0) if params.right is None else params.right
    rows = left.reshape(params.left_shape).astype(np.float64) - params.left_zero_point
    columns = right.reshape(params.right_shape).astype(np.float64) - params.right_zero_point
    if params.left_transposed:
        rows = rows.swapaxes(3, 4)
    if params.right_transposed:
        columns = columns.swapaxes(3, 4)
    total = (rows @ columns).astype(np.int64)
    if params.dtype is DType.INT16:
        scaled = multiply_wide(total, params.multiplier, params.shift)
        return (np.clip(scaled, -32768, 32767).astype(np.int16),)
    output = requantize(total, params.multiplier, params.shift, params.output_zero_point, -128, 127)
    return (output.astype(np.int8),)


SPECS = (
    OperatorSpec(
        name="batch_matmul",
        constraints=(
            checks.arity(2, 2),
            checks.options("adj_x", "adj_y"),
            one_computed,
            shapes.same_types(DType.INT8, DType.INT16),
            matrices_match,
            sums_fit,
            scales_fit,
        ),
        parse=parse,
        reference=reference,
    ),
)

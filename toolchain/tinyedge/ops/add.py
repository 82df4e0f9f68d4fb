"""add: element-wise sum of two int8 tensors, TFLite's 20-bit left shift; of two int16 tensors as `sub` has it; of
two int32 tensors as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import broadcast
from tinyedge.arithmetic.quantization import (
    activation_range,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    requantize,
)
from tinyedge.graph.access import all_inputs, first_output
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops import checks, sub, whole_numbers
from tinyedge.ops.checks import shapes
from tinyedge.ops.contract import Layer, OperatorSpec, make_layer
from tinyedge.ops.sub import Sum
from tinyedge.ops.whole_numbers import WholeNumbers

_LEFT_SHIFT = 20
_INT16_LEFT_SHIFT = 15


@dataclass(frozen=True, eq=False)
class Add:
    """Parameters. Shapes are those of the file; `shape1`/`shape2` broadcast to `output_shape`.

    constant2  the second operand when it is a constant (then Layer.inputs has one tensor), else None.
               A constant first operand changes places with the second: the sum is the same to the last bit.
    """

    shape1: tuple[int, ...]
    shape2: tuple[int, ...]
    output_shape: tuple[int, ...]
    constant2: Array | None
    left_shift: int
    input1_zero_point: int
    input1_multiplier: int
    input1_shift: int
    input2_zero_point: int
    input2_multiplier: int
    input2_shift: int
    output_zero_point: int
    output_multiplier: int
    output_shift: int
    activation_min: int
    activation_max: int


def _operands(graph: Graph, operator: Operator) -> tuple[Tensor, Tensor]:
    """The two operands, a constant one second."""
    first, second = (graph.tensors[key] for key in operator.inputs)
    return (second, first) if first.is_constant else (first, second)


def _output_factor(first: Tensor, second: Tensor, target: Tensor) -> float:
    left_shift = _INT16_LEFT_SHIFT if target.dtype is DType.INT16 else _LEFT_SHIFT
    return 2 * max(first.scale, second.scale) / ((1 << left_shift) * target.scale)


def one_computed(graph: Graph, operator: Operator) -> bool:
    """At least one of its inputs is computed by the model."""
    return not _operands(graph, operator)[0].is_constant


def output_scale_fits(graph: Graph, operator: Operator) -> bool:
    """Twice the larger input scale is less than 2**20 (int16: 2**15) times the output scale."""
    factor = _output_factor(*_operands(graph, operator), first_output(graph, operator))
    return factor < 1.0 and quantize_multiplier(factor)[1] <= 0


def parse(graph: Graph, operator: Operator) -> Layer:
    if whole_numbers.is_whole(graph, operator):
        return whole_numbers.parse(graph, operator)
    first, second = _operands(graph, operator)
    target = first_output(graph, operator)
    if target.dtype is DType.INT16:
        return _parse_int16(graph, operator)
    twice_largest = 2 * max(first.scale, second.scale)
    multiplier1, shift1 = quantize_multiplier(first.scale / twice_largest)
    multiplier2, shift2 = quantize_multiplier(second.scale / twice_largest)
    output_multiplier, output_shift = quantize_multiplier(_output_factor(first, second, target))
    low, high = activation_range(
        operator.options["fused_activation_function"], target.dtype, target.scale, target.zero_point
    )
    params = Add(
        shape1=first.shape,
        shape2=second.shape,
        output_shape=target.shape,
        constant2=second.data,
        left_shift=_LEFT_SHIFT,
        input1_zero_point=first.zero_point,
        input1_multiplier=multiplier1,
        input1_shift=shift1,
        input2_zero_point=second.zero_point,
        input2_multiplier=multiplier2,
        input2_shift=shift2,
        output_zero_point=target.zero_point,
        output_multiplier=output_multiplier,
        output_shift=output_shift,
        activation_min=low,
        activation_max=high,
    )
    return Layer(operator, params, (first,) if second.is_constant else (first, second), (target,), macs=0)


def _parse_int16(graph: Graph, operator: Operator) -> Layer:
    """In int16 the operands stay in their order, and the parameters are those of `sub`, all but the sign."""
    first, second = all_inputs(graph, operator)
    target = first_output(graph, operator)
    twice_largest = 2 * max(first.scale, second.scale)
    multiplier, shift = quantize_multiplier(_output_factor(first, second, target))
    low, high = activation_range(
        operator.options["fused_activation_function"], target.dtype, target.scale, target.zero_point
    )
    params = Sum(
        broadcast=broadcast.broadcast_of(graph, operator),
        dtype=target.dtype,
        subtract=False,
        left_shift=_INT16_LEFT_SHIFT,
        operands=(
            broadcast.scaled(first, first.scale / twice_largest),
            broadcast.scaled(second, second.scale / twice_largest),
        ),
        output_zero_point=target.zero_point,
        output_multiplier=multiplier,
        output_shift=shift,
        activation_min=low,
        activation_max=high,
    )
    return make_layer(operator, params, all_inputs(graph, operator), [first_output(graph, operator)])


def reference(params: Add | Sum | WholeNumbers, inputs: Sequence[Array]) -> tuple[Array, ...]:
    if isinstance(params, WholeNumbers):
        return whole_numbers.reference(params, inputs)
    if isinstance(params, Sum):
        return sub.reference(params, inputs)
    second = inputs[1] if params.constant2 is None else params.constant2
    sides = (
        (inputs[0], params.input1_zero_point, params.input1_multiplier, params.input1_shift),
        (second, params.input2_zero_point, params.input2_multiplier, params.input2_shift),
    )
    scaled = [
        multiply_by_quantized_multiplier((values.astype(np.int64) - zero) << params.left_shift, multiplier, shift)
        for values, zero, multiplier, shift in sides
    ]
    output = requantize(
        scaled[0] + scaled[1],
        params.output_multiplier,
        params.output_shift,
        params.output_zero_point,
        params.activation_min,
        params.activation_max,
    )
    return (output.astype(np.int8),)


SPECS = (
    OperatorSpec(
        name="add",
        constraints=(
            checks.arity(2, 2),
            checks.options("fused_activation_function"),
            one_computed,
            whole_numbers.quantized_or_whole,
            checks.known_activation,
            shapes.broadcasts_to_output,
            whole_numbers.or_whole(output_scale_fits),
        ),
        parse=parse,
        reference=reference,
    ),
)

"""quantize and dequantize: between int8, int16 and int32 quantizations, and at float borders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.quantization import quantize_multiplier, requantize, wrap_int32
from tinyedge.graph.access import first_input, first_output, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor, integer_range
from tinyedge.ops import checks
from tinyedge.ops.contract import Layer, OperatorSpec

_REQUANTIZE = {
    DType.INT8: (DType.INT8, DType.UINT8, DType.INT16, DType.INT32),
    DType.UINT8: (DType.INT8,),
    DType.INT16: (DType.INT8, DType.INT16, DType.INT32),
    DType.INT32: (DType.INT8, DType.INT16),
    DType.FLOAT32: (DType.INT8, DType.INT16),
}
"""output types of quantize by input type"""
_LOWEST = -(2.0**31)
"""the smallest int32"""


@dataclass(frozen=True)
class Requantize:
    """quantize from one integer quantization to another."""

    elements: int
    input_dtype: DType
    output_dtype: DType
    input_zero_point: int
    output_zero_point: int
    multiplier: int
    shift: int


@dataclass(frozen=True)
class FloatBorder:
    """quantize from float32, or dequantize to float32, at the border of the model.

    quantize: round(x / scale) + zero_point with a float32 division and halves away from zero, saturated; what is no
    number becomes the zero point.
    dequantize: scale * (q - zero_point) in double precision, rounded to float32.
    """

    elements: int
    input_dtype: DType
    output_dtype: DType
    scale: float
    zero_point: int
    wraps: bool = False
    """whether quantize takes what leaves int32, or is no number, which C leaves undefined, as x86 does: as the smallest
    int32, to which the zero point is added modulo 2**32. So it is within a model; inputs saturate."""


def _quantized(tensor: Tensor) -> bool:
    return tensor.dtype is DType.FLOAT32 or per_tensor(tensor)


def quantize_types(graph: Graph, operator: Operator) -> bool:
    """It goes from float32 to int8 or int16, or between int8, int16 and int32, or between int8 and uint8."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    return target.dtype in _REQUANTIZE.get(source.dtype, ())


def dequantize_types(graph: Graph, operator: Operator) -> bool:
    """It goes from int8, uint8 or int16 to float32."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    return source.dtype in (DType.INT8, DType.UINT8, DType.INT16) and target.dtype is DType.FLOAT32


def same_shape(graph: Graph, operator: Operator) -> bool:
    """Input and output have the same shape."""
    return first_input(graph, operator).shape == first_output(graph, operator).shape


def one_scale(graph: Graph, operator: Operator) -> bool:
    """The integer tensors have one scale and zero point each."""
    return _quantized(first_input(graph, operator)) and _quantized(first_output(graph, operator))


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """The input scale is a positive number less than 2**30 times the output scale."""
    source, target = first_input(graph, operator), first_output(graph, operator)
    if source.dtype is DType.FLOAT32:
        return target.scale > 0
    return target.scale > 0 and checks.scalable(source.scale / target.scale)


def _is_input(graph: Graph, key: int) -> bool:
    """Whether a tensor is an input of the model, perhaps under another shape."""
    producer = graph.producer(key)
    while producer is not None and producer.name in ("expand_dims", "reshape", "squeeze"):
        key = producer.inputs[0]
        producer = graph.producer(key)
    return key in graph.inputs


def parse_quantize(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    params: Requantize | FloatBorder
    if source.dtype is DType.FLOAT32:
        wraps = not _is_input(graph, source.index)
        params = FloatBorder(source.elements, source.dtype, target.dtype, target.scale, target.zero_point, wraps)
    else:
        multiplier, shift = quantize_multiplier(source.scale / target.scale)
        params = Requantize(
            elements=source.elements,
            input_dtype=source.dtype,
            output_dtype=target.dtype,
            input_zero_point=source.zero_point,
            output_zero_point=target.zero_point,
            multiplier=multiplier,
            shift=shift,
        )
    return Layer(operator, params, (source,), (target,), macs=0)


def parse_dequantize(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    params = FloatBorder(source.elements, source.dtype, target.dtype, source.scale, source.zero_point)
    return Layer(operator, params, (source,), (target,), macs=0)


def reference_quantize(params: Requantize | FloatBorder, inputs: Sequence[Array]) -> tuple[Array, ...]:
    low, high = integer_range(params.output_dtype)
    if isinstance(params, Requantize):
        values = wrap_int32(inputs[0].astype(np.int64) - params.input_zero_point)
        output = requantize(values, params.multiplier, params.shift, params.output_zero_point, low, high)
        return (output.astype(params.output_dtype.numpy),)
    with np.errstate(all="ignore"):
        quotient = (inputs[0].astype(np.float32) / np.float32(params.scale)).astype(np.float64)
    exists = np.abs(quotient) < -_LOWEST
    bounded = np.clip(np.nan_to_num(quotient, nan=0.0), -(2.0**24), 2.0**24)
    held = np.copysign(np.floor(np.abs(bounded) + 0.5), bounded)
    held = np.where(exists, held, _LOWEST) if params.wraps else held
    return (
        np.clip(wrap_int32(held.astype(np.int64) + params.zero_point), low, high).astype(params.output_dtype.numpy),
    )


def reference_dequantize(params: FloatBorder, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return ((params.scale * (inputs[0].astype(np.float64) - params.zero_point)).astype(np.float32),)


SPECS = (
    OperatorSpec(
        name="quantize",
        constraints=(checks.arity(1, 1), checks.computed_input, quantize_types, same_shape, one_scale, scales_fit),
        parse=parse_quantize,
        reference=reference_quantize,
    ),
    OperatorSpec(
        name="dequantize",
        constraints=(checks.arity(1, 1), checks.computed_input, dequantize_types, same_shape, one_scale),
        parse=parse_dequantize,
        reference=reference_dequantize,
    ),
)

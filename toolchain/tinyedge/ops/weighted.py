"""What conv_2d, depthwise_conv_2d and fully_connected share: weights, bias, multipliers per output channel.

Activations are int8 or int16. With int8, sums are int32 and rescaled by a 31-bit multiplier; with int16, sums and the
bias are int64 and rescaled by the upper half of that multiplier. The type of a layer's bias tells the two apart.
"""

from __future__ import annotations

import numpy as np

from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.graph.quantization import (
    MAX_LEFT_SHIFT,
    MAX_WIDE_LEFT_SHIFT,
    multiply_wide,
    quantize_multiplier,
    requantize,
)
from tinyedge.ops.checks import first_input, first_output, input_tensor, per_tensor, scalable
from tinyedge.ops.contract import Array, Constraint, constant

_INT32_MAX = (1 << 31) - 1
_WIDE_MAX = (1 << 47) - 1
"""of the sums that `multiply_wide` takes"""


def weights_of(graph: Graph, operator: Operator) -> Tensor:
    return graph.tensors[operator.inputs[1]]


def weight_bits(weights: Tensor) -> int:
    return 4 if weights.dtype is DType.INT4 else 8


def has_wide_sums(graph: Graph, operator: Operator) -> bool:
    """Whether sums are int64, as they are of int16 activations."""
    return first_input(graph, operator).dtype is DType.INT16


def bias_of(graph: Graph, operator: Operator, channels: int) -> Array:
    """The bias, one int32 (int64 with int16 activations) per output channel; zeros when there is none."""
    bias = input_tensor(graph, operator, 2)
    if bias is None:
        return np.zeros(channels, np.int64 if has_wide_sums(graph, operator) else np.int32)
    return constant(bias).reshape(channels)


def _factors(graph: Graph, operator: Operator) -> list[float]:
    """input scale * weights scale / output scale in double precision, per channel or once."""
    weights = weights_of(graph, operator)
    assert weights.quantization is not None
    source, target = first_input(graph, operator).scale, first_output(graph, operator).scale
    return [source * scale / target for scale in weights.quantization.scale]


def channel_multipliers(graph: Graph, operator: Operator, channels: int) -> tuple[Array, Array]:
    """Multipliers and shifts int32 [channels]; one scale for the whole tensor is expanded."""
    pairs = [quantize_multiplier(factor) for factor in _factors(graph, operator)]
    multiplier, shift = np.array(pairs, np.int32).T
    return (
        np.ascontiguousarray(np.broadcast_to(multiplier, channels)),
        np.ascontiguousarray(np.broadcast_to(shift, channels)),
    )


# -- constraints -----------------------------------------------------------------------------------------------------


def constant_weights(graph: Graph, operator: Operator) -> bool:
    """The weights are a constant of int8, or with int8 activations int4, with a scale."""
    weights = weights_of(graph, operator)
    types = (DType.INT8,) if has_wide_sums(graph, operator) else (DType.INT8, DType.INT4)
    return weights.is_constant and weights.dtype in types and weights.quantization is not None


def symmetric_weights(graph: Graph, operator: Operator) -> bool:
    """The zero points of the weights are 0."""
    quantization = weights_of(graph, operator).quantization
    return quantization is not None and not any(quantization.zero_point)


def constant_bias(graph: Graph, operator: Operator) -> bool:
    """The bias, if there is one, is a constant of int32 (int64 for int16) with one value per output channel."""
    bias = input_tensor(graph, operator, 2)
    if bias is None:
        return True
    dtype = DType.INT64 if has_wide_sums(graph, operator) else DType.INT32
    return bias.is_constant and bias.dtype is dtype and bias.elements == first_output(graph, operator).shape[-1]


def wide_sums(graph: Graph, operator: Operator) -> bool:
    """int16 without a bias is summed in int64: the option quantized_bias_type does not say int32."""
    asked = operator.options.get("quantized_bias_type") == "int32" and input_tensor(graph, operator, 2) is None
    return not (asked and has_wide_sums(graph, operator))


def channel_axis(axis: int) -> Constraint:
    """A constraint: weights quantized per channel are so along this axis."""

    def check(graph: Graph, operator: Operator) -> bool:
        weights = weights_of(graph, operator)
        return per_tensor(weights) or (weights.quantization is not None and weights.quantization.axis == axis)

    check.__doc__ = f"The weights are quantized per tensor, or per channel along axis {axis}."
    return check


def multipliers_fit(graph: Graph, operator: Operator) -> bool:
    """Input scale times weights scale is less than 2**30 times the output scale (2**7 times for int16)."""
    most = MAX_WIDE_LEFT_SHIFT if has_wide_sums(graph, operator) else MAX_LEFT_SHIFT
    return all(scalable(factor, most) for factor in _factors(graph, operator))


def accumulator_fits(weights: Array, zero_point: int, bias: Array, channel: int) -> bool:
    """Whether no input can make an accumulator too large: 255 * sum|w| + |bias| of each channel leaves int32.

    Where the bias is int64, 32768 * sum|w| + |bias| must stay below 2**47.
    """
    others = tuple(axis for axis in range(weights.ndim) if axis != channel)
    centred = weights.astype(np.int16)
    centred -= np.int16(zero_point)
    magnitude = np.abs(centred, out=centred).sum(axis=others, dtype=np.int64)
    largest, limit = (32768, _WIDE_MAX) if bias.dtype == np.int64 else (255, _INT32_MAX)
    room = limit - largest * magnitude  # compared from both sides, as the smallest int64 has no absolute value
    return bool(np.all((bias <= room) & (bias >= -room)))


def rescale(
    sums: Array, bias: Array, multiplier: Array, shift: Array, output_zero_point: int, low: int, high: int
) -> Array:
    """The output of a layer from its sums without bias [..., channels]: int8, or int16 where the bias is int64."""
    total = sums.astype(np.int64) + bias
    if bias.dtype == np.int64:
        return np.clip(multiply_wide(total, multiplier, shift), low, high).astype(np.int16)
    return requantize(total, multiplier, shift, output_zero_point, low, high).astype(np.int8)

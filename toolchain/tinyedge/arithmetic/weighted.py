"""What conv_2d, depthwise_conv_2d and fully_connected share: weights, bias, multipliers per output channel.

Activations are int8 or int16. With int8, sums are int32 and rescaled by a 31-bit multiplier; with int16, sums and the
bias are int64 and rescaled by the upper half of that multiplier. The type of a layer's bias tells the two apart.
"""

from __future__ import annotations

import numpy as np

from tinyedge.arithmetic.quantization import (
    multiply_wide,
    quantize_multiplier,
    requantize,
)
from tinyedge.graph.access import constant, first_input, first_output, input_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor

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


def real_factors(graph: Graph, operator: Operator) -> list[float]:
    """input scale * weights scale / output scale in double precision, per channel or once."""
    weights = weights_of(graph, operator)
    assert weights.quantization is not None
    source, target = first_input(graph, operator).scale, first_output(graph, operator).scale
    return [source * scale / target for scale in weights.quantization.scale]


def channel_multipliers(graph: Graph, operator: Operator, channels: int) -> tuple[Array, Array]:
    """Multipliers and shifts int32 [channels]; one scale for the whole tensor is expanded."""
    pairs = [quantize_multiplier(factor) for factor in real_factors(graph, operator)]
    multiplier, shift = np.array(pairs, np.int32).T
    return (
        np.ascontiguousarray(np.broadcast_to(multiplier, channels)),
        np.ascontiguousarray(np.broadcast_to(shift, channels)),
    )


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

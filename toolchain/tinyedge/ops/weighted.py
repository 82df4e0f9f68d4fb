"""What conv_2d, depthwise_conv_2d and fully_connected share: weights, bias, multipliers per output channel."""

from __future__ import annotations

import numpy as np

from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.graph.quantization import quantize_multiplier
from tinyedge.ops.checks import first_input, first_output, input_tensor, per_tensor, scalable
from tinyedge.ops.contract import Array, Constraint, constant

_INT32_MAX = (1 << 31) - 1


def weights_of(graph: Graph, operator: Operator) -> Tensor:
    return graph.tensors[operator.inputs[1]]


def weight_bits(weights: Tensor) -> int:
    return 4 if weights.dtype is DType.INT4 else 8


def bias_of(graph: Graph, operator: Operator, channels: int) -> Array:
    """The bias, one int32 per output channel; zeros when there is none."""
    bias = input_tensor(graph, operator, 2)
    return np.zeros(channels, np.int32) if bias is None else constant(bias).reshape(channels)


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
    """The weights are a constant of int8 or int4 with a scale."""
    weights = weights_of(graph, operator)
    return weights.is_constant and weights.dtype in (DType.INT8, DType.INT4) and weights.quantization is not None


def symmetric_weights(graph: Graph, operator: Operator) -> bool:
    """The zero points of the weights are 0."""
    quantization = weights_of(graph, operator).quantization
    return quantization is not None and not any(quantization.zero_point)


def constant_bias(graph: Graph, operator: Operator) -> bool:
    """The bias, if there is one, is a constant of int32 with one value per output channel."""
    bias = input_tensor(graph, operator, 2)
    if bias is None:
        return True
    return bias.is_constant and bias.dtype is DType.INT32 and bias.elements == first_output(graph, operator).shape[-1]


def channel_axis(axis: int) -> Constraint:
    """A constraint: weights quantized per channel are so along this axis."""

    def check(graph: Graph, operator: Operator) -> bool:
        weights = weights_of(graph, operator)
        return per_tensor(weights) or (weights.quantization is not None and weights.quantization.axis == axis)

    check.__doc__ = f"The weights are quantized per tensor, or per channel along axis {axis}."
    return check


def multipliers_fit(graph: Graph, operator: Operator) -> bool:
    """Input scale times weights scale is less than 2**30 times the output scale."""
    return all(scalable(factor) for factor in _factors(graph, operator))


def accumulator_fits(weights: Array, zero_point: int, bias: Array, channel: int) -> bool:
    """Whether no input can make an accumulator leave int32: 255 * sum|w| + |bias| of each channel."""
    others = tuple(axis for axis in range(weights.ndim) if axis != channel)
    centred = weights.astype(np.int16)
    centred -= np.int16(zero_point)
    magnitude = np.abs(centred, out=centred).sum(axis=others, dtype=np.int64)
    return bool(np.all(255 * magnitude + np.abs(bias.astype(np.int64)) <= _INT32_MAX))

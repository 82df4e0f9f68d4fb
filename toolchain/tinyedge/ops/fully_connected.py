"""fully_connected: matrix times vector, int8 or int16, weights quantized per tensor or per output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic import weighted
from tinyedge.arithmetic.quantization import activation_range
from tinyedge.graph.access import constant, first_input, first_output, input_tensor, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks.weights import (
    channel_axis,
    constant_bias,
    constant_weights,
    multipliers_fit,
    symmetric_weights,
    wide_sums,
)
from tinyedge.ops.contract import Layer, OperatorSpec


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """Parameters of one fully connected layer over `batches` rows.

    Shape:  input [batches, inputs]; weights int8 [outputs, inputs]; bias int32 (int64 with int16 activations)
            [outputs], zeros if absent; multiplier, shift int32 [outputs], expanded
    """

    batches: int
    inputs: int
    outputs: int
    input_zero_point: int
    weight_zero_point: int
    output_zero_point: int
    weights: Array
    weight_bits: int
    bias: Array
    multiplier: Array
    shift: Array
    activation_min: int
    activation_max: int


def plain_weights(graph: Graph, operator: Operator) -> bool:
    """The weights are stored in the default order, not shuffled."""
    return bool(operator.options.get("weights_format", "default") == "default")


def sizes_match(graph: Graph, operator: Operator) -> bool:
    """The weights are [outputs, inputs], the output's last dimension is outputs, and the input holds as many rows."""
    weights = weighted.weights_of(graph, operator).shape
    target = first_output(graph, operator)
    if len(weights) != 2 or 0 in weights or not target.shape or target.shape[-1] != weights[0]:
        return False
    return first_input(graph, operator).elements == target.elements // weights[0] * weights[1]


def zero_points(graph: Graph, operator: Operator) -> bool:
    """Weights quantized per output, or for int16, have zero points 0; those of int4 are quantized per tensor."""
    weights = weighted.weights_of(graph, operator)
    if per_tensor(weights):
        return weights.zero_point == 0 or not weighted.has_wide_sums(graph, operator)
    return weights.dtype is DType.INT8 and symmetric_weights(graph, operator)


def bias_scale(graph: Graph, operator: Operator) -> bool:
    """With weights quantized per tensor, the bias scale is input scale times weights scale, up to 2 % of an output."""
    bias, weights = input_tensor(graph, operator, 2), weighted.weights_of(graph, operator)
    if bias is None or not per_tensor(weights):
        return True
    scale = bias.scale if bias.quantization is not None else 0.0
    difference = abs(first_input(graph, operator).scale * weights.scale - scale)
    return difference / first_output(graph, operator).scale <= 0.02


def _weight_zero_point(graph: Graph, operator: Operator) -> int:
    return weighted.weights_of(graph, operator).zero_point


def sums_fit(graph: Graph, operator: Operator) -> bool:
    """No input makes a sum leave int32 (2**47 for int16): 255 (32768) * sum |weights| + |bias| of each output."""
    weights = constant(weighted.weights_of(graph, operator))
    bias = weighted.bias_of(graph, operator, weights.shape[0])
    return weighted.accumulator_fits(weights, _weight_zero_point(graph, operator), bias, channel=0)


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    weights = weighted.weights_of(graph, operator)
    outputs, depth = weights.shape
    multiplier, shift = weighted.channel_multipliers(graph, operator, outputs)
    low, high = activation_range(
        operator.options["fused_activation_function"], target.dtype, target.scale, target.zero_point
    )
    params = FullyConnected(
        batches=target.elements // outputs,
        inputs=depth,
        outputs=outputs,
        input_zero_point=source.zero_point,
        weight_zero_point=_weight_zero_point(graph, operator),
        output_zero_point=target.zero_point,
        weights=constant(weights),
        weight_bits=weighted.weight_bits(weights),
        bias=weighted.bias_of(graph, operator, outputs),
        multiplier=multiplier,
        shift=shift,
        activation_min=low,
        activation_max=high,
    )
    return Layer(operator, params, (source,), (target,), macs=target.elements * depth)


def reference(params: FullyConnected, inputs: Sequence[Array]) -> tuple[Array, ...]:
    """The product is computed in float64, which is exact. Shape: [batches, outputs], whatever the tensor's is."""
    rows = inputs[0].reshape(params.batches, params.inputs).astype(np.float64) - params.input_zero_point
    weights = params.weights.astype(np.float64) - params.weight_zero_point
    output = weighted.rescale(
        rows @ weights.T,
        params.bias,
        params.multiplier,
        params.shift,
        params.output_zero_point,
        params.activation_min,
        params.activation_max,
    )
    return (output,)


SPECS = (
    OperatorSpec(
        name="fully_connected",
        constraints=(
            checks.arity(2, 3),
            checks.options("fused_activation_function"),
            checks.computed_input,
            checks.int8_or_int16,
            checks.known_activation,
            constant_weights,
            plain_weights,
            sizes_match,
            zero_points,
            channel_axis(0),
            constant_bias,
            wide_sums,
            bias_scale,
            multipliers_fit,
            sums_fit,
        ),
        parse=parse,
        reference=reference,
    ),
)

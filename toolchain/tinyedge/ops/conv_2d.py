"""conv_2d: 2-D convolution, int8 or int16, weights quantized per output channel (or per tensor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tinyedge.arithmetic import weighted
from tinyedge.arithmetic.quantization import activation_range
from tinyedge.arithmetic.window import Window, kernel_window, matches_output, over_images, taps
from tinyedge.graph.access import constant, first_input, first_output
from tinyedge.graph.ir import Array, Graph, Operator
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
class Conv2D:
    """Parameters of one convolution.

    Shape:  weights int8 [OC, KH, KW, IC / groups] (int4 unpacked to int8);
            bias int32 (int64 with int16 activations) [OC], zeros if absent;
            multiplier int32 [OC], shift int32 [OC] (positive: left), always expanded to one entry per channel
    """

    window: Window
    input_channels: int
    output_channels: int
    groups: int
    input_zero_point: int
    output_zero_point: int
    weights: Array
    weight_bits: int
    """8 or 4: how the file stores them"""
    bias: Array
    multiplier: Array
    shift: Array
    activation_min: int
    activation_max: int
    """clamp, in quantized units, with the fused activation applied"""


def channels_match(graph: Graph, operator: Operator) -> bool:
    """The weights have four dimensions, one filter per output channel, and divide the input channels into groups."""
    weights = weighted.weights_of(graph, operator).shape
    if len(weights) != 4 or 0 in weights:
        return False
    inputs, outputs = first_input(graph, operator).shape[3], first_output(graph, operator).shape[3]
    return weights[0] == outputs and inputs % weights[3] == 0 and outputs % (inputs // weights[3]) == 0


def window_matches(graph: Graph, operator: Operator) -> bool:
    """The output has the height and width that padding, strides and dilation give, none of them above 32767."""
    return matches_output(graph, operator, kernel_window(graph, operator))


def sums_fit(graph: Graph, operator: Operator) -> bool:
    """No input makes a sum leave int32 (2**47 for int16): 255 (32768) * sum |weights| + |bias| of each channel."""
    weights = constant(weighted.weights_of(graph, operator))
    bias = weighted.bias_of(graph, operator, weights.shape[0])
    return weighted.accumulator_fits(weights, 0, bias, channel=0)


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    weights = weighted.weights_of(graph, operator)
    outputs, _, _, depth = weights.shape
    window = kernel_window(graph, operator)
    assert window is not None
    multiplier, shift = weighted.channel_multipliers(graph, operator, outputs)
    low, high = activation_range(
        operator.options["fused_activation_function"], target.dtype, target.scale, target.zero_point
    )
    params = Conv2D(
        window=window,
        input_channels=source.shape[3],
        output_channels=outputs,
        groups=source.shape[3] // depth,
        input_zero_point=source.zero_point,
        output_zero_point=target.zero_point,
        weights=constant(weights),
        weight_bits=weighted.weight_bits(weights),
        bias=weighted.bias_of(graph, operator, outputs),
        multiplier=multiplier,
        shift=shift,
        activation_min=low,
        activation_max=high,
    )
    return Layer(operator, params, (source,), (target,), macs=target.elements // outputs * weights.elements)


def reference(params: Conv2D, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (over_images(partial(_convolve, params), inputs[0]),)


def _convolve(params: Conv2D, image: Array) -> Array:
    """Each tap of the kernel is one matrix product in float64, which is exact: all sums stay below 2**47."""
    window, groups = params.window, params.groups
    cells = image.astype(np.float64) - params.input_zero_point
    weights = params.weights.astype(np.float64)
    accumulator = np.zeros((window.output_h, window.output_w, params.output_channels))
    depth, share = params.input_channels // groups, params.output_channels // groups
    for tap in taps(window):
        seen, summed = cells[tap.inputs], accumulator[tap.outputs]
        for group in range(groups):
            filters = weights[group * share : (group + 1) * share, tap.row, tap.column]
            summed[..., group * share : (group + 1) * share] += (
                seen[..., group * depth : (group + 1) * depth] @ filters.T
            )
    return weighted.rescale(
        accumulator,
        params.bias,
        params.multiplier,
        params.shift,
        params.output_zero_point,
        params.activation_min,
        params.activation_max,
    )


SPECS = (
    OperatorSpec(
        name="conv_2d",
        constraints=(
            checks.arity(2, 3),
            checks.options("padding", "stride_h", "stride_w", "fused_activation_function"),
            checks.computed_input,
            checks.int8_or_int16,
            checks.images,
            checks.known_activation,
            constant_weights,
            symmetric_weights,
            channels_match,
            channel_axis(0),
            constant_bias,
            wide_sums,
            multipliers_fit,
            window_matches,
            sums_fit,
        ),
        parse=parse,
        reference=reference,
    ),
)

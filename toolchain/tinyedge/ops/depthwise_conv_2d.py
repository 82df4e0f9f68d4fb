"""depthwise_conv_2d: one filter per input channel and multiplier, int8 or int16, weights quantized per channel."""

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
class DepthwiseConv2D:
    """Parameters of one depthwise convolution; output channel = input channel * depth_multiplier + m.

    Shape:  weights int8 [KH, KW, OC]; bias int32 (int64 with int16 activations) [OC]; multiplier, shift int32 [OC]
    """

    window: Window
    input_channels: int
    output_channels: int
    depth_multiplier: int
    input_zero_point: int
    output_zero_point: int
    weights: Array
    weight_bits: int
    bias: Array
    multiplier: Array
    shift: Array
    activation_min: int
    activation_max: int


def channels_match(graph: Graph, operator: Operator) -> bool:
    """The weights are [1, height, width, channels] with input channels times depth_multiplier output channels."""
    weights = weighted.weights_of(graph, operator).shape
    if len(weights) != 4 or weights[0] != 1 or 0 in weights:
        return False
    inputs, outputs = first_input(graph, operator).shape[3], first_output(graph, operator).shape[3]
    return bool(weights[3] == outputs == inputs * operator.options["depth_multiplier"])


def window_matches(graph: Graph, operator: Operator) -> bool:
    """The output has the height and width that padding, strides and dilation give, none of them above 32767."""
    return matches_output(graph, operator, kernel_window(graph, operator))


def sums_fit(graph: Graph, operator: Operator) -> bool:
    """No input makes a sum leave int32 (2**47 for int16): 255 (32768) * sum |weights| + |bias| of each channel."""
    weights = constant(weighted.weights_of(graph, operator))
    bias = weighted.bias_of(graph, operator, weights.shape[3])
    return weighted.accumulator_fits(weights, 0, bias, channel=3)


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    weights = weighted.weights_of(graph, operator)
    outputs = weights.shape[3]
    window = kernel_window(graph, operator)
    assert window is not None
    multiplier, shift = weighted.channel_multipliers(graph, operator, outputs)
    low, high = activation_range(
        operator.options["fused_activation_function"], target.dtype, target.scale, target.zero_point
    )
    params = DepthwiseConv2D(
        window=window,
        input_channels=source.shape[3],
        output_channels=outputs,
        depth_multiplier=operator.options["depth_multiplier"],
        input_zero_point=source.zero_point,
        output_zero_point=target.zero_point,
        weights=constant(weights)[0],
        weight_bits=weighted.weight_bits(weights),
        bias=weighted.bias_of(graph, operator, outputs),
        multiplier=multiplier,
        shift=shift,
        activation_min=low,
        activation_max=high,
    )
    return Layer(operator, params, (source,), (target,), macs=target.elements // outputs * weights.elements)


def reference(params: DepthwiseConv2D, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (over_images(partial(_convolve, params), inputs[0]),)


def _convolve(params: DepthwiseConv2D, image: Array) -> Array:
    window = params.window
    wide = params.bias.dtype
    cells = np.repeat(image.astype(wide) - params.input_zero_point, params.depth_multiplier, axis=2)
    weights = params.weights.astype(wide)
    accumulator = np.zeros((window.output_h, window.output_w, params.output_channels), wide)
    for tap in taps(window):
        accumulator[tap.outputs] += cells[tap.inputs] * weights[tap.row, tap.column]
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
        name="depthwise_conv_2d",
        constraints=(
            checks.arity(2, 3),
            checks.options("padding", "stride_h", "stride_w", "depth_multiplier", "fused_activation_function"),
            checks.computed_input,
            checks.int8_or_int16,
            checks.images,
            checks.known_activation,
            constant_weights,
            symmetric_weights,
            channels_match,
            channel_axis(3),
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

"""transpose_conv: a convolution turned round, int8 or int16, weights quantized per output channel (or per tensor)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from tinyedge.arithmetic import weighted
from tinyedge.arithmetic.quantization import activation_range
from tinyedge.arithmetic.window import over_images, padding_before
from tinyedge.graph.access import constant, first_output, input_tensor, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops import checks
from tinyedge.ops.checks.weights import constant_weights, multipliers_fit, symmetric_weights
from tinyedge.ops.contract import Constraint, Layer, OperatorSpec

_ROLES = (2, 1, 3)
"""positions of input, weights and bias; position 0 is the shape of the output"""


@dataclass(frozen=True, eq=False)
class TransposeConv:
    """Parameters. Input cell (y, x) adds its products to the outputs from (y * stride_h - pad_top, ...) on.

    Shape:  weights int8 [OC, KH, KW, IC]; bias int32 (int64 with int16 activations) [OC]; multiplier, shift int32 [OC]
    """

    input_h: int
    input_w: int
    input_channels: int
    output_h: int
    output_w: int
    output_channels: int
    kernel_h: int
    kernel_w: int
    stride_h: int
    stride_w: int
    pad_top: int
    pad_left: int
    input_zero_point: int
    output_zero_point: int
    weights: Array
    bias: Array
    multiplier: Array
    shift: Array
    activation_min: int
    activation_max: int


def _as_convolution(operator: Operator) -> Operator:
    """The operator with input, weights and bias where convolutions have them."""
    keys = [operator.inputs[at] if at < len(operator.inputs) else -1 for at in _ROLES]
    return replace(operator, inputs=tuple(keys))


def _of_convolution(rule: Constraint) -> Constraint:
    """A rule of convolutions, for this operator's order of inputs."""

    def check(graph: Graph, operator: Operator) -> bool:
        return rule(graph, _as_convolution(operator))

    check.__doc__ = rule.__doc__
    return check


def _image_and_weights(graph: Graph, operator: Operator) -> tuple[Tensor, Tensor]:
    return graph.tensors[operator.inputs[2]], graph.tensors[operator.inputs[1]]


def _pads(graph: Graph, operator: Operator) -> tuple[int | None, int | None]:
    """Rows and columns that fall off in front: the padding of the convolution that leads from output to input."""
    _, weights = _image_and_weights(graph, operator)
    target, options = first_output(graph, operator).shape, operator.options
    return (
        padding_before(target[1], weights.shape[1], options["stride_h"], options["padding"]),
        padding_before(target[2], weights.shape[2], options["stride_w"], options["padding"]),
    )


def _bias(graph: Graph, operator: Operator) -> Array:
    """The bias of each output channel: int32, or int64 with int16 activations, whose file may hold it in int16."""
    convolution = _as_convolution(operator)
    bias = weighted.bias_of(graph, convolution, graph.tensors[operator.inputs[1]].shape[0])
    return bias.astype(np.int64) if weighted.has_wide_sums(graph, convolution) else bias


def constant_bias(graph: Graph, operator: Operator) -> bool:
    """The bias, if there is one, is a constant of int32 (for int16 int64 or int16), one value per output channel."""
    bias = input_tensor(graph, operator, 3)
    if bias is None:
        return True
    wide = weighted.has_wide_sums(graph, _as_convolution(operator))
    types = (DType.INT64, DType.INT16) if wide else (DType.INT32,)
    return bias.is_constant and bias.dtype in types and bias.elements == first_output(graph, operator).shape[-1]


def stated_output_shape(graph: Graph, operator: Operator) -> bool:
    """The shape of the output, where it is a constant, is that of the output; one that is computed is not looked at."""
    shape = input_tensor(graph, operator, 0)
    if shape is None:
        return False
    if not shape.is_constant:
        return True
    return tuple(constant(shape).reshape(-1).tolist()) == first_output(graph, operator).shape


def channels_match(graph: Graph, operator: Operator) -> bool:
    """The weights are [output channels, height, width, input channels]."""
    source, weights = _image_and_weights(graph, operator)
    shape = weights.shape
    return (
        len(shape) == 4
        and 0 not in shape
        and (shape[0], shape[3])
        == (
            first_output(graph, operator).shape[3],
            source.shape[3],
        )
    )


def padding_exists(graph: Graph, operator: Operator) -> bool:
    """The convolution that leads back from output to input exists, with strides and padding up to 32767."""
    return None not in _pads(graph, operator)


def sums_fit(graph: Graph, operator: Operator) -> bool:
    """No input makes a sum leave int32 (2**47 for int16): 255 (32768) * sum |weights| + |bias| of each channel."""
    weights = constant(weighted.weights_of(graph, _as_convolution(operator)))
    return weighted.accumulator_fits(weights, 0, _bias(graph, operator), channel=0)


def int8_weights(graph: Graph, operator: Operator) -> bool:
    """The weights are int8; int4 is not among what TensorFlow Lite Micro takes here."""
    _, weights = _image_and_weights(graph, operator)
    return weighted.weight_bits(weights) == 8


def one_or_all_scales(graph: Graph, operator: Operator) -> bool:
    """The weights are quantized per tensor, or per channel along axis 0."""
    _, weights = _image_and_weights(graph, operator)
    return per_tensor(weights) or (weights.quantization is not None and weights.quantization.axis == 0)


def parse(graph: Graph, operator: Operator) -> Layer:
    source, weights = _image_and_weights(graph, operator)
    target, convolution = first_output(graph, operator), _as_convolution(operator)
    outputs, kernel_h, kernel_w, _ = weights.shape
    pad_top, pad_left = _pads(graph, operator)
    assert pad_top is not None
    assert pad_left is not None
    multiplier, shift = weighted.channel_multipliers(graph, convolution, outputs)
    low, high = activation_range(
        operator.options["fused_activation_function"], target.dtype, target.scale, target.zero_point
    )
    params = TransposeConv(
        input_h=source.shape[1],
        input_w=source.shape[2],
        input_channels=source.shape[3],
        output_h=target.shape[1],
        output_w=target.shape[2],
        output_channels=outputs,
        kernel_h=kernel_h,
        kernel_w=kernel_w,
        stride_h=operator.options["stride_h"],
        stride_w=operator.options["stride_w"],
        pad_top=pad_top,
        pad_left=pad_left,
        input_zero_point=source.zero_point,
        output_zero_point=target.zero_point,
        weights=constant(weights),
        bias=_bias(graph, operator),
        multiplier=multiplier,
        shift=shift,
        activation_min=low,
        activation_max=high,
    )
    return Layer(operator, params, (source,), (target,), macs=source.elements // source.shape[3] * weights.elements)


def _spans(size: int, output: int, kernel: int, stride: int, pad: int) -> Iterator[tuple[int, slice, slice]]:
    """Along one axis: (kernel index, input cells that reach the output through it, the outputs they reach)."""
    for index in range(kernel):
        offset = index - pad
        first = max(0, -(offset // stride))
        last = min(size - 1, (output - 1 - offset) // stride)
        if first <= last:
            yield index, slice(first, last + 1), slice(first * stride + offset, last * stride + offset + 1, stride)


def reference(params: TransposeConv, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (over_images(partial(_spread, params), inputs[0]),)


def _spread(p: TransposeConv, image: Array) -> Array:
    """Each tap of the kernel is one matrix product in float64, which is exact: all sums stay below 2**47."""
    cells = image.astype(np.float64) - p.input_zero_point
    weights = p.weights.astype(np.float64)
    total = np.zeros((p.output_h, p.output_w, p.output_channels))
    columns = list(_spans(p.input_w, p.output_w, p.kernel_w, p.stride_w, p.pad_left))
    for row, from_rows, to_rows in _spans(p.input_h, p.output_h, p.kernel_h, p.stride_h, p.pad_top):
        for column, from_columns, to_columns in columns:
            total[to_rows, to_columns] += cells[from_rows, from_columns] @ weights[:, row, column].T
    return weighted.rescale(
        total, p.bias, p.multiplier, p.shift, p.output_zero_point, p.activation_min, p.activation_max
    )


SPECS = (
    OperatorSpec(
        name="transpose_conv",
        constraints=(
            checks.arity(3, 4),
            checks.options("padding", "stride_h", "stride_w", "fused_activation_function"),
            *map(_of_convolution, (checks.computed_input, checks.int8_or_int16, checks.images)),
            checks.known_activation,
            stated_output_shape,
            *map(_of_convolution, (constant_weights, symmetric_weights)),
            int8_weights,
            channels_match,
            one_or_all_scales,
            constant_bias,
            _of_convolution(multipliers_fit),
            padding_exists,
            sums_fit,
        ),
        parse=parse,
        reference=reference,
    ),
)

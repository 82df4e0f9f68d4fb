"""conv_2d through te_conv_2d_s8: each window gathered once, dot products four channels at a time."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import (
    channel_constants,
    params_struct,
    weights_constant,
    window_members,
)
from tinyedge.kernels.common.filters import FILTERS_CODE_BYTES, FILTERS_STEM, filters_members, folded_bias
from tinyedge.kernels.common.overlap import convolution_in_place
from tinyedge.kernels.common.pace import paced
from tinyedge.kernels.common.row_ring import reaches_outside
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D

STEM = "te_conv_2d_s8"
CODE_BYTES = 640
LAYER_CODE_BYTES = 24
PARAMS_BYTES = 56
CYCLES_PER_MAC = 4.1
CYCLES_PER_OUTPUT = 73
CYCLES_PER_WINDOW = 100
CYCLES_PER_WINDOW_ROW = 140
CYCLES_PER_GATHERED_BYTE = 1.5


def is_one_run(params: Conv2D) -> bool:
    """Whether each window is one run of bytes in the input, so that it can be read in place."""
    w = params.window
    row_is_run = w.kernel_w == 1 or (w.dilation_w == 1 and params.groups == 1)
    rows_touch = w.kernel_h == 1 or (w.dilation_h == 1 and params.groups == 1 and w.kernel_w == w.input_w)
    return row_is_run and rows_touch and not reaches_outside(w)


def gathered_bytes(params: Conv2D) -> int:
    """Scratch of te_conv_2d_s8: one window."""
    w = params.window
    return 0 if is_one_run(params) else w.kernel_h * w.kernel_w * (params.input_channels // params.groups)


def conv_fits(params: Conv2D) -> str:
    """The reason the function cannot run such a convolution, or nothing."""
    return checks.window_sizes(params.window) or checks.sizes((params.input_channels, params.output_channels))


def conv_cost(params: Conv2D) -> Cost:
    """An estimate from multiplications, outputs and gathered windows, calibrated on a Cortex-M4 at -O2."""
    w = params.window
    taps = params.weights.size // params.output_channels
    pixels = w.output_h * w.output_w
    blocks = params.groups * -(-params.output_channels // params.groups // 4)  # of four channels, the last one padded
    cycles = pixels * (CYCLES_PER_MAC * 4 * blocks * taps + CYCLES_PER_OUTPUT * params.output_channels)
    if not is_one_run(params):
        window = CYCLES_PER_WINDOW + CYCLES_PER_WINDOW_ROW * w.kernel_h + CYCLES_PER_GATHERED_BYTE * taps
        cycles += pixels * params.groups * window
    constants = params.weights.size + 9 * params.output_channels + PARAMS_BYTES
    return Cost(int(cycles), LAYER_CODE_BYTES, constants, ((STEM, CODE_BYTES), (FILTERS_STEM, FILTERS_CODE_BYTES)))


def emit_conv(params: Conv2D, operands: Operands) -> Code:
    """The C of a convolution, whatever operator it stands for."""
    weights = weights_constant(operands.prefix, params.weights, weights_comment(params))
    return emit_conv_with(STEM, FILTERS_STEM, params, operands, weights)


def weights_comment(params: Conv2D) -> str:
    shape = "x".join(str(size) for size in params.weights.shape)
    return f"weights {shape}: output channel, row, column, input channel"


def emit_conv_with(stem: str, filters: str, params: Conv2D, operands: Operands, weights: Constant) -> Code:
    """The C of a convolution by a function that takes weights in a form of its own."""
    prefix = operands.prefix
    bias = folded_bias(params.bias, params.weights, params.input_zero_point)
    struct = params_struct(
        "te_conv_2d_params",
        f"{prefix}_params",
        {
            "window": window_members(params.window),
            "input_channels": params.input_channels,
            "output_channels": params.output_channels,
            "groups": params.groups,
            "input_zero_point": params.input_zero_point,
            "filters": filters_members(
                params, prefix, taps=params.weights.size // params.output_channels, per_filter=True
            ),
        },
    )
    scratch = operands.scratch or "NULL"
    return Code(
        call=(f"{stem}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {scratch});",),
        constants=(
            weights,
            *channel_constants(prefix, bias, params.multiplier, params.shift),
        ),
        functions=struct,
        runtime=(stem, filters),
        includes=("stddef.h",),
    )


class PortableConv2D(Kernel):
    """Any int8 convolution."""

    name = "portable/conv_2d"
    operators: ClassVar[tuple[str, ...]] = ("conv_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: Conv2D = layer.params
        cells = p.window.input_h * p.window.input_w * p.input_channels
        return checks.int8_tensors(layer) or checks.one_image(layer, cells) or conv_fits(p)

    def cost(self, layer: Layer, core: Core) -> Cost:
        return paced(conv_cost(layer.params), core, armv6m=3.0, armv7m=1.15, rv32=1.35)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return gathered_bytes(layer.params)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return conv_in_place(layer.params)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        return emit_conv(layer.params, operands)


def conv_in_place(params: Conv2D) -> int:
    """The in-place offset of te_conv_2d_s8."""
    return convolution_in_place(
        params.window, params.input_channels, params.output_channels, params.groups, gathered=not is_one_run(params)
    )


def as_grouped(params: DepthwiseConv2D) -> Conv2D:
    """A depthwise convolution as one with a group per input channel; the filters change their layout."""
    weights = np.ascontiguousarray(params.weights.transpose(2, 0, 1)[..., np.newaxis])
    return Conv2D(
        window=params.window,
        input_channels=params.input_channels,
        output_channels=params.output_channels,
        groups=params.input_channels,
        input_zero_point=params.input_zero_point,
        output_zero_point=params.output_zero_point,
        weights=weights,
        weight_bits=params.weight_bits,
        bias=params.bias,
        multiplier=params.multiplier,
        shift=params.shift,
        activation_min=params.activation_min,
        activation_max=params.activation_max,
    )


class PortableGroupedDepthwiseConv2D(Kernel):
    """Depthwise convolutions, whatever the depth multiplier, as grouped ones: made for multipliers above 1."""

    name = "portable/depthwise_conv_2d_grouped"
    operators: ClassVar[tuple[str, ...]] = ("depthwise_conv_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: DepthwiseConv2D = layer.params
        cells = p.window.input_h * p.window.input_w * p.input_channels
        return checks.int8_tensors(layer) or checks.one_image(layer, cells) or conv_fits(as_grouped(p))

    def cost(self, layer: Layer, core: Core) -> Cost:
        return paced(conv_cost(as_grouped(layer.params)), core, armv6m=3.0, armv7m=1.15, rv32=1.35)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return gathered_bytes(as_grouped(layer.params))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return conv_in_place(as_grouped(layer.params))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        return emit_conv(as_grouped(layer.params), operands)


KERNELS: tuple[Kernel, ...] = (PortableConv2D(), PortableGroupedDepthwiseConv2D())

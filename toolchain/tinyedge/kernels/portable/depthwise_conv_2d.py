"""depthwise_conv_2d through te_depthwise_conv_2d_s8: pixel by pixel, four channels at a time."""

from __future__ import annotations

from typing import ClassVar

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import channel_constants, params_struct, weights_constant, window_members
from tinyedge.kernels.common.filters import folded_bias
from tinyedge.kernels.common.overlap import channelwise_in_place
from tinyedge.kernels.common.pace import paced
from tinyedge.kernels.common.row_ring import reaches_outside
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D

STEM = "te_depthwise_conv_2d_s8"
CODE_BYTES = 1400
LAYER_CODE_BYTES = 24
PARAMS_BYTES = 48
CYCLES_PER_MAC = 6.5
CYCLES_PER_OUTPUT = 62


class PortableDepthwiseConv2D(Kernel):
    """Any int8 depthwise convolution with a depth multiplier of 1."""

    name = "portable/depthwise_conv_2d"
    operators: ClassVar[tuple[str, ...]] = ("depthwise_conv_2d",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: DepthwiseConv2D = layer.params
        if p.depth_multiplier != 1:
            return f"the depth multiplier is {p.depth_multiplier}, the kernel takes 1"
        cells = p.window.input_h * p.window.input_w * p.input_channels
        return (
            checks.int8_tensors(layer)
            or checks.one_image(layer, cells)
            or checks.window_sizes(p.window)
            or checks.sizes((p.input_channels,))
        )

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: DepthwiseConv2D = layer.params
        outputs = p.window.output_h * p.window.output_w * p.output_channels
        macs = outputs * p.window.kernel_h * p.window.kernel_w
        constants = p.weights.size + 9 * p.output_channels + PARAMS_BYTES
        cycles = int(CYCLES_PER_MAC * macs + CYCLES_PER_OUTPUT * outputs)
        return paced(
            Cost(cycles, LAYER_CODE_BYTES, constants, ((STEM, CODE_BYTES),)), core, armv6m=1.9, armv7m=1.1, rv32=1.05
        )

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        p: DepthwiseConv2D = layer.params
        return 4 * p.output_channels if p.input_zero_point != 0 and reaches_outside(p.window) else 0

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        p: DepthwiseConv2D = layer.params
        return channelwise_in_place(p.window, p.output_channels)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: DepthwiseConv2D = layer.params
        prefix = operands.prefix
        bias = p.bias
        if not reaches_outside(p.window):
            bias = folded_bias(p.bias, p.weights.transpose(2, 0, 1), p.input_zero_point)
        shape = "x".join(str(size) for size in p.weights.shape)
        struct = params_struct(
            "te_depthwise_conv_2d_params",
            f"{prefix}_params",
            {
                "window": window_members(p.window),
                "channels": p.output_channels,
                "input_zero_point": p.input_zero_point,
                "output_zero_point": p.output_zero_point,
                "activation_min": p.activation_min,
                "activation_max": p.activation_max,
                "weights": f"{prefix}_weights",
                "bias": f"{prefix}_bias",
                "multiplier": f"{prefix}_multiplier",
                "shift": f"{prefix}_shift",
            },
        )
        scratch = operands.scratch or "NULL"
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {scratch});",),
            constants=(
                weights_constant(prefix, p.weights, f"weights {shape}: row, column, channel"),
                *channel_constants(prefix, bias, p.multiplier, p.shift),
            ),
            functions=struct,
            runtime=(STEM,),
            includes=("stddef.h",),
        )


KERNELS: tuple[Kernel, ...] = (PortableDepthwiseConv2D(),)

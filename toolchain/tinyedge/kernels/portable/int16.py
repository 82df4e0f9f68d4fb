"""Layers with weights and int16 activations: int8 weights, sums in int64, one rounding."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import (
    Value,
    params_struct,
    weights_constant,
    wide_channel_constants,
    window_members,
)
from tinyedge.kernels.common.overlap import channelwise_in_place, connected_in_place
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.kernels.portable.conv_2d import conv_in_place, gathered_bytes, is_one_run
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.ops.fully_connected import FullyConnected

FILTERS = ("te_filters_s16", 520)
LAYER_CODE_BYTES = 24
PARAMS_BYTES = 56
CHANNEL_BYTES = 11
"""bias, multiplier and shift"""
CYCLES_PER_MAC = 5.6
CYCLES_PER_OUTPUT = 95
CYCLES_PER_WINDOW = 400
CYCLES_PER_DEPTHWISE_MAC = 12
CYCLES_PER_DEPTHWISE_OUTPUT = 125
BYTES = 2
"""of an activation"""


class _PortableS16(Kernel):
    """A call of `stem(&params, input, output, more...)` with the constants that all of them have."""

    stem: ClassVar[str]
    code_bytes: ClassVar[int]
    runtime: ClassVar[tuple[tuple[str, int], ...]] = ()
    """further runtime stems and their code bytes"""

    @abc.abstractmethod
    def members(self, params: Any, prefix: str) -> Mapping[str, Value]:
        """The members of the parameter struct."""

    @abc.abstractmethod
    def cycles(self, params: Any) -> float:
        """The estimated cycles of a layer."""

    @abc.abstractmethod
    def reason(self, layer: Layer) -> str:
        """Why a layer of int16 is beyond the kernel."""

    def fits(self, layer: Layer, core: Core) -> str:
        for tensor in (*layer.inputs, *layer.outputs):
            if tensor.dtype is not DType.INT16:
                return f"`{tensor.name}` is {tensor.dtype.value}, the kernel computes in int16"
        return self.reason(layer)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p = layer.params
        constants = p.weights.size + CHANNEL_BYTES * p.bias.size + PARAMS_BYTES
        return Cost(int(self.cycles(p)), LAYER_CODE_BYTES, constants, ((self.stem, self.code_bytes), *self.runtime))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p = layer.params
        prefix = operands.prefix
        arguments = [f"&{prefix}_params", operands.inputs[0], operands.outputs[0]]
        if isinstance(p, Conv2D):
            arguments.append(operands.scratch or "NULL")
        shape = "x".join(str(size) for size in p.weights.shape)
        return Code(
            call=(f"{self.stem}({', '.join(arguments)});",),
            constants=(
                weights_constant(prefix, p.weights, f"weights {shape}"),
                *wide_channel_constants(prefix, p.bias, p.multiplier, p.shift),
            ),
            functions=params_struct(f"{self.stem}_params", f"{prefix}_params", self.members(p, prefix)),
            runtime=(self.stem, *(stem for stem, _ in self.runtime)),
            includes=("stddef.h",),
        )


def _scales(params: Conv2D | DepthwiseConv2D | FullyConnected, prefix: str) -> dict[str, Value]:
    names = {name: f"{prefix}_{name}" for name in ("weights", "bias", "multiplier", "right")}
    return {**names, "activation_min": params.activation_min, "activation_max": params.activation_max}


class PortableConv2DS16(_PortableS16):
    """Any int16 convolution."""

    name = "portable/conv_2d_s16"
    operators: ClassVar[tuple[str, ...]] = ("conv_2d",)
    stem = "te_conv_2d_s16"
    code_bytes = 580
    runtime = (FILTERS,)

    def reason(self, layer: Layer) -> str:
        p: Conv2D = layer.params
        cells = p.window.input_h * p.window.input_w * p.input_channels
        return (
            checks.one_image(layer, cells)
            or checks.window_sizes(p.window)
            or checks.sizes((p.input_channels, p.output_channels))
        )

    def cycles(self, params: Conv2D) -> float:
        pixels = params.window.output_h * params.window.output_w
        blocks = params.groups * -(-params.output_channels // params.groups // 4)
        taps = params.weights.size // params.output_channels
        gathering = 0 if is_one_run(params) else params.groups * (CYCLES_PER_WINDOW + 2 * BYTES * taps)
        filters = CYCLES_PER_MAC * 4 * blocks * taps + CYCLES_PER_OUTPUT * params.output_channels
        return pixels * (gathering + filters)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return BYTES * gathered_bytes(layer.params)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return BYTES * conv_in_place(layer.params)

    def members(self, params: Conv2D, prefix: str) -> Mapping[str, Value]:
        return {
            "window": window_members(params.window),
            "input_channels": params.input_channels,
            "output_channels": params.output_channels,
            "groups": params.groups,
            "filters": {**_scales(params, prefix), "taps": params.weights.size // params.output_channels},
        }


class PortableDepthwiseConv2DS16(_PortableS16):
    """Any int16 depthwise convolution, channel by channel."""

    name = "portable/depthwise_conv_2d_s16"
    operators: ClassVar[tuple[str, ...]] = ("depthwise_conv_2d",)
    stem = "te_depthwise_conv_2d_s16"
    code_bytes = 732

    def reason(self, layer: Layer) -> str:
        p: DepthwiseConv2D = layer.params
        cells = p.window.input_h * p.window.input_w * p.input_channels
        return (
            checks.one_image(layer, cells)
            or checks.window_sizes(p.window)
            or checks.sizes((p.input_channels, p.depth_multiplier))
        )

    def cycles(self, params: DepthwiseConv2D) -> float:
        w = params.window
        outputs = w.output_h * w.output_w * params.output_channels
        return outputs * (CYCLES_PER_DEPTHWISE_MAC * w.kernel_h * w.kernel_w + CYCLES_PER_DEPTHWISE_OUTPUT)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Of multiplied channels the input would be read again after the first of them is written."""
        p: DepthwiseConv2D = layer.params
        return BYTES * channelwise_in_place(p.window, p.output_channels, 1) if p.depth_multiplier == 1 else None

    def members(self, params: DepthwiseConv2D, prefix: str) -> Mapping[str, Value]:
        return {
            "window": window_members(params.window),
            "input_channels": params.input_channels,
            "depth_multiplier": params.depth_multiplier,
            **_scales(params, prefix),
        }


class PortableFullyConnectedS16(_PortableS16):
    """Any int16 fully connected layer."""

    name = "portable/fully_connected_s16"
    operators: ClassVar[tuple[str, ...]] = ("fully_connected",)
    stem = "te_fully_connected_s16"
    code_bytes = 62
    runtime = (FILTERS,)

    def reason(self, layer: Layer) -> str:
        p: FullyConnected = layer.params
        return checks.sizes((p.batches, p.outputs))

    def cycles(self, params: FullyConnected) -> float:
        computed = -(-params.outputs // 4) * 4  # the last block of four is padded
        return params.batches * (CYCLES_PER_MAC * computed * params.inputs + CYCLES_PER_OUTPUT * params.outputs)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return BYTES * connected_in_place(layer.params)

    def members(self, params: FullyConnected, prefix: str) -> Mapping[str, Value]:
        return {
            "batches": params.batches,
            "outputs": params.outputs,
            "filters": {**_scales(params, prefix), "taps": params.inputs},
        }


KERNELS: tuple[Kernel, ...] = (PortableConv2DS16(), PortableDepthwiseConv2DS16(), PortableFullyConnectedS16())

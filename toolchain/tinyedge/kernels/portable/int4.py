"""Layers with weights of int4, which stay two to a byte and are unpacked as they are used."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import channel_constants, params_struct, weights_constant, window_members
from tinyedge.kernels.common.overlap import channelwise_in_place
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.portable import conv_2d, fully_connected
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.ops.fully_connected import FullyConnected

FILTERS = ("te_filters_s4", 550)
CONV_CODE_BYTES = 626
CONNECTED_CODE_BYTES = 110
DEPTHWISE_CODE_BYTES = 792
CYCLES_PER_MAC = 4.7
CYCLES_PER_DEPTHWISE_MAC = 14
CYCLES_PER_DEPTHWISE_OUTPUT = 110


def pack(weights: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
    """int4 two to a byte along the last axis, the first in the low half; a last one alone gets a 0.

    >>> pack(np.array([[1, -1, 7], [-8, 0, 2]])).tolist()
    [[-15, 7], [8, 2]]
    """
    odd = weights.shape[-1] % 2
    padded = np.pad(weights, [(0, 0)] * (weights.ndim - 1) + [(0, odd)]).astype(np.uint8) & 15
    return np.asarray(padded[..., 0::2] | padded[..., 1::2] << 4, np.uint8).view(np.int8)


def _weights(prefix: str, rows: npt.NDArray[Any], comment: str) -> Constant:
    return weights_constant(prefix, pack(rows), f"{comment}; two to a byte")


def _reason(layer: Layer) -> str:
    """Why a layer is not one of int8 with weights of int4."""
    bits = layer.params.weight_bits
    return checks.int8_tensors(layer) or ("" if bits == 4 else f"weights have {bits} bits, the kernel takes 4")


def _saved_bytes(rows: int, taps: int) -> int:
    return rows * taps - rows * -(-taps // 2)


class PortableConv2DS4(conv_2d.PortableConv2D):
    """Any int8 convolution with weights of int4."""

    name = "portable/conv_2d_s4"
    stem: ClassVar[str] = "te_conv_2d_s4"

    def fits(self, layer: Layer, core: Core) -> str:
        return _reason(layer) or super().fits(layer, core)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Conv2D = layer.params
        plain = super().cost(layer, core)
        slower = CYCLES_PER_MAC / conv_2d.CYCLES_PER_MAC
        saved = _saved_bytes(p.output_channels, p.weights.size // p.output_channels)
        shared = ((self.stem, CONV_CODE_BYTES), FILTERS)
        return Cost(int(plain.cycles * slower), plain.code_bytes, plain.constant_bytes - saved, shared)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Conv2D = layer.params
        rows = p.weights.reshape(p.output_channels, -1)
        weights = _weights(operands.prefix, rows, conv_2d.weights_comment(p))
        return conv_2d.emit_conv_with(self.stem, FILTERS[0], p, operands, weights)


class PortableFullyConnectedS4(fully_connected.PortableFullyConnected):
    """Any int8 fully connected layer with weights of int4."""

    name = "portable/fully_connected_s4"
    stem: ClassVar[str] = "te_fully_connected_s4"

    def fits(self, layer: Layer, core: Core) -> str:
        return _reason(layer) or super().fits(layer, core)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: FullyConnected = layer.params
        plain = super().cost(layer, core)
        slower = CYCLES_PER_MAC / fully_connected.CYCLES_PER_MAC
        shared = ((self.stem, CONNECTED_CODE_BYTES), FILTERS)
        constants = plain.constant_bytes - _saved_bytes(p.outputs, p.inputs)
        return Cost(int(plain.cycles * slower), plain.code_bytes, constants, shared)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: FullyConnected = layer.params
        weights = _weights(operands.prefix, p.weights, f"weights {p.outputs}x{p.inputs}: output, input")
        return fully_connected.emit_connected(self.stem, FILTERS[0], p, operands, weights)


class PortableDepthwiseConv2DS4(Kernel):
    """Any int8 depthwise convolution with weights of int4, channel by channel."""

    name = "portable/depthwise_conv_2d_s4"
    operators: ClassVar[tuple[str, ...]] = ("depthwise_conv_2d",)
    stem: ClassVar[str] = "te_depthwise_conv_2d_s4"

    def fits(self, layer: Layer, core: Core) -> str:
        p: DepthwiseConv2D = layer.params
        cells = p.window.input_h * p.window.input_w * p.input_channels
        return (
            _reason(layer)
            or checks.one_image(layer, cells)
            or checks.window_sizes(p.window)
            or checks.sizes((p.input_channels, p.depth_multiplier))
        )

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: DepthwiseConv2D = layer.params
        outputs = p.window.output_h * p.window.output_w * p.output_channels
        taps = p.window.kernel_h * p.window.kernel_w
        cycles = outputs * (CYCLES_PER_DEPTHWISE_MAC * taps + CYCLES_PER_DEPTHWISE_OUTPUT)
        constants = p.weights.size - _saved_bytes(taps, p.output_channels) + 9 * p.output_channels + 48
        return Cost(cycles, 24, constants, ((self.stem, DEPTHWISE_CODE_BYTES),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Of multiplied channels the input would be read again after the first of them is written."""
        p: DepthwiseConv2D = layer.params
        return channelwise_in_place(p.window, p.output_channels, 1) if p.depth_multiplier == 1 else None

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: DepthwiseConv2D = layer.params
        prefix = operands.prefix
        shape = "x".join(str(size) for size in p.weights.shape)
        struct = params_struct(
            f"{self.stem}_params",
            f"{prefix}_params",
            {
                "window": window_members(p.window),
                "input_channels": p.input_channels,
                "depth_multiplier": p.depth_multiplier,
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
        return Code(
            call=(f"{self.stem}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]});",),
            constants=(
                _weights(prefix, p.weights, f"weights {shape}: row, column, channel"),
                *channel_constants(prefix, p.bias, p.multiplier, p.shift),
            ),
            functions=struct,
            runtime=(self.stem,),
        )


KERNELS: tuple[Kernel, ...] = (PortableConv2DS4(), PortableFullyConnectedS4(), PortableDepthwiseConv2DS4())

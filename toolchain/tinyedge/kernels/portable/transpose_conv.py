"""transpose_conv through te_transpose_conv_s8: each output sums over the inputs that reach it."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import Value, channel_constants, params_struct, weights_constant
from tinyedge.kernels.common.overlap import NEVER, Int64Array, least_offset, lowest_from
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.transpose_conv import TransposeConv

STEM = "te_transpose_conv_s8"
CODE_BYTES = 586
LAYER_CODE_BYTES = 16
PARAMS_BYTES = 44
CYCLES_PER_MAC = 8
CYCLES_PER_OUTPUT = 110
CYCLES_PER_TAP = 25


def _first_reaching(size: int, outputs: int, kernel: int, stride: int, pad: int) -> Int64Array:
    """Along one axis, for each output the first input that reaches it; NEVER where none does."""
    place = np.arange(outputs) + pad
    first = np.maximum((place - kernel) // stride + 1, 0)
    return np.asarray(np.where(first <= np.minimum(place // stride, size - 1), first, NEVER), np.int64)


class PortableTransposeConv(Kernel):
    """Any int8 transposed convolution."""

    name = "portable/transpose_conv"
    operators: ClassVar[tuple[str, ...]] = ("transpose_conv",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: TransposeConv = layer.params
        sizes = (p.input_h, p.input_w, p.output_h, p.output_w, p.kernel_h, p.kernel_w, p.stride_h, p.stride_w)
        return checks.int8_tensors(layer) or checks.sizes((*sizes, p.input_channels, p.output_channels))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: TransposeConv = layer.params
        outputs = layer.outputs[0].elements
        cycles = CYCLES_PER_MAC * layer.macs + CYCLES_PER_OUTPUT * outputs
        cycles += CYCLES_PER_TAP * layer.macs // p.input_channels
        constants = p.weights.size + 9 * p.output_channels + PARAMS_BYTES
        return Cost(cycles, LAYER_CODE_BYTES, constants, ((STEM, CODE_BYTES),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Pixel by pixel upwards; the inputs of a pixel are read again for each of its channels."""
        p: TransposeConv = layer.params
        rows = _first_reaching(p.input_h, p.output_h, p.kernel_h, p.stride_h, p.pad_top)
        columns = _first_reaching(p.input_w, p.output_w, p.kernel_w, p.stride_w, p.pad_left)
        missed = (rows[:, None] == NEVER) | (columns[None, :] == NEVER)
        cells = np.where(missed, NEVER, (rows[:, None] * p.input_w + columns[None, :]) * p.input_channels).reshape(-1)
        pixels = np.arange(len(cells))
        within = least_offset(pixels * p.output_channels + p.output_channels - 1, cells)
        return max(within, least_offset((pixels + 1) * p.output_channels, lowest_from(cells)[1:]))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: TransposeConv = layer.params
        prefix = operands.prefix

        def axis(*sizes: int) -> Value:
            return dict(zip(("input", "output", "kernel", "stride", "pad"), sizes, strict=True))

        struct = params_struct(
            "te_transpose_conv_params",
            f"{prefix}_params",
            {
                "rows": axis(p.input_h, p.output_h, p.kernel_h, p.stride_h, p.pad_top),
                "columns": axis(p.input_w, p.output_w, p.kernel_w, p.stride_w, p.pad_left),
                "input_channels": p.input_channels,
                "output_channels": p.output_channels,
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
        shape = "x".join(str(size) for size in p.weights.shape)
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]});",),
            constants=(
                weights_constant(prefix, p.weights, f"weights {shape}: output channel, row, column, input channel"),
                *channel_constants(prefix, p.bias, p.multiplier, p.shift),
            ),
            functions=struct,
            runtime=(STEM,),
        )


KERNELS: tuple[Kernel, ...] = (PortableTransposeConv(),)

"""transpose_conv of int8 or int16: each output sums over the inputs that reach it."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import (
    Value,
    channel_constants,
    params_struct,
    weights_constant,
    wide_channel_constants,
)
from tinyedge.kernels.common.overlap import NEVER, Int64Array, least_offset, lowest_from
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.transpose_conv import TransposeConv

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


class _PortableTransposeConv(Kernel):
    operators: ClassVar[tuple[str, ...]] = ("transpose_conv",)
    stem: ClassVar[str]
    struct: ClassVar[str]
    dtype: ClassVar[DType]
    code_bytes: ClassVar[int]
    channel_bytes: ClassVar[int]
    """bias, multiplier and shift"""

    @abc.abstractmethod
    def scaling(self, params: TransposeConv, prefix: str) -> Mapping[str, Value]:
        """The members of the parameter struct that bring sums to the output."""

    @abc.abstractmethod
    def channel_constants(self, params: TransposeConv, prefix: str) -> tuple[Constant, ...]:
        """What there is for each output channel."""

    def fits(self, layer: Layer, core: Core) -> str:
        p: TransposeConv = layer.params
        sizes = (p.input_h, p.input_w, p.output_h, p.output_w, p.kernel_h, p.kernel_w, p.stride_h, p.stride_w)
        if layer.inputs[0].dtype is not self.dtype:
            return f"its input is {layer.inputs[0].dtype.value}, the kernel takes {self.dtype.value}"
        return checks.sizes((*sizes, p.input_channels, p.output_channels))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: TransposeConv = layer.params
        outputs = layer.outputs[0].elements
        cycles = CYCLES_PER_MAC * layer.macs + CYCLES_PER_OUTPUT * outputs
        cycles += CYCLES_PER_TAP * layer.macs // p.input_channels
        constants = p.weights.size + self.channel_bytes * p.output_channels + PARAMS_BYTES
        return Cost(cycles, LAYER_CODE_BYTES, constants, ((self.stem, self.code_bytes),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Pixel by pixel upwards; the inputs of a pixel are read again for each of its channels."""
        p: TransposeConv = layer.params
        rows = _first_reaching(p.input_h, p.output_h, p.kernel_h, p.stride_h, p.pad_top)
        columns = _first_reaching(p.input_w, p.output_w, p.kernel_w, p.stride_w, p.pad_left)
        missed = (rows[:, None] == NEVER) | (columns[None, :] == NEVER)
        cells = np.where(missed, NEVER, (rows[:, None] * p.input_w + columns[None, :]) * p.input_channels).reshape(-1)
        pixels = np.arange(len(cells))
        within = least_offset(pixels * p.output_channels + p.output_channels - 1, cells)
        between = least_offset((pixels + 1) * p.output_channels, lowest_from(cells)[1:])
        return self.dtype.bytes * max(within, between)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: TransposeConv = layer.params
        prefix = operands.prefix

        def axis(*sizes: int) -> Value:
            return dict(zip(("input", "output", "kernel", "stride", "pad"), sizes, strict=True))

        struct = params_struct(
            self.struct,
            f"{prefix}_params",
            {
                "rows": axis(p.input_h, p.output_h, p.kernel_h, p.stride_h, p.pad_top),
                "columns": axis(p.input_w, p.output_w, p.kernel_w, p.stride_w, p.pad_left),
                "input_channels": p.input_channels,
                "output_channels": p.output_channels,
                **self.scaling(p, prefix),
            },
        )
        shape = "x".join(str(size) for size in p.weights.shape)
        return Code(
            call=(f"{self.stem}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]});",),
            constants=(
                weights_constant(prefix, p.weights, f"weights {shape}: output channel, row, column, input channel"),
                *self.channel_constants(p, prefix),
            ),
            functions=struct,
            runtime=(self.stem,),
        )


def _names(prefix: str, *members: str) -> dict[str, Value]:
    return {member: f"{prefix}_{member}" for member in members}


class PortableTransposeConv(_PortableTransposeConv):
    """Any int8 transposed convolution."""

    name = "portable/transpose_conv"
    stem = "te_transpose_conv_s8"
    struct = "te_transpose_conv_params"
    dtype = DType.INT8
    code_bytes = 586
    channel_bytes = 9

    def scaling(self, params: TransposeConv, prefix: str) -> Mapping[str, Value]:
        return {
            "input_zero_point": params.input_zero_point,
            "output_zero_point": params.output_zero_point,
            "activation_min": params.activation_min,
            "activation_max": params.activation_max,
            **_names(prefix, "weights", "bias", "multiplier", "shift"),
        }

    def channel_constants(self, params: TransposeConv, prefix: str) -> tuple[Constant, ...]:
        return channel_constants(prefix, params.bias, params.multiplier, params.shift)


class PortableTransposeConvS16(_PortableTransposeConv):
    """Any int16 transposed convolution."""

    name = "portable/transpose_conv_s16"
    stem = "te_transpose_conv_s16"
    struct = "te_transpose_conv_s16_params"
    dtype = DType.INT16
    code_bytes = 600
    channel_bytes = 11

    def scaling(self, params: TransposeConv, prefix: str) -> Mapping[str, Value]:
        return {
            "activation_min": params.activation_min,
            "activation_max": params.activation_max,
            **_names(prefix, "weights", "bias", "multiplier", "right"),
        }

    def channel_constants(self, params: TransposeConv, prefix: str) -> tuple[Constant, ...]:
        return wide_channel_constants(prefix, params.bias, params.multiplier, params.shift)


KERNELS: tuple[Kernel, ...] = (PortableTransposeConv(), PortableTransposeConvS16())

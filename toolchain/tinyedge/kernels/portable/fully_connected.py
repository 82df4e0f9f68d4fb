"""fully_connected through te_fully_connected_s8: four outputs at a time."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import channel_constants, params_struct, weights_constant
from tinyedge.kernels.common.filters import FILTERS_CODE_BYTES, FILTERS_STEM, filters_members, folded_bias, scales_alike
from tinyedge.kernels.common.overlap import connected_in_place
from tinyedge.kernels.common.pace import paced
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.fully_connected import FullyConnected

STEM = "te_fully_connected_s8"
CODE_BYTES = 120
LAYER_CODE_BYTES = 24
PARAMS_BYTES = 32
CYCLES_PER_MAC = 4.1
CYCLES_PER_OUTPUT = 73


def _sums_overflow(p: FullyConnected) -> str:
    """With a weight zero point, partial sums hold parts that only cancel at the end, and could leave int32."""
    if p.weight_zero_point == 0:
        return ""
    weights = p.weights.astype(np.int64)
    centred = weights - p.weight_zero_point
    largest = (
        np.abs(p.bias.astype(np.int64) - p.input_zero_point * centred.sum(axis=1))
        + 128 * np.abs(weights).sum(axis=1)
        + 128 * abs(p.weight_zero_point) * p.inputs
    ).max()
    return f"with its weight zero point, sums could reach {largest:,}, beyond int32" if largest >= 1 << 31 else ""


class PortableFullyConnected(Kernel):
    """Any int8 fully connected layer."""

    name = "portable/fully_connected"
    operators: ClassVar[tuple[str, ...]] = ("fully_connected",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: FullyConnected = layer.params
        return checks.int8_tensors(layer) or checks.sizes((p.batches, p.outputs)) or _sums_overflow(p)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: FullyConnected = layer.params
        outputs = p.batches * p.outputs
        computed = p.batches * (-(-p.outputs // 4) * 4)  # the last block of four is padded
        cycles = CYCLES_PER_MAC * computed * p.inputs + CYCLES_PER_OUTPUT * outputs
        per_output = 4 if scales_alike(p) else 9
        constants = p.weights.size + per_output * p.outputs + PARAMS_BYTES
        shared = ((STEM, CODE_BYTES), (FILTERS_STEM, FILTERS_CODE_BYTES))
        return paced(Cost(int(cycles), LAYER_CODE_BYTES, constants, shared), core, armv6m=3.2, armv7m=1.15, rv32=1.4)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return connected_in_place(layer.params)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: FullyConnected = layer.params
        comment = f"weights {p.outputs}x{p.inputs}: output, input"
        return emit_connected(STEM, FILTERS_STEM, p, operands, weights_constant(operands.prefix, p.weights, comment))


def emit_connected(stem: str, filters: str, p: FullyConnected, operands: Operands, weights: Constant) -> Code:
    """The C of a fully connected layer by a function that takes weights in a form of its own."""
    prefix = operands.prefix
    bias = folded_bias(p.bias, p.weights.astype(np.int64) - p.weight_zero_point, p.input_zero_point)
    alike = scales_alike(p)
    scales = slice(0, 1) if alike else slice(None)
    struct = params_struct(
        "te_fully_connected_params",
        f"{prefix}_params",
        {
            "batches": p.batches,
            "outputs": p.outputs,
            "weight_zero_point": p.weight_zero_point,
            "filters": filters_members(p, prefix, taps=p.inputs, per_filter=not alike),
        },
    )
    return Code(
        call=(f"{stem}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]});",),
        constants=(weights, *channel_constants(prefix, bias, p.multiplier[scales], p.shift[scales])),
        functions=struct,
        runtime=(stem, filters),
    )


KERNELS: tuple[Kernel, ...] = (PortableFullyConnected(),)

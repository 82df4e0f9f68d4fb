"""fully_connected through te_fully_connected_blocks: four outputs at a time, their weights in the order of use."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core, Isa
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.common.filters import scales_alike
from tinyedge.kernels.common.overlap import connected_in_place
from tinyedge.kernels.common.pace import by_isa
from tinyedge.kernels.common.short_requantize import short_constants, short_members, short_reason
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands, Storage
from tinyedge.kernels.portable.conv_2d_blocks import TAPS_AT_ONCE, blocks_of_channels
from tinyedge.ops.contract import Layer
from tinyedge.ops.fully_connected import FullyConnected

STEM = "te_fully_connected_blocks"
OUTPUTS = 4
"""of a block"""
LAYER_CODE_BYTES = 24
PARAMS_BYTES = 28


@dataclass(frozen=True)
class Rates:
    """Cycles of the parts of a layer on a core, as the timing models count zig's code, and the bytes of that code."""

    code_bytes: int
    tap: float
    """of a block, all its products"""
    output: float
    batch: float


class FullyConnectedBlocks(Kernel):
    """int8 fully connected layers of four or more outputs, whose weights have no zero point."""

    name = "portable/fully_connected_blocks"
    operators: ClassVar[tuple[str, ...]] = ("fully_connected",)
    stem: ClassVar[str] = STEM
    weight_bits: ClassVar[int] = 8
    """in flash"""
    rates: ClassVar[Mapping[Isa, Rates]] = by_isa(
        armv6m=Rates(470, 39.2, 108.6, 98.2),
        armv7m=Rates(406, 16.0, 48.8, 74.6),
        dsp=Rates(406, 13.0, 46.0, 74.7),
        rv32=Rates(544, 14.5, 55.1, 91.2),
    )

    def _pack(self, p: FullyConnected) -> npt.NDArray[np.int8]:
        """The weights block by block."""
        blocks = p.weights[blocks_of_channels(p.outputs, OUTPUTS)]
        return np.ascontiguousarray(blocks.transpose(0, 2, 1), np.int8).reshape(-1)

    def _storage(self, p: FullyConnected) -> Storage | None:
        """How the weights lie in flash, where that is not as they are."""
        return None

    def _batch_cycles(self, p: FullyConnected, blocks: int, core: Core) -> float:
        """What a row of the input takes beside what is counted for both kernels."""
        return 0.0

    def fits(self, layer: Layer, core: Core) -> str:
        p: FullyConnected = layer.params
        if p.outputs < OUTPUTS:
            return f"{p.outputs} outputs are fewer than the {OUTPUTS} it computes at a time"
        if p.inputs % TAPS_AT_ONCE:
            return f"{p.inputs} inputs are no multiple of the {TAPS_AT_ONCE} it takes at a time"
        if p.weight_zero_point:
            return f"the weights have a zero point of {p.weight_zero_point}"
        return checks.int8_tensors(layer) or checks.sizes((p.batches, p.inputs, p.outputs)) or short_reason(p)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: FullyConnected = layer.params
        rate, blocks = self.rates[core.isa], -(-p.outputs // OUTPUTS)
        batch = rate.batch + blocks * (p.inputs * rate.tap + OUTPUTS * rate.output)
        cycles = p.batches * (batch + self._batch_cycles(p, blocks, core))
        per_output = 4 if scales_alike(p) else 9
        weights = OUTPUTS * blocks * p.inputs * self.weight_bits // 8
        constants = weights + per_output * p.outputs + PARAMS_BYTES
        return Cost(int(cycles), LAYER_CODE_BYTES, constants, ((self.stem, rate.code_bytes),), self._storage(p))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return connected_in_place(layer.params)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: FullyConnected = layer.params
        prefix, alike = operands.prefix, scales_alike(p)
        comment = f"weights {p.outputs}x{p.inputs}: four outputs in turn for each input"
        bias, *scales = short_constants(prefix, p)
        if alike:
            scales = [dataclasses.replace(constant, values=constant.values[:1]) for constant in scales]
        struct = params_struct(
            "te_fully_connected_blocks_params",
            f"{prefix}_params",
            {
                "batches": p.batches,
                "inputs": p.inputs,
                "outputs": p.outputs,
                "per_output": int(not alike),
                "weights": f"{prefix}_weights",
                **short_members(prefix, p),
            },
        )
        return Code(
            call=(f"{self.stem}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]});",),
            constants=(
                Constant(f"{prefix}_weights", "int8_t", self._pack(p), 4, comment),
                bias,
                *scales,
            ),
            functions=struct,
            runtime=(self.stem,),
        )


KERNELS: tuple[Kernel, ...] = (FullyConnectedBlocks(),)

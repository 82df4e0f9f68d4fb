"""fully_connected with Helium: eight outputs at a time, all products in a line or in a loop over 64 inputs.

Rows of whole vectors are read in place; others are copied first, so that nothing behind the input is read.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv81m.conv_2d import helium_reason
from tinyedge.kernels.armv81m.layout import chunks_of, pack
from tinyedge.kernels.armv81m.tile import LANES, TURN_CHUNKS, TileForm, emit_tile, requantization_of
from tinyedge.kernels.common.filters import folded_bias
from tinyedge.kernels.common.overlap import least_offset, lowest_from
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.fully_connected import FullyConnected

COPY_STEM = "te_copy_mve"
CALL_INSTRUCTIONS = 8
COPY_INSTRUCTIONS = 10
CALL_BYTES = 24
COPY_BYTES = 100
MOST_CHUNKS = 16
"""that are multiplied in a line"""


def _centred(p: FullyConnected) -> npt.NDArray[np.int64]:
    """Weights less their zero point, rows that are scaled by 0 as zeros."""
    weights = p.weights.astype(np.int64) - p.weight_zero_point
    return np.asarray(np.where((p.multiplier == 0)[:, None], 0, weights), np.int64)


class FullyConnectedHelium(Kernel):
    """int8 fully connected layers, all products in a line."""

    name = "armv81m/fully_connected"
    operators: ClassVar[tuple[str, ...]] = ("fully_connected",)
    looped: ClassVar[bool] = False

    def fits(self, layer: Layer, core: Core) -> str:
        if reason := helium_reason(layer, core):
            return reason
        p: FullyConnected = layer.params
        weights = _centred(p)
        if weights.min() < -128 or weights.max() > 127:
            return f"weights less their zero point reach from {weights.min()} to {weights.max()}, beyond int8"
        if p.inputs > 65535 or p.outputs > 65535:
            return "there are more than 65,535 inputs or outputs"
        chunks = chunks_of(p.inputs)
        if self.looped:
            return "" if chunks > TURN_CHUNKS else "there is nothing to loop over"
        return "" if chunks <= MOST_CHUNKS else f"{chunks} vectors are more than the {MOST_CHUNKS} it has in a line"

    def _form(self, p: FullyConnected) -> TileForm:
        requantization = requantization_of(p)
        return TileForm(1, 1, chunks_of(p.inputs), 0, p.inputs, p.outputs, requantization, looped=self.looped)

    def _copies(self, p: FullyConnected) -> bool:
        """Whether rows are copied."""
        return p.inputs % LANES != 0

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: FullyConnected = layer.params
        form = self._form(p)
        tile = emit_tile(form)
        if self._copies(p):
            copied = COPY_INSTRUCTIONS + 4 * (p.inputs // LANES)
            count = p.batches * (tile.instructions(form.groups, 1) + copied)
        else:
            count = tile.instructions(form.groups, p.batches)
        stream = form.groups * form.tile_channels * (form.chunks * LANES + 4 * form.requantization.vectors)
        code = CALL_BYTES + COPY_BYTES * self._copies(p)
        shared = (tile.function.name, tile.code_bytes)
        return Cost(count + CALL_INSTRUCTIONS, code, stream, (shared,), instructions=count + CALL_INSTRUCTIONS)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        p: FullyConnected = layer.params
        return LANES * chunks_of(p.inputs) if self._copies(p) else 0

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """A row in place is read again for each eight outputs, so all but the last of these must stay clear of it."""
        p: FullyConnected = layer.params
        rows = np.arange(p.batches)
        between = least_offset((rows + 1) * p.outputs, lowest_from(rows * p.inputs)[1:])
        before_last = (p.outputs - 1) // 8 * 8
        if self._copies(p) or not before_last:
            return between
        return max(between, least_offset(rows * p.outputs + before_last, rows * p.inputs))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: FullyConnected = layer.params
        form = self._form(p)
        function = emit_tile(form).function
        weights = np.zeros((p.outputs, LANES * form.chunks), np.int8)
        weights[:, : p.inputs] = _centred(p)
        bias = np.where(p.multiplier == 0, 0, folded_bias(p.bias, _centred(p), p.input_zero_point))
        shaped = weights.reshape(p.outputs, form.chunks, LANES)
        stream = pack(shaped, bias, p.multiplier, p.shift, form.tile_channels, form.requantization)
        name, source, target = f"{operands.prefix}_weights", operands.inputs[0], operands.outputs[0]
        comment = f"weights {p.outputs}x{p.inputs}, eight rows at a time: products, biases, multipliers, shifts"
        call = f"{function.name}({source}, {name}, {target}, {p.batches});"
        if self._copies(p):
            scratch = f"(int8_t *){operands.scratch}"
            call = (
                f"for (int row = 0; row < {p.batches}; row++) {{ "
                f"{COPY_STEM}({scratch}, {source} + row * {p.inputs}, {p.inputs}); "
                f"{function.name}({scratch}, {name}, {target} + row * {p.outputs}, 1); }}"
            )
        return Code(
            call=(call,),
            constants=(Constant(name, "int8_t", stream, 4, comment),),
            runtime=(COPY_STEM,) if self._copies(p) else (),
            assembler=(function,),
        )


class FullyConnectedHeliumLooped(FullyConnectedHelium):
    """The same with a loop over 64 inputs."""

    name = "armv81m/fully_connected_looped"
    looped = True


KERNELS: tuple[Kernel, ...] = (FullyConnectedHelium(), FullyConnectedHeliumLooped())

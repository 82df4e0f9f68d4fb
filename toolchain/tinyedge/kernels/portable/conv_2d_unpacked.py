"""conv_2d_blocks_4x2 with weights that are compressed in flash: all of them are unpacked into scratch before.

conv_2d_clusters  16, 8 or 4 values per tensor: indices of 4, 3 or 2 bits
conv_2d_bitmap    zeros left out
"""

from __future__ import annotations

from typing import ClassVar

from tinyedge.boards import Core
from tinyedge.kernels.common import packed
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.common.numbers import by_numbers
from tinyedge.kernels.common.packed import Packed, Packing
from tinyedge.kernels.common.short_requantize import short_constants
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands, Storage
from tinyedge.kernels.portable.conv_2d import weights_comment
from tinyedge.kernels.portable.conv_2d_blocks import (
    LAYER_CODE_BYTES,
    Conv2DBlocks4x2,
    find_layout,
    pack_weights,
    params_members,
)
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

STEM = "te_conv_2d_unpacked"
CODE_BYTES = 60
PARAMS_BYTES = 16
"""beside those of te_conv_2d_blocks"""


@by_numbers
def _packed_values(params: Conv2D) -> Packed:
    return packed.Values().pack(pack_weights(params, find_layout(params), Conv2DBlocks4x2.channels))


@by_numbers
def _packed_bitmap(params: Conv2D) -> Packed:
    return packed.Bitmap().pack(pack_weights(params, find_layout(params), Conv2DBlocks4x2.channels))


class _Unpacked(Conv2DBlocks4x2):
    """int8 convolutions without groups, of four or more output channels."""

    packing: ClassVar[Packing]

    def _packed(self, p: Conv2D) -> Packed:
        return _packed_values(p) if isinstance(self.packing, packed.Values) else _packed_bitmap(p)

    def _storage(self, p: Conv2D) -> Storage:
        return self.packing.storage(self._packed(p), p.weights.size)

    def fits(self, layer: Layer, core: Core) -> str:
        p: Conv2D = layer.params
        reason = self.packing.reason(p.weights) or packed.pixels_reason(p.window.output_h * p.window.output_w)
        if reason or (reason := super().fits(layer, core)):
            return reason
        return self.packing.reason(pack_weights(p, find_layout(p), self.channels))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Conv2D = layer.params
        plain, found = super().cost(layer, core), self._packed(p)
        unpacked = pack_weights(p, find_layout(p), self.channels).size
        return Cost(
            plain.cycles + int(found.count * self.packing.cycles(core)),
            LAYER_CODE_BYTES,
            plain.constant_bytes - unpacked + found.bytes + PARAMS_BYTES,
            (*plain.shared_code, (packed.STEM, packed.CODE_BYTES[core.isa]), (STEM, CODE_BYTES)),
            self._storage(p),
        )

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return self._packed(layer.params).count + super().scratch_bytes(layer, core)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Conv2D = layer.params
        prefix, layout, found = operands.prefix, find_layout(p), self._packed(p)
        members: dict[str, Value] = {
            "conv": params_members(p, layout, prefix, "0", layout.read.taps * self.channels),
            "packed": found.members(prefix),
        }
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});",),
            constants=(
                *found.constants(prefix, f"{weights_comment(p)}, four of these in turn; {self._storage(p).form}"),
                *short_constants(prefix, p),
            ),
            functions=params_struct(f"{STEM}_params", f"{prefix}_params", members),
            runtime=(self.stem, packed.STEM, STEM),
        )


class Conv2DClusters(_Unpacked):
    """Weights of 16, 8 or 4 values."""

    name = "portable/conv_2d_clusters"
    packing = packed.Values()


class Conv2DBitmap(_Unpacked):
    """Weights of which many are 0."""

    name = "portable/conv_2d_bitmap"
    packing = packed.Bitmap()


KERNELS: tuple[Kernel, ...] = (Conv2DClusters(), Conv2DBitmap())

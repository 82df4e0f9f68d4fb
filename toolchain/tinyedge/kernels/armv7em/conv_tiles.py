"""conv_2d_4x2 with weights that are compressed in flash and unpacked into scratch, ahead of the pixels they serve.

conv_2d_4x2_clusters        16, 8 or 4 values per tensor: indices of 4, 3 or 2 bits, all unpacked at once
conv_2d_4x2_clusters_tiled  the same, some channels at a time, as many as take 2 KB
conv_2d_4x2_bitmap          zeros left out: a bit for each byte of the words, and the bytes that are not 0
conv_2d_4x2_bitmap_tiled    likewise

Each tile goes through all pixels, whose windows are gathered anew for it.
"""

from __future__ import annotations

import abc
import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv7em import conv_4x2, unpack_words
from tinyedge.kernels.armv7em.conv_4x2 import Conv2D4x2, layer_ticks, params_members
from tinyedge.kernels.armv7em.conv_4x2_layout import CHANNELS, find_layout, layout_in_place, pack_weights, taps_in_order
from tinyedge.kernels.armv7em.conv_4x2_row import RowForm, emit_row
from tinyedge.kernels.common import storage
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.common.numbers import by_numbers
from tinyedge.kernels.contract import AsmFunction, Code, Constant, Cost, Kernel, Operands, Storage
from tinyedge.kernels.thumb.assembly import Ticks
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

STEM = "te_conv_2d_tiles"
DRIVER_BYTES = 280
PARAMS_BYTES = 84
FIXED_WORDS = 12
"""of a group: what its sums begin with, two factors for each channel"""
TILE_BYTES = 2048
LEAST_PIXELS = 16
"""over fewer, unpacking takes more than a sixth of the time"""
_CALL = Ticks(60, 90)
_TILE = Ticks(30, 45)
_GROUP = Ticks(60, 90)
_TABLE_ENTRY = Ticks(6, 8)


@dataclass(frozen=True, eq=False)
class Packed:
    """A layer's words of weights, compressed.

    stream    group by group
    values    that weights can have; none where they are no indices
    unpack    the function that unpacks a group, and its bytes of code
    ticks     of unpacking all groups
    """

    stream: npt.NDArray[np.uint8]
    values: npt.NDArray[np.int8]
    unpack: AsmFunction
    unpack_bytes: int
    ticks: Ticks

    @property
    def value_bits(self) -> int:
        return storage.value_bits(self.values) if self.values.size else 0

    @property
    def table_bytes(self) -> int:
        """Of scratch, for halves by two indices."""
        return 2 * self.values.size**2

    @property
    def bytes(self) -> int:
        return self.stream.nbytes + self.values.nbytes


def group_streams(params: Conv2D) -> npt.NDArray[np.uint32]:
    """The stream of conv_2d_4x2 group by group. Shape: [groups, 4 words, words of weights, 8 words]."""
    requantization = conv_4x2.find_requantization(params)
    stream = pack_weights(params, find_layout(params), requantization)
    return stream.reshape(params.output_channels // CHANNELS, -1)


def taps_of(params: Conv2D) -> npt.NDArray[np.int64]:
    """The weights with those that fill up segments, which are 0."""
    return taps_in_order(params, find_layout(params))


@by_numbers
def pack_clusters(params: Conv2D) -> Packed:
    """Indices of values, in the order of the words' bytes."""
    values = storage.find_values(taps_of(params))
    assert values is not None
    bits = storage.value_bits(values)
    words = group_streams(params)[:, 4:-8]
    halves = np.stack([words & 0xFFFF, words >> 16], axis=-1).astype(np.uint16).view(np.int16).astype(np.int64)
    low = (halves + 128) % 256 - 128  # a, and what is left is 256 b
    pairs = np.stack([low, (halves - low) >> 8], axis=-1).reshape(len(words), -1)
    stream = unpack_words.pack_values(storage.value_indices(pairs, values), bits)
    function, code_bytes = unpack_words.values_function(bits)
    ticks = len(words) * unpack_words.values_ticks(bits, words.shape[1]) + values.size**2 * _TABLE_ENTRY
    return Packed(stream, values, function, code_bytes, ticks)


@by_numbers
def pack_bitmap(params: Conv2D) -> Packed:
    """A bit for each byte of the words, and the bytes that are not 0."""
    words = group_streams(params)[:, 4:-8]
    function, code_bytes = unpack_words.bitmap_function()
    nonzero = np.count_nonzero(np.ascontiguousarray(words).view(np.uint8).reshape(len(words), -1), axis=1)
    ticks = Ticks()
    for count in nonzero.tolist():
        ticks += unpack_words.bitmap_ticks(words.shape[1], count)
    return Packed(unpack_words.pack_bitmap(words), np.zeros(0, np.int8), function, code_bytes, ticks)


class _Tiles(Conv2D4x2):
    """int8 convolutions without groups, of a multiple of four output channels."""

    tile_bytes: ClassVar[int | None] = None
    """what a tile takes at most, unless a group takes more; None: all channels are one tile"""

    @abc.abstractmethod
    def _packed(self, params: Conv2D) -> Packed: ...

    @abc.abstractmethod
    def _storage_reason(self, params: Conv2D) -> str:
        """Why the weights cannot lie so, or gain nothing by it; empty otherwise."""

    @abc.abstractmethod
    def _storage(self, params: Conv2D) -> Storage: ...

    def fits(self, layer: Layer, core: Core) -> str:
        p: Conv2D = layer.params
        if p.output_channels % CHANNELS:
            return f"{p.output_channels} output channels are no multiple of the {CHANNELS} of a group"
        if (pixels := p.window.output_h * p.window.output_w) < LEAST_PIXELS:
            return f"{pixels} pixels are fewer than the {LEAST_PIXELS} from which on unpacking pays"
        if reason := super().fits(layer, core) or self._storage_reason(p):
            return reason
        if self.tile_bytes is not None and self._tile_groups(p) == p.output_channels // CHANNELS:
            return f"all weights together take no more than a tile of {self.tile_bytes:,} B"
        return ""

    def _tile_groups(self, params: Conv2D) -> int:
        """Groups of a tile: as many in each as there can be, with no more tiles than that takes."""
        groups = params.output_channels // CHANNELS
        if self.tile_bytes is None:
            return groups
        tiles = -(-groups // max(1, self.tile_bytes // self._group_bytes(params)))
        return -(-groups // tiles)

    def _group_bytes(self, params: Conv2D) -> int:
        return 4 * (FIXED_WORDS + 2 * find_layout(params).steps)

    def _form(self, params: Conv2D) -> RowForm:
        return dataclasses.replace(super()._form(params), tiled=True)

    def _tile_offset(self, params: Conv2D) -> int:
        """Where in scratch the tile begins."""
        return -(-find_layout(params).scratch_bytes // 4) * 4

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        p: Conv2D = layer.params
        tile = self._tile_groups(p) * self._group_bytes(p)
        return self._tile_offset(p) + tile + self._packed(p).table_bytes

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Where there are several tiles, the input is read again for each."""
        p: Conv2D = layer.params
        return layout_in_place(p, find_layout(p)) if self._tile_groups(p) == p.output_channels // CHANNELS else None

    def cost(self, layer: Layer, core: Core) -> Cost:
        params: Conv2D = layer.params
        packed, form = self._packed(params), self._form_on(core, params)
        function, _, code_bytes = emit_row(form)
        groups, tile = params.output_channels // CHANNELS, self._tile_groups(params)
        ticks = _CALL + packed.ticks + groups * _GROUP
        for first in range(0, groups, tile):
            ticks += _TILE + layer_ticks(params, self._form(params), min(tile, groups - first))
        constants = packed.bytes + 4 * FIXED_WORDS * groups + PARAMS_BYTES
        shared = (
            (conv_4x2.STEM, conv_4x2.DRIVER_BYTES),
            (STEM, DRIVER_BYTES),
            (function.name, code_bytes),
            (packed.unpack.name, packed.unpack_bytes),
        )
        storage = self._storage(params)
        code = conv_4x2.LAYER_CODE_BYTES
        return Cost(ticks.cycles, code, constants, shared, storage, instructions=ticks.instructions)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        params: Conv2D = layer.params
        layout, prefix, packed = find_layout(params), operands.prefix, self._packed(params)
        function, _, _ = emit_row(self._form_on(core, params))
        streams = group_streams(params)
        fixed = np.concatenate([streams[:, :4], streams[:, -8:]], axis=1).reshape(-1)
        shape = "x".join(str(size) for size in params.weights.shape)
        constants = [
            Constant(f"{prefix}_fixed", "uint32_t", fixed, 4, "by four channels: biases, two factors each"),
            Constant(
                f"{prefix}_weights", "uint8_t", packed.stream, 4, f"weights {shape}, {self._storage(params).form}"
            ),
        ]
        if packed.values.size:
            constants.append(Constant(f"{prefix}_values", "int8_t", packed.values, 1, "different weights"))
        tiles = params_struct(
            f"{STEM}_params",
            f"{prefix}_params",
            {
                "conv": params_members(params, layout, function.name, "0", "int8"),
                "unpack": packed.unpack.name,
                "fixed": f"{prefix}_fixed",
                "stream": f"{prefix}_weights",
                "values": f"{prefix}_values" if packed.values.size else "0",
                "groups": len(streams),
                "tile_groups": self._tile_groups(params),
                "weight_words": 2 * layout.steps,
                "conv_bytes": self._tile_offset(params),
                "value_bits": packed.value_bits,
            },
        )
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});",),
            constants=tuple(constants),
            functions=tiles,
            runtime=(conv_4x2.STEM, STEM),
            assembler=(packed.unpack, function),
        )


class Conv2D4x2Clusters(_Tiles):
    """Weights of 16, 8 or 4 values, all unpacked at once."""

    name = "armv7em/conv_2d_4x2_clusters"

    def _packed(self, params: Conv2D) -> Packed:
        return pack_clusters(params)

    def _storage_reason(self, params: Conv2D) -> str:
        return storage.values_reason(taps_of(params))

    def _storage(self, params: Conv2D) -> Storage:
        packed = self._packed(params)
        return Storage(f"{packed.values.size} values", packed.bytes, params.weights.size)


class Conv2D4x2ClustersTiled(Conv2D4x2Clusters):
    """Some channels at a time."""

    name = "armv7em/conv_2d_4x2_clusters_tiled"
    tile_bytes = TILE_BYTES


class Conv2D4x2Bitmap(_Tiles):
    """Weights of which many are 0, all unpacked at once."""

    name = "armv7em/conv_2d_4x2_bitmap"

    def _packed(self, params: Conv2D) -> Packed:
        return pack_bitmap(params)

    def _storage_reason(self, params: Conv2D) -> str:
        weights, form = params.weights, "a bitmap and the others"
        at_least = weights.size // 8 + int(np.count_nonzero(weights))
        return storage.zeros_reason(weights, at_least, form) or storage.zeros_reason(
            weights, self._packed(params).bytes, form
        )

    def _storage(self, params: Conv2D) -> Storage:
        return Storage("bitmap", self._packed(params).bytes, params.weights.size)


class Conv2D4x2BitmapTiled(Conv2D4x2Bitmap):
    """Some channels at a time."""

    name = "armv7em/conv_2d_4x2_bitmap_tiled"
    tile_bytes = TILE_BYTES


KERNELS: tuple[Kernel, ...] = (
    Conv2D4x2Clusters(),
    Conv2D4x2ClustersTiled(),
    Conv2D4x2Bitmap(),
    Conv2D4x2BitmapTiled(),
)

"""conv_2d_stream with weights that are compressed in flash: the stream is unpacked into scratch before.

conv_2d_stream_clusters  16, 8 or 4 values per tensor, among them all weights of 4 bits: indices of 4, 3 or 2 bits
conv_2d_stream_bitmap    zeros left out
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core
from tinyedge.kernels.armv6m import conv_pixels, conv_stream
from tinyedge.kernels.armv6m.chunks import cut
from tinyedge.kernels.armv6m.conv_pixels import find_layout, found_line
from tinyedge.kernels.armv6m.conv_stream import LONGEST_RUN, PIXELS, Conv2DStream, pack_scales, pack_stream
from tinyedge.kernels.common import packed
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.common.numbers import by_numbers
from tinyedge.kernels.common.packed import Packed, Packing
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands, Storage
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D

STEM = "te_conv_2d_pixels_unpacked"
CODE_BYTES = 140
PARAMS_BYTES = 28
"""beside those of te_conv_2d_pixels"""
_MOVED_CYCLES = 9.7
"""of a weight"""
_RUN_CYCLES = 16.0


@by_numbers
def _packed_values(params: Conv2D) -> Packed:
    return packed.Values().pack(params.weights.reshape(-1))


@by_numbers
def _packed_bitmap(params: Conv2D) -> Packed:
    return packed.Bitmap().pack(params.weights.reshape(-1))


@by_numbers
def pack_runs(params: Conv2D) -> npt.NDArray[np.uint8]:
    """Lengths of runs of weights, a 0 behind the last of each channel."""
    flat = params.weights.reshape(params.output_channels, -1).astype(np.int64)
    return np.array([run for channel in flat for run in (*cut(channel, LONGEST_RUN), 0)], np.uint8)


class _Unpacked(Conv2DStream):
    """int8 convolutions without groups."""

    packing: ClassVar[Packing]

    def _packed(self, p: Conv2D) -> Packed:
        return _packed_values(p) if isinstance(self.packing, packed.Values) else _packed_bitmap(p)

    def _storage(self, p: Conv2D) -> Storage:
        found = self._packed(p)
        runs = pack_runs(p).nbytes - p.output_channels
        return Storage(self.packing.form(found), found.bytes + runs, p.weights.size + runs)

    def fits(self, layer: Layer, core: Core) -> str:
        p: Conv2D = layer.params
        reason = self.packing.reason(p.weights) or packed.pixels_reason(p.window.output_h * p.window.output_w)
        return reason or super().fits(layer, core)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Conv2D = layer.params
        plain, found, runs = super().cost(layer, core), self._packed(p), pack_runs(p)
        cycles = found.count * self.packing.cycles(core) + p.weights.size * _MOVED_CYCLES + runs.size * _RUN_CYCLES
        constants = plain.constant_bytes - pack_stream(p).weights.size + found.bytes + runs.nbytes + PARAMS_BYTES
        shared = (*plain.shared_code, (packed.STEM, packed.CODE_BYTES[core.isa]), (STEM, CODE_BYTES))
        return Cost(plain.cycles + int(cycles), plain.code_bytes, constants, shared, self._storage(p))

    def _conv_bytes(self, layer: Layer, core: Core) -> int:
        return super().scratch_bytes(layer, core)

    def scratch_bytes(self, layer: Layer, core: Core) -> int:
        return self._conv_bytes(layer, core) + pack_stream(layer.params).weights.size + packed.AT_ONCE

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Conv2D = layer.params
        prefix, layout, found = operands.prefix, find_layout(p, PIXELS), self._packed(p)
        function = conv_stream.stream_function(found_line(p).form)
        shape = "x".join(str(size) for size in p.weights.shape)
        members: dict[str, Value] = {
            "conv": conv_pixels.params_members(p, layout, prefix, function.name, "0"),
            "packed": found.members(prefix),
            "runs": f"{prefix}_runs",
            "stream_bytes": pack_stream(p).weights.size,
            "conv_bytes": self._conv_bytes(layer, core),
        }
        return Code(
            call=(f"{STEM}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[0]}, {operands.scratch});",),
            constants=(
                *found.constants(prefix, f"weights {shape}, {self._storage(p).form}"),
                Constant(f"{prefix}_runs", "uint8_t", pack_runs(p), 1, "lengths of runs of weights"),
                Constant(f"{prefix}_scales", "uint32_t", pack_scales(p), 4, "sums at the start, and the line"),
            ),
            functions=params_struct(f"{STEM}_params", f"{prefix}_params", members),
            runtime=(conv_pixels.STEM, packed.STEM, STEM),
            assembler=(conv_pixels.pack_function(layout), function),
        )


class Conv2DStreamClusters(_Unpacked):
    """Weights of 16, 8 or 4 values."""

    name = "armv6m/conv_2d_stream_clusters"
    packing = packed.Values()


class Conv2DStreamBitmap(_Unpacked):
    """Weights of which many are 0."""

    name = "armv6m/conv_2d_stream_bitmap"
    packing = packed.Bitmap()


KERNELS: tuple[Kernel, ...] = (Conv2DStreamClusters(), Conv2DStreamBitmap())

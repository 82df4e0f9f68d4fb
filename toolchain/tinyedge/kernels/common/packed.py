"""Weights compressed for te_unpack: indices of values, or a bitmap and the weights that are not 0."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.boards import Core, Isa
from tinyedge.kernels.common import storage
from tinyedge.kernels.common.c_text import Value
from tinyedge.kernels.common.pace import by_isa
from tinyedge.kernels.contract import Constant, Storage

STEM = "te_unpack"
AT_ONCE = 8
LEAST_PIXELS = 16
"""over fewer, unpacking takes more than a sixth of the time"""
CODE_BYTES: Mapping[Isa, int] = by_isa(armv6m=220, armv7m=182, dsp=182, rv32=254)


@dataclass(frozen=True, eq=False)
class Packed:
    """count of weights, filled up with 0 behind the last; values by index, none where the stream has a bitmap."""

    stream: npt.NDArray[np.uint8]
    values: npt.NDArray[np.int8]
    count: int

    @property
    def bytes(self) -> int:
        return self.stream.nbytes + self.values.nbytes

    def constants(self, prefix: str, comment: str) -> tuple[Constant, ...]:
        stream = Constant(f"{prefix}_weights", "uint8_t", self.stream, 1, comment)
        return (stream, Constant(f"{prefix}_values", "int8_t", self.values, 1)) if self.values.size else (stream,)

    def members(self, prefix: str) -> dict[str, Value]:
        """Of te_packed."""
        return {
            "stream": f"{prefix}_weights",
            "values": f"{prefix}_values" if self.values.size else "0",
            "count": self.count,
            "bits": storage.value_bits(self.values) if self.values.size else 0,
        }


class Packing(abc.ABC):
    """A way to compress weights."""

    @abc.abstractmethod
    def reason(self, weights: npt.NDArray[Any]) -> str:
        """Why weights cannot be compressed so, or gain nothing by it; empty otherwise."""

    @abc.abstractmethod
    def pack(self, weights: npt.NDArray[np.int8]) -> Packed: ...

    @abc.abstractmethod
    def form(self, packed: Packed) -> str:
        """As `Storage.form`."""

    @abc.abstractmethod
    def cycles(self, core: Core) -> float:
        """Of unpacking a weight."""

    def storage(self, packed: Packed, weights: int) -> Storage:
        return Storage(self.form(packed), packed.bytes, weights)


class Values(Packing):
    """At most 16 different weights."""

    _CYCLES = by_isa(armv6m=15.9, armv7m=10.5, dsp=10.5, rv32=10.7)

    def reason(self, weights: npt.NDArray[Any]) -> str:
        return storage.values_reason(weights)

    def pack(self, weights: npt.NDArray[np.int8]) -> Packed:
        values = storage.find_values(weights)
        assert values is not None
        bits = storage.value_bits(values)
        indices = np.pad(storage.value_indices(weights, values), (0, -len(weights) % AT_ONCE))
        spread = ((indices[:, None] >> np.arange(bits)) & 1).astype(np.uint8)
        return Packed(np.packbits(spread, bitorder="little"), values, len(indices))

    def form(self, packed: Packed) -> str:
        return f"{packed.values.size} values"

    def cycles(self, core: Core) -> float:
        return self._CYCLES[core.isa]


class Bitmap(Packing):
    """Many weights of 0."""

    _CYCLES = by_isa(armv6m=13.7, armv7m=13.2, dsp=13.2, rv32=12.3)

    def reason(self, weights: npt.NDArray[Any]) -> str:
        stored = -(-weights.size // AT_ONCE) + int(np.count_nonzero(weights))
        return storage.zeros_reason(weights, stored, "a bitmap and the others")

    def pack(self, weights: npt.NDArray[np.int8]) -> Packed:
        filled = np.pad(weights, (0, -len(weights) % AT_ONCE))
        kept = filled[filled != 0].view(np.uint8)
        stream = np.concatenate([np.packbits(filled != 0, bitorder="little"), kept])
        return Packed(stream, np.zeros(0, np.int8), len(filled))

    def form(self, packed: Packed) -> str:
        return "bitmap"

    def cycles(self, core: Core) -> float:
        return self._CYCLES[core.isa]


def pixels_reason(pixels: int) -> str:
    """Why so many pixels are too few to unpack weights for; empty when they are enough."""
    if pixels >= LEAST_PIXELS:
        return ""
    return f"{pixels} pixels are fewer than the {LEAST_PIXELS} from which on unpacking pays"

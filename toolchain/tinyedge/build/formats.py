"""Files that flash tools and bootloaders take: plain binary, Intel HEX, UF2, all from the ELF's load segments."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Iterator, Sequence

from tinyedge.build.elf import Segment
from tinyedge.errors import CheckError
from tinyedge.uf2 import PAGE_BYTES, write_uf2

ERASED = 0xFF
"""what flash holds where nothing was written"""
_LARGEST_BINARY_BYTES = 64 << 20


def to_binary(segments: Sequence[Segment]) -> bytes:
    """Memory from the lowest to the highest address, gaps as erased flash.

    Raises: CheckError when the segments overlap, or lie too far apart for one file
    """
    _check_disjoint(segments)
    if not segments:
        return b""
    start = segments[0].address
    size = segments[-1].address + len(segments[-1].data) - start
    if size > _LARGEST_BINARY_BYTES:
        raise CheckError(
            f"a plain binary would be {size:,} B, because the image has bytes at {start:#x} and {start + size - 1:#x}",
            hint="check the linker script: initial values of RAM belong behind the code (`AT > FLASH`)",
        )
    image = bytearray([ERASED]) * size
    for segment in segments:
        offset = segment.address - start
        image[offset : offset + len(segment.data)] = segment.data
    return bytes(image)


def to_intel_hex(segments: Sequence[Segment], entry: int) -> str:
    """Intel HEX with 32-bit addresses, 16 bytes a record, and the entry point.

    Source: Intel Hexadecimal Object File Format Specification, revision A (1988)
    """
    _check_disjoint(segments)
    lines = []
    upper = 0
    for address, data in _rows(segments, 16):
        if address >> 16 != upper:
            upper = address >> 16
            lines.append(_hex_record(0, 4, struct.pack(">H", upper)))
        lines.append(_hex_record(address & 0xFFFF, 0, data))
    lines.append(_hex_record(0, 5, struct.pack(">I", entry)))
    lines.append(_hex_record(0, 1, b""))
    return "".join(f"{line}\n" for line in lines)


def to_uf2(segments: Sequence[Segment], family_id: int) -> bytes:
    """UF2 for the pages of flash that the segments touch."""
    _check_disjoint(segments)
    pages: dict[int, bytearray] = {}
    for address, data in _rows(segments, PAGE_BYTES):
        base = address - address % PAGE_BYTES
        page = pages.setdefault(base, bytearray([ERASED]) * PAGE_BYTES)
        page[address - base : address - base + len(data)] = data
    return write_uf2({address: bytes(page) for address, page in pages.items()}, family_id)


def _rows(segments: Iterable[Segment], size: int) -> Iterator[tuple[int, bytes]]:
    """Pieces that do not cross a multiple of `size`."""
    for segment in segments:
        offset = 0
        while offset < len(segment.data):
            address = segment.address + offset
            piece = segment.data[offset : offset + size - address % size]
            yield address, piece
            offset += len(piece)


def _hex_record(address: int, kind: int, data: bytes) -> str:
    body = struct.pack(">BHB", len(data), address, kind) + data
    return f":{body.hex()}{-sum(body) & 0xFF:02x}".upper()


def _check_disjoint(segments: Sequence[Segment]) -> None:
    for low, high in itertools.pairwise(segments):
        if low.address + len(low.data) > high.address:
            raise CheckError(
                f"two load segments of the image overlap at {high.address:#x}",
                hint="check the load addresses (`AT >`) in the linker script",
            )

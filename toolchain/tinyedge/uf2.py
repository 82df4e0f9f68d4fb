"""UF2, the files that bootloaders take as a drive: blocks of 512 bytes that each say where their bytes belong.

Source: https://github.com/microsoft/uf2, README.md, "File format"
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from tinyedge.errors import CheckError

PAGE_BYTES = 256
"""of flash that a block of ours carries: what every bootloader takes"""
_BLOCK_BYTES = 512
_MOST_PAYLOAD_BYTES = 476
_HEAD = struct.Struct("<8I")
_END = struct.Struct("<I")
_MAGIC_START = (0x0A324655, 0x9E5D5157)
_MAGIC_END = 0x0AB16F30
_FLAG_NOT_MAIN_FLASH = 0x0001
_FLAG_FAMILY = 0x2000


@dataclass(frozen=True)
class Block:
    """One block of a UF2 file."""

    address: int
    data: bytes
    family: int | None


def write_uf2(pages: Mapping[int, bytes], family: int) -> bytes:
    """A file that writes `pages`, PAGE_BYTES each, to their addresses.

    >>> len(write_uf2({0x1000: bytes(256)}, 0xADA52840))
    512
    """
    blocks = []
    for number, (address, page) in enumerate(sorted(pages.items())):
        head = _HEAD.pack(*_MAGIC_START, _FLAG_FAMILY, address, len(page), number, len(pages), family)
        blocks.append(head + page.ljust(_MOST_PAYLOAD_BYTES, b"\0") + _END.pack(_MAGIC_END))
    return b"".join(blocks)


def read_uf2(content: bytes) -> list[Block]:
    """The blocks for main flash, each checked as a bootloader checks it. Raises: CheckError that names the block."""
    if not content or len(content) % _BLOCK_BYTES:
        raise CheckError(f"a UF2 file is made of blocks of {_BLOCK_BYTES} B; this one has {len(content):,} B")
    count = len(content) // _BLOCK_BYTES
    blocks = []
    for i in range(count):
        piece = content[i * _BLOCK_BYTES : (i + 1) * _BLOCK_BYTES]
        *magic, flags, address, size, number, total, family = _HEAD.unpack_from(piece)
        (end,) = _END.unpack_from(piece, _BLOCK_BYTES - _END.size)
        if tuple(magic) != _MAGIC_START or end != _MAGIC_END:
            raise CheckError(f"block {i} of the UF2 file has no magic numbers")
        if (number, total) != (i, count):
            raise CheckError(f"block {i} of {count} of the UF2 file says it is block {number} of {total}")
        if size > _MOST_PAYLOAD_BYTES:
            raise CheckError(f"block {i} of the UF2 file claims {size:,} B, of which {_MOST_PAYLOAD_BYTES} B fit")
        if not flags & _FLAG_NOT_MAIN_FLASH:
            data = piece[_HEAD.size : _HEAD.size + size]
            blocks.append(Block(address, data, family if flags & _FLAG_FAMILY else None))
    return blocks

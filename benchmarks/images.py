"""Whether the files of an image are what a board's boot and its flash tools want, read back by readers of their own."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from tinyedge.artifacts import Image
from tinyedge.boards import Board, Isa
from tinyedge.build.elf import Elf, read_elf
from tinyedge.errors import CheckError
from tinyedge.flash.uf2 import check_uf2
from tinyedge.uf2 import read_uf2

_BOOT2_BYTES = 256
_PICOBIN = struct.pack("<I", 0xFFFFDED3)
_PICOBIN_WITHIN = 4096
_DIRECT_BOOT = struct.pack("<2I", 0xAEDB041D, 0xAEDB041D)


def check_image(board: Board, image: Image) -> tuple[str, ...]:
    """What was checked, by name: `elf` (in the board's flash and RAM), `vectors` or `boot`, `hex`, `uf2`.

    Raises: CheckError with the first thing that is wrong
    """
    if board.core.isa is Isa.NATIVE:
        return ()
    elf = read_elf(image.elf)
    assert image.bin is not None, "a board's image has a binary"
    assert image.hex is not None, "a board's image has a HEX file"
    content = image.bin.read_bytes()
    _check_elf(board, elf, image, content)
    checked = ["elf"]
    if board.core.isa is not Isa.RV32IMC:
        start = _BOOT2_BYTES if board.chip == "RP2040" else 0
        _check_vectors(board, content[start:], elf.entry)
        checked.append("vectors")
    if boot := _BOOTS.get(board.chip):
        boot(content)
        checked.append("boot")
    _expect(read_hex(image.hex) == {s.address: s.data for s in _joined(elf)}, "the HEX file does not hold the ELF")
    checked.append("hex")
    if image.uf2 is not None:
        uf2 = image.uf2.read_bytes()
        check_uf2(uf2, board)
        pages = {block.address: block.data for block in read_uf2(uf2)}
        first = min(pages)
        whole = b"".join(pages.get(address, b"\xff" * 256) for address in range(first, max(pages) + 256, 256))
        _expect(whole[board.flash_start - first :][: len(content)] == content, "the UF2 file does not hold the image")
        checked.append("uf2")
    return tuple(checked)


def read_hex(path: Path) -> dict[int, bytes]:
    """Runs of bytes by their first address. Raises: CheckError for a record that is broken."""
    runs: dict[int, bytearray] = {}
    upper = end = -1
    for number, line in enumerate(path.read_text("ascii").splitlines(), 1):
        record = bytes.fromhex(line.removeprefix(":"))
        _expect(line.startswith(":") and len(record) == record[0] + 5, f"line {number} of the HEX file is cut")
        _expect(sum(record) & 0xFF == 0, f"line {number} of the HEX file has a wrong checksum")
        kind, data = record[3], bytes(record[4:-1])
        if kind == 4:
            upper = int.from_bytes(data, "big")
        elif kind == 0:
            address = (max(upper, 0) << 16) + int.from_bytes(record[1:3], "big")
            start = next(reversed(runs)) if runs and address == end else address
            runs.setdefault(start, bytearray()).extend(data)
            end = address + len(data)
    return {start: bytes(data) for start, data in runs.items()}


class _Run:
    """Segments without a gap between them."""

    def __init__(self, address: int, data: bytes) -> None:
        self.address, self.data = address, data


def _joined(elf: Elf) -> list[_Run]:
    runs: list[_Run] = []
    for segment in elf.segments:
        if runs and runs[-1].address + len(runs[-1].data) == segment.address:
            runs[-1].data += segment.data
        else:
            runs.append(_Run(segment.address, segment.data))
    return runs


def _check_elf(board: Board, elf: Elf, image: Image, content: bytes) -> None:
    first, last = elf.segments[0], elf.segments[-1]
    _expect(first.address == board.flash_start, f"the image starts at {first.address:#x}, not {board.flash_start:#x}")
    end = last.address + len(last.data)
    _expect(end <= board.flash.end, f"the image ends at {end:#x}, the flash at {board.flash.end:#x}")
    _expect(end - first.address == len(content), f"the binary has {len(content):,} B, not {end - first.address:,} B")
    for segment in elf.segments:
        offset = segment.address - first.address
        _expect(content[offset : offset + len(segment.data)] == segment.data, "the binary does not hold the ELF")
    size = image.size
    _expect(size.flash_bytes <= size.flash_limit_bytes == board.flash_limit_bytes, "the flash is too small")
    _expect(size.ram_bytes <= size.ram_limit_bytes, "the RAM is too small")


def _check_vectors(board: Board, content: bytes, entry: int) -> None:
    stack, reset = struct.unpack_from("<2I", content)
    _expect(board.ram.start < stack <= board.ram.end, f"the first vector, the stack, is {stack:#x}: not in RAM")
    _expect(bool(reset & 1) and reset & ~1 == entry & ~1, f"the reset vector is {reset:#x}, the entry {entry:#x}")


def _check_boot2(content: bytes) -> None:
    """Source: RP2040 data sheet, 2.8.1.3.1: CRC-32 of polynomial 0x04C11DB7, highest bit first, in the last word."""
    crc = 0xFFFFFFFF
    for byte in content[: _BOOT2_BYTES - 4]:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc >> 31 else 0)) & 0xFFFFFFFF
    (said,) = struct.unpack_from("<I", content, _BOOT2_BYTES - 4)
    _expect(crc == said, f"the second stage of the boot has CRC {crc:#010x}, and says {said:#010x}")


def _check_picobin(content: bytes) -> None:
    """Source: RP2350 data sheet, 5.9: a block loop, whose start is in the first 4 kB."""
    _expect(_PICOBIN in content[:_PICOBIN_WITHIN], "there is no block for the boot ROM in the first 4,096 B")


def _check_direct_boot(content: bytes) -> None:
    """Source: Espressif, esp32c3-direct-boot-example."""
    _expect(content.startswith(_DIRECT_BOOT), "the words that ask the ROM to start the image are missing")


_BOOTS: dict[str, Callable[[bytes], None]] = {
    "RP2040": _check_boot2,
    "RP2350A": _check_picobin,
    "ESP32-C3": _check_direct_boot,
}
"""Chip -> what its boot ROM looks for."""


def _expect(holds: bool, otherwise: str) -> None:
    if not holds:
        raise CheckError(otherwise)

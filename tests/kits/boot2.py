"""The second stage of the RP2040's boot, compiled from its source; the CRC that the boot ROM checks."""

from __future__ import annotations

import os
from pathlib import Path

from tinyedge import process
from tinyedge.build.elf import read_elf

PAYLOAD_BYTES = 252
_SCRIPT = """\
PHDRS { code PT_LOAD; }
SECTIONS { .text 0x20041f00 : { *(.start) *(.text .text.*) *(.rodata .rodata.*) } :code /DISCARD/ : { *(.ARM.*) } }
"""


def compile_boot2(source: Path, folder: Path) -> bytes:
    """256 bytes: code, zeros, CRC."""
    script, elf = folder / "boot2.ld", folder / "boot2.elf"
    script.write_text(_SCRIPT)
    command = process.python_module(
        "ziglang", "cc", "-target", "thumb-freestanding-eabi", "-mcpu=cortex_m0plus", "-Os", "-std=c99", "-Wall",
        "-Wextra", "-Wconversion", "-Werror", "-g0", "-fno-sanitize=undefined", "-fomit-frame-pointer",
        "-fno-unwind-tables", "-nostdlib", "-T", os.fspath(script), "-Wl,-e,start", os.fspath(source), "-o",
        os.fspath(elf),
    )  # fmt: skip
    process.run(command, timeout_s=120.0)
    (segment,) = read_elf(elf).segments
    assert len(segment.data) <= PAYLOAD_BYTES, len(segment.data)
    code = segment.data.ljust(PAYLOAD_BYTES, b"\0")
    return code + crc32_mpeg2(code).to_bytes(4, "little")


def crc32_mpeg2(data: bytes) -> int:
    """CRC-32 with polynomial 0x04C11DB7 from 0xFFFFFFFF, the highest bit first, no final inversion.

    Source: RP2040 data sheet, 2.8.1.3.1 Checksum

    >>> hex(crc32_mpeg2(b"123456789"))
    '0x376e6e7'
    """
    crc = 0xFFFF_FFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C1_1DB7 if crc >> 31 else 0)) & 0xFFFF_FFFF
    return crc

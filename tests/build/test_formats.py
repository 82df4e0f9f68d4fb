"""Files for flash tools, read back by other readers."""

from __future__ import annotations

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intelhex import IntelHex

from tinyedge.build.elf import Segment
from tinyedge.build.formats import to_binary, to_intel_hex, to_uf2
from tinyedge.errors import CheckError

SEGMENTS = (Segment(0x1000_FFF5, bytes(range(40))), Segment(0x1001_0100, b"\x01\x02\x03"))


def read_uf2(data: bytes) -> tuple[dict[int, bytes], set[int]]:
    """Address -> payload, and the family ids, after the rules of the UF2 specification."""
    assert len(data) % 512 == 0
    payloads, families = {}, set()
    for number in range(len(data) // 512):
        block = data[512 * number : 512 * (number + 1)]
        magic0, magic1, flags, address, size, block_number, blocks, family = struct.unpack_from("<8I", block)
        assert (magic0, magic1) == (0x0A324655, 0x9E5D5157)
        assert struct.unpack_from("<I", block, 508) == (0x0AB16F30,)
        assert flags == 0x2000
        assert (block_number, blocks, size) == (number, len(data) // 512, 256)
        assert address % 256 == 0
        assert block[32 + 256 : 508] == bytes(476 - 256)
        payloads[address] = block[32 : 32 + size]
        families.add(family)
    return payloads, families


@st.composite
def disjoint_segments(draw: st.DrawFn) -> tuple[Segment, ...]:
    segments, address = [], draw(st.integers(0, 0xF000_0000))
    for _ in range(draw(st.integers(1, 4))):
        data = draw(st.binary(min_size=1, max_size=600))
        segments.append(Segment(address, data))
        address += len(data) + draw(st.integers(0, 70_000))
    return tuple(segments)


@given(disjoint_segments(), st.integers(0, 0xFFFF_FFFF))
def test_intel_hex_holds_every_byte_at_its_address(segments: tuple[Segment, ...], entry: int) -> None:
    read = IntelHex(io.StringIO(to_intel_hex(segments, entry)))
    expected = {s.address + offset: byte for s in segments for offset, byte in enumerate(s.data)}
    assert {address: read[address] for address in read.addresses()} == expected
    assert read.start_addr == {"EIP": entry}


@given(disjoint_segments())
def test_binary_and_uf2_agree_on_every_byte(segments: tuple[Segment, ...]) -> None:
    start = segments[0].address
    binary = to_binary(segments)
    pages, families = read_uf2(to_uf2(segments, 0xADA52840))
    assert families == {0xADA52840}
    for segment in segments:
        offset = segment.address - start
        assert binary[offset : offset + len(segment.data)] == segment.data
        from_uf2 = bytes(
            pages[a - a % 256][a % 256] for a in range(segment.address, segment.address + len(segment.data))
        )
        assert from_uf2 == segment.data
    covered = {s.address + offset for s in segments for offset in range(len(s.data))}
    assert all(byte == 0xFF for at, byte in enumerate(binary, start) if at not in covered)
    assert all(page[at] == 0xFF for a, page in pages.items() for at in range(256) if a + at not in covered)


def test_intel_hex_text() -> None:
    lines = to_intel_hex(SEGMENTS, 0x1001_0001).splitlines()
    assert lines == [
        ":020000041000EA",
        ":0BFFF500000102030405060708090ACA",
        ":020000041001E9",
        ":100000000B0C0D0E0F101112131415161718191AC8",
        ":0D0010001B1C1D1E1F202122232425262736",
        ":03010000010203F6",
        ":0400000510010001E5",
        ":00000001FF",
    ]


def test_no_segments() -> None:
    assert to_binary(()) == b""
    assert to_uf2((), 1) == b""
    assert to_intel_hex((), 0).splitlines() == [":0400000500000000F7", ":00000001FF"]


def test_overlapping_segments_are_refused() -> None:
    overlap = (Segment(0x100, b"abcd"), Segment(0x103, b"e"))
    with pytest.raises(CheckError, match="two load segments of the image overlap at 0x103"):
        to_binary(overlap)
    with pytest.raises(CheckError):
        to_intel_hex(overlap, 0)
    with pytest.raises(CheckError):
        to_uf2(overlap, 0)


def test_a_binary_from_flash_to_ram_is_refused() -> None:
    with pytest.raises(CheckError, match="a plain binary would be 536,870,913 B") as caught:
        to_binary((Segment(0, b"code"), Segment(0x2000_0000, b"d")))
    assert "linker script" in caught.value.hint

"""The size table of ELFs whose contents are known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kits.tiny_firmware import make_board, make_project
from tinyedge.boards import Memory
from tinyedge.build import build_image, check_size, measure_size
from tinyedge.build.elf import Elf, Section, Symbol, read_elf
from tinyedge.build.size import size_of
from tinyedge.errors import CheckError, ToolError

KNOWN = Elf(
    entry=0x9,
    sections=(
        Section(".text", 0x0, 0x0, 1001, 8, stored=True),
        Section(".stack", 0x2000_0000, 0x2000_0000, 1024, 8, stored=False),
        Section(".data", 0x2000_0400, 1004, 20, 4, stored=True),
        Section(".bss", 0x2000_0418, 0x2000_0418, 100, 8, stored=False),
    ),
    segments=(),
    symbols=(
        Symbol("work", ".text", 0x10, 200),
        Symbol("table", ".text", 0x100, 700),
        Symbol("arena", ".bss", 0x2000_0418, 96),
        Symbol("gone", ".debug_info", 0x0, 999),
    ),
)


def test_known_sections() -> None:
    table = size_of(KNOWN, make_board())
    assert table.sections == ((".text", 1001, 0), (".stack", 0, 1024), (".data", 20, 20), (".bss", 0, 100))
    assert table.flash_bytes == 1001 + 3 + 20  # three bytes align .data
    assert table.ram_bytes == 1024 + 20 + 4 + 100
    assert (table.flash_limit_bytes, table.ram_limit_bytes) == (65_536, 16_384)
    assert [(s.name, s.section, s.bytes) for s in table.symbols] == [
        ("table", ".text", 700),
        ("work", ".text", 200),
        ("arena", ".bss", 96),
    ]


def test_a_bootloader_takes_its_part_of_flash() -> None:
    board = replace(make_board(), flash_start=0x4000)
    assert size_of(KNOWN, board).flash_limit_bytes == 65_536 - 0x4000


def test_a_second_ram_counts_when_it_is_used() -> None:
    board = make_board()
    board = replace(board, memories=(*board.memories, Memory("ram2", 0x3000_0000, 2048)))
    assert size_of(KNOWN, board).ram_limit_bytes == 16_384
    more = Section(".more", 0x3000_0000, 0x3000_0000, 10, 1, stored=False)
    table = size_of(replace(KNOWN, sections=(*KNOWN.sections, more)), board)
    assert (table.ram_bytes, table.ram_limit_bytes) == (1148 + 10, 16_384 + 2048)


def test_check_size_names_only_what_matters() -> None:
    table = size_of(KNOWN, make_board(flash_bytes=1000))
    with pytest.raises(CheckError) as caught:
        check_size(table, "kws", make_board(flash_bytes=1000))
    assert str(caught.value) == (
        "model `kws` needs 1,024 B of flash; board `tiny` has 1,000 B (24 B too few)\n"
        "       largest in flash: `table` (.text) = 700 B, `work` (.text) = 200 B"
    )
    check_size(size_of(KNOWN, make_board()), "kws", make_board())


def test_a_real_elf(compiler: str, tmp_path: Path) -> None:
    image = build_image(make_project(arena_bytes=4096, weights_bytes=3000), tmp_path, compiler)
    table = measure_size(image.elf, make_board())
    assert table == image.size
    assert table.ram_bytes == 1024 + 4 + 4096
    assert {name: ram for name, _, ram in table.sections} == {
        ".text": 0,
        ".stack": 1024,
        ".data": 4,
        ".bss": 4096,
    }
    sizes = {symbol.name: symbol.bytes for symbol in table.symbols}
    assert (sizes["arena"], sizes["weights"], sizes["gain"], sizes["vectors"]) == (4096, 3000, 4, 8)
    assert table.symbols[0].name == "arena"
    assert sum(flash for _, flash, _ in table.sections) == table.flash_bytes


def test_hostile_files(compiler: str, tmp_path: Path) -> None:
    whole = build_image(make_project(), tmp_path, compiler).elf.read_bytes()
    path = tmp_path / "broken.elf"
    for content in (b"", b"\x7fELF", b"no elf at all" * 10, *(whole[: len(whole) * n // 13] for n in range(1, 13))):
        path.write_bytes(content)
        with pytest.raises(ToolError, match=r"`broken\.elf` is not a whole ELF file"):
            read_elf(path)
    for at in range(52 + 32 * 4):
        path.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
        try:
            read_elf(path)
        except ToolError:
            continue

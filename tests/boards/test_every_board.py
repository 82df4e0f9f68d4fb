"""Every board: its firmware links with warnings as errors, fits, and runs bit-exact where an emulator has it."""

from __future__ import annotations

import dataclasses
import shutil
import struct
from pathlib import Path

import pytest

from kits.boot2 import PAYLOAD_BYTES, compile_boot2, crc32_mpeg2
from kits.net import Net, weights
from tinyedge.artifacts import Image, Plan, Silence
from tinyedge.boards import Board, Isa, list_boards, load_board
from tinyedge.build import build_image, make_flags
from tinyedge.build.elf import read_elf
from tinyedge.build.flags import supports_gcc
from tinyedge.emulate.unicorn.host import UnicornEmulator
from tinyedge.errors import ToolError
from tinyedge.generate import generate_project
from tinyedge.jobs.build import build as build_model
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import prepare
from tinyedge.jobs.run import run

BOARDS = [board for board in list_boards() if board.core.isa is not Isa.NATIVE]
PICOBIN_START, PICOBIN_END = 0xFFFF_DED3, 0xAB12_3579
DIRECT_BOOT = struct.pack("<2I", 0xAEDB_041D, 0xAEDB_041D)


def choices(small: Path, board: str, compiler: str = "zig") -> Choices:
    return Choices(str(small), board, compiler, None, small.parent / "build")


def build(small: Path, board: str, compiler: str = "zig") -> Image:
    return build_model(choices(small, board, compiler), Silence()).image


def vectors_of(board: Board) -> int:
    """Where a Cortex-M finds its vector table."""
    return board.flash_start + (256 if board.chip == "RP2040" else 0)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
def test_it_links_fits_and_runs(small: Path, board: Board) -> None:
    if "unicorn" in board.emulators:
        measured = run(choices(small, board.name), Silence(), emulator_name="unicorn", samples=1)
        assert (measured.run.mismatches, measured.run.notes) == (0, ())
        assert measured.run.instructions is not None
        assert measured.run.cycles is not None
        image = measured.built.image
    else:
        image = build(small, board.name)
    elf = read_elf(image.elf)
    assert image.size.flash_bytes <= board.flash_limit_bytes
    assert image.size.ram_bytes <= board.ram.size_bytes
    assert elf.segments[0].address == board.flash_start
    assert image.bin is not None
    if board.core.isa is not Isa.RV32IMC:
        stack, reset = struct.unpack_from("<2I", image.bin.read_bytes(), vectors_of(board) - board.flash_start)
        assert board.ram.start < stack <= board.ram.end
        assert board.flash_start < reset < board.flash.end
        assert reset & 1, "the Thumb bit"
        assert reset & ~1 == elf.entry & ~1


@pytest.mark.slow
@pytest.mark.toolchain
@pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="no arm-none-eabi-gcc: apt-get install gcc-arm-none-eabi"
)
@pytest.mark.parametrize("board", [board for board in BOARDS if supports_gcc(board.core)], ids=lambda board: board.name)
def test_it_links_with_gcc(small: Path, board: Board) -> None:
    assert 0 < build(small, board.name, "gcc").size.flash_bytes <= board.flash_limit_bytes


def test_a_counter_of_24_bits_counts_32(small: Path) -> None:
    """An inference on a Cortex-M0+ that is longer than a turn of SysTick: ticks and emulated cycles still agree."""
    large = small.with_name("large.tflite")
    net = Net()
    node = net.input((1, 40, 40, 16))
    for seed in range(3):
        node = net.conv(node, weights(seed, 16, 3, 3, 16))
    large.write_bytes(net.builder.build(net.inputs, [node.key]))
    measured = run(choices(large, "nucleo_g0b1re"), Silence(), emulator_name="unicorn", samples=2)
    assert (measured.run.mismatches, measured.run.notes) == (0, ())
    assert measured.run.cycles is not None
    assert measured.run.cycles.value > 1 << 24


def test_files_name_the_emulator_that_can() -> None:
    """What Unicorn can run has it in its file."""
    for board in BOARDS:
        assert ("unicorn" in board.emulators) == (UnicornEmulator().supports(board) == ""), board.name


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("nucleo_f446re", {"clock_hz": 168_000_000}),
        ("nucleo_l4r5zi", {"clock_hz": 80_000_000}),
        ("rpi_pico2", {"clock_hz": 125_000_000}),
        ("hifive1_revb", {"clock_hz": 320_000_000}),
        ("nrf5340dk", {"clock_hz": 64_000_000}),
    ],
)
def test_a_clock_that_cannot_be_does_not_compile(
    small: Path, tmp_path: Path, name: str, changed: dict[str, int]
) -> None:
    prepared = prepare(choices(small, name), Silence())
    board = dataclasses.replace(load_board(name), **changed)
    assert isinstance(prepared.plan, Plan)
    project = generate_project(prepared.plan, prepared.model, board, selftest_crc=0, make_flags=make_flags(board))
    with pytest.raises(ToolError, match=r"error: .*(clock_hz|MHz)"):
        build_image(project, tmp_path)


def uf2_families(content: bytes) -> set[int]:
    assert len(content) % 512 == 0
    return {struct.unpack_from("<I", content, offset + 28)[0] for offset in range(0, len(content), 512)}


@pytest.mark.parametrize(
    ("name", "family"), [("rpi_pico", 0xE48BFF56), ("rpi_pico2", 0xE48BFF59), ("seeed_xiao_nrf52840", 0xADA52840)]
)
def test_uf2_of_the_right_family(small: Path, name: str, family: int) -> None:
    image = build(small, name)
    assert image.uf2 is not None
    assert uf2_families(image.uf2.read_bytes()) == {family}


def test_rp2040_second_stage_is_its_source_with_the_crc(small: Path, root: Path, tmp_path: Path) -> None:
    image = build(small, "rpi_pico")
    assert image.bin is not None
    stage = image.bin.read_bytes()[:256]
    assert crc32_mpeg2(stage[:PAYLOAD_BYTES]) == int.from_bytes(stage[PAYLOAD_BYTES:], "little")
    assert stage == compile_boot2(root / "firmware_templates" / "bsp" / "rp2040_boot2.c", tmp_path)


def test_rp2350_block_is_where_the_boot_rom_looks(small: Path) -> None:
    image = build(small, "rpi_pico2")
    assert image.bin is not None
    first = image.bin.read_bytes()[:4096]
    start = first.index(PICOBIN_START.to_bytes(4, "little"))
    assert start % 4 == 0
    _, item, last, link, end = struct.unpack_from("<5I", first, start)
    kind, words, flags = item & 0xFF, item >> 8 & 0xFF, item >> 16
    assert (kind, words, flags) == (0x42, 1, 0x1021), "image type: executable, secure, Arm, RP2350"
    assert last == 0xFF | words << 8
    assert (link, end) == (0, PICOBIN_END)


def test_esp32c3_starts_without_a_bootloader(small: Path) -> None:
    board = load_board("esp32c3_devkitm")
    image = build(small, board.name)
    assert image.bin is not None
    content = image.bin.read_bytes()
    assert content.startswith(DIRECT_BOOT)
    auipc, jump = struct.unpack_from("<2I", content, len(DIRECT_BOOT))
    assert auipc & 0x7F == 0x17, "the jump to the startup code lies right behind"
    assert jump & 0x7F == 0x67
    offset = (auipc & 0xFFFF_F000) + (jump >> 20 ^ 0x800) - 0x800
    assert (board.flash_start + len(DIRECT_BOOT) + offset) & 0xFFFF_FFFF == read_elf(image.elf).entry


def test_esp32c3_constants_lie_where_loads_see_them(small: Path) -> None:
    board = load_board("esp32c3_devkitm")
    elf = read_elf(build(small, board.name).elf)
    constants = next(section for section in elf.sections if section.name == ".rodata")
    data = board.memory("flash_data")
    assert data.start < constants.address < data.end
    assert constants.address - data.start == constants.load_address - board.flash.start

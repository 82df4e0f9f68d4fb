"""Boards and images by hand for the tests of flash tools."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from kits.artifacts_by_hand import size_table
from tinyedge.artifacts import Image
from tinyedge.boards import CORES, Board, Memory

OPTIONS = {
    "pyocd": "nrf52840",
    "openocd": "interface/jlink.cfg target/nrf52.cfg",
    "probe-rs": "nRF52840_xxAA",
    "jlink": "nRF52840_xxAA",
    "esptool": "esp32c3",
    "nrfutil": "2886:0044 2886:0045",
    "bossac": "2341:005a",
    "gdb": "black-magic-probe",
    "uf2_family": "0xADA52840",
    "uf2_board": "nRF52840-SeeedXiao-v1",
}
TOOLS = ("pyocd", "openocd", "probe-rs", "jlink", "esptool", "nrfutil", "bossac", "st-flash", "gdb", "uf2")


def board(core: str = "cortex-m4f", *, flash_start: int = 0x2_7000, **options: str) -> Board:
    """A board that every tool could flash; `options` replace OPTIONS."""
    return Board(
        name="test_board",
        title="A board for tests",
        aliases=(),
        chip="nRF52840",
        family="nrf52",
        core=CORES[core],
        clock_hz=64_000_000,
        memories=(Memory("flash", 0, 1_048_576), Memory("ram", 0x2000_0000, 262_144)),
        flash_start=flash_start,
        console={"kind": "stdio"},
        flashers=TOOLS,
        flash_options={**OPTIONS, **options},
        emulators=("unicorn",),
        usb_ids=((0x1366, 0x1015),),
        sources={},
    )


def without_option(some: Board, key: str) -> Board:
    """The board whose file lacks one option."""
    return dataclasses.replace(some, flash_options={k: v for k, v in some.flash_options.items() if k != key})


def image(folder: Path = Path("/build")) -> Image:
    """An image of which no file needs to exist."""
    return Image(
        elf=folder / "firmware.elf",
        hex=folder / "firmware.hex",
        bin=folder / "firmware.bin",
        uf2=folder / "firmware.uf2",
        size=size_table(),
        compiler="zig 0.17.0",
        project_digest="b" * 64,
        digest="e" * 64,
    )

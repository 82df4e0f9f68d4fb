"""Every board file, held against the tools: known names, all options there, names that the tools know."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import pytest

from kits.flash_boards import image
from tinyedge.boards import Board, Isa, list_boards
from tinyedge.flash import FLASHERS, flasher
from tinyedge.flash.contract import usb_ids_of

PAIRS = [(board, tool) for board in list_boards() for tool in board.flashers]
KEYS = {*FLASHERS, "uf2_family", "uf2_board", "esptool_offset"} - {"uf2", "st-flash"}
AFTER_0_12 = {"target/rp2350.cfg", "target/nordic/nrf53.cfg"}
"""configuration files of OpenOCD's repository that its release 0.12 lacks"""
OPENOCD_SCRIPTS = (Path("/usr/share/openocd/scripts"), Path("/usr/local/share/openocd/scripts"))


def named(value: object) -> str:
    return value.name if isinstance(value, Board) else str(value)


@pytest.mark.parametrize(("board", "tool"), PAIRS, ids=named)
def test_a_board_gives_its_tools_what_they_need(board: Board, tool: str) -> None:
    assert flasher(tool).describe(image(), board, "P")
    if tool in ("bossac", "nrfutil"):
        assert usb_ids_of(board, tool)


@pytest.mark.parametrize("board", list_boards(), ids=named)
def test_every_option_is_of_a_tool(board: Board) -> None:
    assert set(board.flash_options) <= KEYS
    for key in board.flash_options:
        if key in FLASHERS:
            assert key in board.flashers, f"`{key}` is set up, but not among `flashers`"


@pytest.mark.parametrize("board", [board for board in list_boards() if "uf2" in board.flashers], ids=named)
def test_uf2_ids(board: Board) -> None:
    assert 0 < int(board.flash_options["uf2_family"], 0) < 1 << 32
    assert board.flash_options["uf2_board"].split()


def pyocd_targets() -> set[str]:
    """The names that pyOCD knows without a pack, as `pyocd list --targets` prints them."""
    from pyocd.target import TARGET

    return set(TARGET)


@pytest.mark.parametrize("board", [board for board in list_boards() if "pyocd" in board.flashers], ids=named)
@pytest.mark.skipif(importlib.util.find_spec("pyocd") is None, reason="no pyOCD: the extra `flash` brings it")
@pytest.mark.filterwarnings("ignore")
def test_pyocd_knows_the_target(board: Board) -> None:
    assert board.flash_options["pyocd"] in pyocd_targets()


@pytest.mark.parametrize("board", [board for board in list_boards() if "esptool" in board.flashers], ids=named)
@pytest.mark.skipif(importlib.util.find_spec("esptool") is None, reason="no esptool: the extra `flash` brings it")
@pytest.mark.filterwarnings("ignore")
def test_esptool_knows_the_chip(board: Board) -> None:
    from esptool import CHIP_LIST

    assert board.flash_options["esptool"] in CHIP_LIST


@pytest.mark.toolchain
@pytest.mark.parametrize("board", [board for board in list_boards() if "openocd" in board.flashers], ids=named)
def test_openocd_has_the_files(board: Board) -> None:
    folder = next((folder for folder in OPENOCD_SCRIPTS if folder.is_dir()), None)
    if folder is None:
        pytest.skip("no OpenOCD: apt-get install openocd")
    missing = {name for name in board.flash_options["openocd"].split() if not (folder / name).is_file()}
    assert missing <= AFTER_0_12
    kinds = {name.partition("/")[0] for name in board.flash_options["openocd"].split()}
    assert "board" in kinds or {"interface", "target"} <= kinds, "without an adapter OpenOCD cannot start"


def test_boards_that_can_be_touched_can_be_flashed() -> None:
    """Emulated machines and this computer aside, a board without a tool would be of no use."""
    for board in list_boards():
        real = board.core.isa is not Isa.NATIVE and "QEMU" not in board.title
        assert bool(board.flashers) or not real, board.name


def test_images_carry_uf2_where_it_is_flashed() -> None:
    without = dataclasses.replace(image(), uf2=None)
    assert without.uf2 is None
    for board in list_boards():
        assert ("uf2" in board.flashers) <= ("uf2_family" in board.flash_options), board.name

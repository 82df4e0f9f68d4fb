"""Consoles from 9,600 to 1,000,000 baud: the firmware of every chip family is built for them, and talks."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from tinyedge.artifacts import Image, Plan, Silence
from tinyedge.boards import Board, list_boards, load_board
from tinyedge.build import build_image, make_flags
from tinyedge.build.elf import read_elf
from tinyedge.console.contract import Console
from tinyedge.emulate import emulator
from tinyedge.errors import ToolError
from tinyedge.generate import generate_project
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.prepare import prepare
from tinyedge.measure.reference import selftest_crc
from tinyedge.measure.session import Session

RATES = (9_600, 1_000_000)
FAMILIES = {board.family: board.name for board in list_boards() if "baud" in board.console and board.memories}
"""Family -> one board of it."""


def build(small: Path, folder: Path, name: str, baud: int) -> tuple[Image, Board]:
    """The small model for a board whose console is that fast."""
    prepared = prepare(Choices(str(small), name, "zig", None, small.parent / "build"), Silence())
    board = load_board(name)
    board = dataclasses.replace(board, console=board.console | {"baud": baud})
    assert isinstance(prepared.plan, Plan)
    crc = selftest_crc(prepared.plan.graph)
    flags = make_flags(board)
    return build_image(
        generate_project(prepared.plan, prepared.model, board, selftest_crc=crc, make_flags=flags), folder
    ), board


@pytest.mark.slow
@pytest.mark.parametrize("baud", RATES)
@pytest.mark.parametrize("name", FAMILIES.values(), ids=FAMILIES)
def test_every_family_talks_at_it(small: Path, tmp_path: Path, name: str, baud: int) -> None:
    image, board = build(small, tmp_path, name, baud)
    assert read_elf(image.elf).segments
    emulators = [each for each in board.emulators if each == "unicorn" or shutil.which("qemu-system-arm")]
    if not emulators:
        pytest.skip("no QEMU: apt-get install qemu-system-arm")
    console: Console = emulator(emulators[0], board).start(image, board)
    try:
        hello = Session(console).wait_for_banner()
    finally:
        console.close()
    assert (hello.board, hello.selftest) == (name, "ok")


@pytest.mark.slow
def test_a_rate_that_the_divider_cannot_make_does_not_compile(small: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="the LPUART cannot go as slowly as `baud`"):
        build(small, tmp_path, "nucleo_l4r5zi", 4_800)

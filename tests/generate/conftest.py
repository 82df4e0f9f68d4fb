"""The project made from the plan made by hand, for each board."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from kits.hand_plan import hand_model, hand_plan, selftest_crc
from tinyedge.artifacts import FirmwareProject
from tinyedge.boards import load_board
from tinyedge.build import make_flags
from tinyedge.generate import generate_project

MakeProject = Callable[[str], FirmwareProject]


@pytest.fixture(scope="session")
def make_project() -> MakeProject:
    def make(board_name: str) -> FirmwareProject:
        board = load_board(board_name)
        return generate_project(
            hand_plan(), hand_model(), board, selftest_crc=selftest_crc(), make_flags=make_flags(board)
        )

    return make


@pytest.fixture(params=["zig", "gcc"])
def compiler(request: pytest.FixtureRequest) -> str:
    """Each compiler for boards that is there."""
    if request.param == "gcc" and shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no arm-none-eabi-gcc: `apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi`")
    return str(request.param)

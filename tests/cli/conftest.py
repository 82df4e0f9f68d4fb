"""A model that is built once, and the board that runs it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kits.board_on_line import EmulatedFirmware, Line, on_terminal
from kits.cli import tinyedge
from kits.models import small_convolution
from kits.once import made_once
from kits.processes import make_program

PYOCD = """
case "$1" in
--version) echo 0.46.0 ;;
load) echo "$@" > {folder}/written ;;
commander) echo "All 10,204 bytes match." ;;
esac
"""


def _make(folder: Path) -> None:
    (folder / "small.tflite").write_bytes(small_convolution())
    outcome = tinyedge("build", "small.tflite", "-b", "nrf52840", cwd=folder)
    assert outcome.code == 0, outcome.stderr
    # Kept aside: a test that builds it otherwise writes over the one in the build folder.
    shutil.copy(folder / "build" / "small" / "nrf52840dk-zig" / "build" / "firmware.elf", folder / "firmware.elf")


@pytest.fixture
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small.tflite, built for the nRF52840."""
    return made_once(tmp_path_factory, "small_for_nrf52840", _make)


@pytest.fixture
def firmware(small_folder: Path) -> Iterator[EmulatedFirmware]:
    """The image in the emulator."""
    with contextlib.closing(EmulatedFirmware(small_folder / "firmware.elf", "nrf52840dk")) as firmware:
        yield firmware


@pytest.fixture
def board_line(firmware: EmulatedFirmware) -> Iterator[tuple[str, Line]]:
    """(device, line) of a board that runs the image."""
    with on_terminal(firmware) as (port, line):
        yield port, line


@pytest.fixture
def with_pyocd(tmp_path: Path) -> dict[str, str]:
    """An environment whose pyOCD always succeeds; it leaves `written` in tmp_path."""
    make_program(tmp_path / "bin", "pyocd", PYOCD.format(folder=tmp_path))
    return {"PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}

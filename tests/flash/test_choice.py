"""Which tool is taken, and what is said when there is none."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from kits.flash_boards import board
from kits.processes import make_program
from tinyedge.errors import ToolError, UsageError
from tinyedge.flash import choose_flasher, flasher
from tinyedge.flash.command import CommandFlasher

PROGRAMS = ("openocd", "probe-rs", "st-flash")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def test_the_first_that_is_installed(path: Path) -> None:
    some = dataclasses.replace(board(), flashers=PROGRAMS)
    make_program(path, "st-flash", "echo v1.7.0")
    assert choose_flasher(some).name == "st-flash"
    make_program(path, "openocd", "echo Open On-Chip Debugger 0.12.0 >&2")
    assert choose_flasher(some).name == "openocd"
    assert choose_flasher(some).available().version == "0.12.0"
    assert choose_flasher(some, "st-flash").name == "st-flash"


def test_none_is_installed(path: Path) -> None:
    some = dataclasses.replace(board(), flashers=PROGRAMS)
    with pytest.raises(ToolError, match="no tool that flashes board `test_board` is installed") as caught:
        choose_flasher(some)
    for tool in PROGRAMS:
        assert f"\n       {tool}" in caught.value.what
        assert flasher(tool).available().install in caught.value.what
    assert choose_flasher(some, installed=False).name == "openocd"


def test_the_named_one_is_not_installed(path: Path) -> None:
    with pytest.raises(ToolError, match=r"st-flash  `apt-get install stlink-tools`"):
        choose_flasher(board(), "st-flash")
    assert choose_flasher(board(), "st-flash", installed=False).name == "st-flash"


def test_a_tool_that_does_not_exist() -> None:
    with pytest.raises(UsageError, match="there is no flash tool `pyocs`") as caught:
        choose_flasher(board(), "pyocs")
    assert caught.value.hint == "did you mean `pyocd`?"


def test_a_tool_that_is_not_for_the_board() -> None:
    some = dataclasses.replace(board(), flashers=("uf2", "jlink"))
    with pytest.raises(UsageError, match="board `test_board` is not flashed by `esptool`") as caught:
        choose_flasher(some, "esptool")
    assert caught.value.hint == "it is flashed by `uf2`, `jlink`"


def test_a_board_that_cannot_be_flashed() -> None:
    with pytest.raises(UsageError, match="board `test_board` cannot be flashed") as caught:
        choose_flasher(dataclasses.replace(board(), flashers=()))
    assert "`unicorn`" in caught.value.hint


def test_a_version_that_is_too_old_counts_as_missing(path: Path) -> None:
    make_program(path, "esptool", "echo esptool v4.8.1")
    found = flasher("esptool").available()
    assert found.version == ""
    assert "here is 4.8.1, which is too old" in found.install
    make_program(path, "esptool", "echo esptool v5.6.0")
    assert flasher("esptool").available().version == "5.6.0"


def test_a_program_that_hangs_when_asked_for_its_version(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyedge.flash.command._VERSION_TIMEOUT_S", 0.3)
    make_program(path, "openocd", "exec /bin/sleep 30")
    assert flasher("openocd").available().version == "of unknown version"


def test_a_python_package_is_its_own_program(path: Path) -> None:
    class Module(CommandFlasher):
        name = "json"
        programs = ("json-tool",)
        module = "json.tool"
        version_arguments = ("--help",)

    assert Module().available().version == "of unknown version"


def test_uf2_is_always_there(path: Path) -> None:
    assert choose_flasher(dataclasses.replace(board(), flashers=("uf2",))).name == "uf2"

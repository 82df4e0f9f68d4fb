"""The host board's "emulator": the firmware as a program."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kits.tiny_firmware import make_board
from tinyedge.artifacts import Counting, Image, SizeTable
from tinyedge.emulate.contract import Emulator
from tinyedge.emulate.native import NativeEmulator
from tinyedge.errors import DeviceError, ToolError


def make_image(path: Path) -> Image:
    return Image(path, None, None, None, SizeTable(0, 0, 0, 0, (), ()), "none", "", "")


@pytest.fixture
def firmware(tmp_path: Path) -> Path:
    """A program that answers each line."""
    path = tmp_path / "firmware.elf"
    path.write_text(f"#!{sys.executable} -u\nimport sys\nfor line in sys.stdin:\n    print('got', line.strip())\n")
    path.chmod(0o755)
    return path


def test_it_runs_the_firmware_and_counts_nothing(firmware: Path) -> None:
    emulator: Emulator = NativeEmulator()
    assert (emulator.name, emulator.counting) == ("native", Counting("time"))
    assert emulator.version()
    console = emulator.start(make_image(firmware), make_board("native"))
    try:
        console.write(b"hello\n")
        assert next(console.lines(20)) == b"got hello"
        assert console.counter_readings() == []
        assert console.statistics()["seconds"] > 0
    finally:
        console.close()


def test_it_starts_firmware_named_by_a_relative_path(firmware: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(firmware.parent)
    console = NativeEmulator().start(make_image(Path(firmware.name)), make_board("native"))
    console.write(b"x\n")
    assert next(console.lines(20)) == b"got x"
    console.close()


def test_it_runs_no_other_board() -> None:
    assert NativeEmulator().supports(make_board("native")) == ""
    assert NativeEmulator().supports(make_board()) == (
        "`native` runs programs of this computer; board `tiny` has a cortex-m4f"
    )


def test_firmware_that_ends_is_a_device_error(tmp_path: Path) -> None:
    path = tmp_path / "firmware.elf"
    path.write_text("#!/bin/sh\necho broken >&2\nexit 5\n")
    path.chmod(0o755)
    console = NativeEmulator().start(make_image(path), make_board("native"))
    with pytest.raises(DeviceError, match=r"`firmware\.elf` ended with exit code 5\n +\| broken"):
        list(console.lines(20))
    console.close()


def test_what_this_computer_cannot_run_is_a_tool_error(tmp_path: Path) -> None:
    path = tmp_path / "firmware.elf"
    path.write_bytes(b"\x7fELF for something else")
    path.chmod(0o755)
    with pytest.raises(ToolError, match=r"`firmware\.elf` cannot be started"):
        NativeEmulator().start(make_image(path), make_board("native"))

"""Several `tinyedge` at once, as processes of their own, which share a folder and the user's cache."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from kits.cli import program
from kits.models import small_convolution

pytestmark = pytest.mark.slow
EIGHT = ("nrf52840dk", "rpi_pico", "bluepill", "esp32c3_devkitm", "nucleo_h743zi", "rpi_pico2", "mps3_an547", "host")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.tflite").write_bytes(small_convolution(channels=7))  # of which no object is kept
    return tmp_path


def all_at_once(folder: Path, calls: Iterable[Sequence[str]]) -> list[dict[str, Any]]:
    """What each call printed as JSON; all begin before any is waited for."""
    started = [
        subprocess.Popen(
            program(*call, "--json"), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for call in calls
    ]
    documents = []
    try:
        for process in started:
            output, errors = process.communicate(timeout=300)
            assert process.returncode == 0, errors
            documents.append(json.loads(output))
    finally:
        for process in started:
            process.kill()
            process.wait()
    return documents


def test_runs_on_several_boards_and_on_one(folder: Path) -> None:
    """Two of them on one board, in one folder; one of each pair in another emulator where it is installed."""
    other = "qemu" if shutil.which("qemu-system-arm") else "unicorn"
    calls = [
        ("run", "small.tflite", "--samples", "30", "-b", "mps2_an386", "--emulator", name)
        for name in ("unicorn", other)
    ]
    calls += [("run", "small.tflite", "--samples", "30", "-b", board) for board in ("nrf52840dk", "nrf52840dk")]
    found = all_at_once(folder, calls)
    for document in found:
        assert document["verify"] == {"samples": 30, "mismatches": 0, "first_mismatch": None}
    for one, two in ((found[0], found[1]), (found[2], found[3])):
        assert one["digests"] == two["digests"]
        assert one["instructions"]["value"] == two["instructions"]["value"]
        assert [layer["instructions"] for layer in one["layers"]] == [layer["instructions"] for layer in two["layers"]]
    assert list(folder.rglob("*.part*")) == []


def test_eight_boards_are_built_in_parallel(folder: Path) -> None:
    """Each gives the image that it gives alone."""
    found = all_at_once(folder, [("build", "small.tflite", "-b", board) for board in EIGHT])
    assert [document["board"] for document in found] == list(EIGHT)
    elfs = {board: (folder / f"build/small/{board}-zig/build/firmware.elf").read_bytes() for board in EIGHT}
    assert len(set(elfs.values())) == len(EIGHT)
    for board in ("nrf52840dk", "esp32c3_devkitm"):
        all_at_once(folder, [("build", "small.tflite", "-b", board, "-d", "alone")])
        assert (folder / f"alone/small/{board}-zig/build/firmware.elf").read_bytes() == elfs[board]
    assert list(folder.rglob("*.part*")) == []

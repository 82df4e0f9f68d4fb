"""A project builds by hand, with `make` in its folder, to the very image that tinyedge builds."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from kits.hand_plan import hand_model, hand_plan, selftest_crc
from tinyedge import process
from tinyedge.artifacts import FirmwareProject
from tinyedge.boards import load_board
from tinyedge.build import build_image, make_flags
from tinyedge.build.image import select_compiler
from tinyedge.generate import generate_project


@pytest.fixture(scope="module")
def project() -> FirmwareProject:
    board = load_board("nrf52840dk")
    return generate_project(hand_plan(), hand_model(), board, selftest_crc=selftest_crc(), make_flags=make_flags(board))


def test_make_gives_the_same_elf(project: FirmwareProject, compiler: str, tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("no make: `apt-get install make`")
    image = build_image(project, tmp_path / "built", compiler)
    project.write(tmp_path / "made")
    driver = f"{sys.executable} -m ziglang cc" if compiler == "zig" else "arm-none-eabi-gcc"
    with select_compiler(compiler, project.board.core).at_work(linking=True) as env:
        process.run(["make", f"CC={driver}"], cwd=tmp_path / "made", timeout_s=120, env=env)
    assert (tmp_path / "made/build/firmware.elf").read_bytes() == image.elf.read_bytes()
    assert image.bin
    assert (tmp_path / "made/build/firmware.bin").read_bytes() == image.bin.read_bytes()


def test_the_place_of_the_cache_leaves_no_trace(
    project: FirmwareProject, compiler: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another folder of objects, with the libraries that zig made."""
    first = build_image(project, tmp_path / "a", compiler)
    another = tmp_path / "another_cache"
    another.mkdir()
    (another / "zig-libraries").symlink_to((cache / "zig-libraries").resolve())
    monkeypatch.setenv("TINYEDGE_CACHE", str(another))
    second = build_image(project, tmp_path / "b", compiler)
    assert first.elf.read_bytes() == second.elf.read_bytes()
    assert len(first.elf.read_bytes()) < 50_000


@pytest.mark.slow
def test_an_empty_cache_gives_the_same_elf(
    project: FirmwareProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """zig makes its libraries anew, in another place."""
    first = build_image(project, tmp_path / "a", "zig")
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "another_cache"))
    second = build_image(project, tmp_path / "b", "zig")
    assert first.elf.read_bytes() == second.elf.read_bytes()

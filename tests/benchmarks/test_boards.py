"""The table of boards: what it says of what works, of what does not, and what it refuses to call good."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kits import models
from kits.processes import make_program
from tinyedge.artifacts import Figure, Image, Silence
from tinyedge.boards import list_boards, load_board
from tinyedge.errors import CheckError
from tinyedge.jobs.build import build
from tinyedge.jobs.choices import Choices

pytestmark = pytest.mark.toolchain


def call(root: Path, *arguments: str | Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`path`: a folder of programs in front of the others."""
    found = os.environ["PATH"] if path is None else f"{path}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", "boards", *map(str, arguments)],
        cwd=root, capture_output=True, text=True, timeout=600, check=False, env=os.environ | {"PATH": found},
    )  # fmt: skip


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(models.small_convolution())
    return path


@pytest.fixture
def benchmarks(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Modules of benchmarks, which is no part of the package."""
    monkeypatch.syspath_prepend(root)

    def load(name: str) -> ModuleType:
        import importlib

        return importlib.import_module(f"benchmarks.{name}")

    return load


def test_one_board_as_json(root: Path, small: Path, tmp_path: Path) -> None:
    done = call(
        root,
        small,
        "-b",
        "mps2_an386",
        "--compiler",
        "zig",
        "--samples",
        "2",
        "--json",
        "-d",
        tmp_path,
        "--page",
        tmp_path / "page.md",
    )
    assert done.returncode == 0, done.stderr
    assert "| mps2_an386 | small | zig | ok | " in (tmp_path / "page.md").read_text()
    document = json.loads(done.stdout)
    assert (document["schema"], document["problems"]) == ("tinyedge.benchmarks.boards/1", [])
    (cell,) = document["cells"]
    assert (cell["board"], cell["outcome"], cell["image_checked"]) == ("mps2_an386", "ok", ["elf", "vectors", "hex"])
    assert 0 < cell["flash_bytes"] < cell["flash_limit_bytes"]
    ran = {run["emulator"]: run for run in cell["runs"]}
    assert set(ran) == {"unicorn", "qemu"}
    assert ran["unicorn"]["verify"] == {"samples": 2, "mismatches": 0}
    assert ran["unicorn"]["instructions"]["kind"] == "counted"
    assert ran["unicorn"]["version"] == document["versions"]["unicorn"]
    if ran["qemu"]["outcome"] == "not installed":
        assert cell["counts_apart"] is None
    else:
        assert cell["counts_apart"] == 0
        assert ran["qemu"]["instructions"] == ran["unicorn"]["instructions"]


def test_the_page_has_every_board(root: Path) -> None:
    """Figures are of the run that wrote it; boards that came since are missing until it is written anew."""
    page = (root / "docs" / "board-table.md").read_text(encoding="utf-8")
    rows = {line.split(" | ")[0].removeprefix("| ") for line in page.splitlines() if line.startswith("| ")}
    again = "`python -m benchmarks boards --page docs/board-table.md` writes it anew"
    assert rows - {"board", "---"} == {board.name for board in list_boards()}, again
    assert "FAILED" not in page
    assert re.search(r"with tinyedge \S+, zig \d\S+, unicorn \d", page)


def test_an_emulator_that_fails_is_shown_and_the_others_go_on(root: Path, small: Path, tmp_path: Path) -> None:
    broken = '[ "$1" = --version ] && echo QEMU emulator version 9.9.9 || echo "qemu-system-arm: no luck" >&2; exit 1'
    make_program(tmp_path / "bin", "qemu-system-arm", broken)
    options = ("--compiler", "zig", "--samples", "1", "-d", tmp_path)
    done = call(root, small, "-b", "mps2_an386", "-b", "esp32c3", *options, path=tmp_path / "bin")
    assert done.returncode == 1, done.stdout
    assert "error: 1 of 2 failed; the table says what" in done.stderr
    rows = {line.split()[0]: line.split()[3] for line in done.stdout.splitlines()[1:3]}
    assert rows == {"mps2_an386": "FAILED", "esp32c3_devkitm": "ok"}
    assert "FAILED mps2_an386 small zig: qemu: " in done.stdout
    assert "Traceback" not in done.stderr


def test_a_model_that_does_not_fit_is_no_failure(root: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.tflite"
    large.write_bytes(models.small_convolution(size=64, channels=8))
    done = call(root, large, "-b", "bluepill", "--compiler", "zig", "-d", tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.split("  +", done.stdout.splitlines()[1])[3] == "does not fit"
    assert "does not fit: model `large` needs" in done.stdout
    assert "B too few" in done.stdout


def test_no_such_board_or_model(root: Path, tmp_path: Path) -> None:
    assert call(root, "-b", "bluepil", tmp_path / "no.tflite").returncode == 2
    done = call(root, "-b", "bluepil", "digitz")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def ran(benchmarks: Callable[[str], ModuleType], **changes: Any) -> Any:
    run = benchmarks("boards").Ran(
        "unicorn", "2.1", "ok", samples=10, instructions=Figure("counted", 100.0), layers=(40, 60)
    )
    return replace(run, **changes)


def cell(benchmarks: Callable[[str], ModuleType], *runs: Any, **changes: Any) -> Any:
    made = benchmarks("boards").Cell(load_board("mps2_an386"), "net", "zig 0.17.0", "ok", runs=runs)
    return replace(made, **changes)


def test_what_makes_a_cell_a_failure(benchmarks: Callable[[str], ModuleType]) -> None:
    unicorn, qemu = ran(benchmarks), ran(benchmarks, emulator="qemu")
    assert cell(benchmarks, unicorn, qemu).problems == ()
    assert cell(benchmarks, unicorn, replace(qemu, outcome="not installed")).problems == ()
    assert cell(benchmarks, outcome="does not fit", why="8 B too few").problems == ()
    assert cell(benchmarks, outcome="failed", why="no luck").problems == ("no luck",)
    assert cell(benchmarks, replace(unicorn, mismatches=3)).problems == (
        "unicorn: 3 of 10 samples differ from the oracle",
    )
    assert cell(benchmarks, unicorn, replace(qemu, outcome="failed", why="hangs")).problems == ("qemu: hangs",)
    other = replace(qemu, layers=(40, 61))
    assert cell(benchmarks, unicorn, other).problems == ("counts are 1 instructions apart; all count exactly",)
    assert cell(benchmarks, unicorn, replace(qemu, emulator="renode")).problems == ()
    assert cell(benchmarks, unicorn, replace(other, emulator="renode")).problems


def test_the_text_marks_what_failed(benchmarks: Callable[[str], ModuleType]) -> None:
    cells = [cell(benchmarks, outcome="does not fit", why="8 B too few"), cell(benchmarks, outcome="failed", why="no")]
    text = benchmarks("board_table").render(cells, ["gcc is not installed"])
    assert [re.split("  +", line)[3] for line in text.splitlines()[1:3]] == ["does not fit", "FAILED"]
    assert "2 images: 0 linked and checked, 1 too large, 1 failed" in text
    assert "gcc is not installed" in text
    assert text.endswith("FAILED mps2_an386 net zig: no")


@pytest.fixture
def pico(small: Path, tmp_path: Path) -> Image:
    return build(Choices(str(small), "rpi_pico", "zig", None, tmp_path / "build"), Silence()).image


@pytest.mark.parametrize(
    ("kind", "offset", "text"),
    [
        ("bin", 300, "the binary does not hold the ELF"),
        ("hex", 20, "of the HEX file"),
        ("uf2", 32 + 512, "the UF2 file does not hold the image"),
        ("uf2", 28, "the UF2 file is of family"),
    ],
)
def test_a_file_that_is_spoilt_is_found(
    benchmarks: Callable[[str], ModuleType], pico: Image, kind: str, offset: int, text: str
) -> None:
    check = benchmarks("images").check_image
    board = load_board("rpi_pico")
    assert check(board, pico) == ("elf", "vectors", "boot", "hex", "uf2")
    path: Path = getattr(pico, kind)
    content = bytearray(path.read_bytes())
    content[offset] = ord("0") + (content[offset] == ord("0")) if kind == "hex" else content[offset] ^ 1
    path.write_bytes(content)
    with pytest.raises(CheckError, match=text):
        check(board, pico)


def test_another_board_is_found_by_vectors_and_boot(benchmarks: Callable[[str], ModuleType], pico: Image) -> None:
    check = benchmarks("images").check_image
    with pytest.raises(CheckError, match="starts at 0x10000000"):
        check(load_board("nrf52840dk"), pico)
    with pytest.raises(CheckError, match=r"the stack, is|no block for the boot ROM"):
        check(load_board("rpi_pico2"), replace(pico, size=replace(pico.size, flash_limit_bytes=4_194_304)))


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("qemu-system-arm") is None, reason="no QEMU: apt-get install qemu-system-arm")
def test_keyword_spotting_on_a_board_of_each_core(root: Path, shared_models: Path, tmp_path: Path) -> None:
    boards = ("rpi_pico", "bluepill", "mps2_an386", "mps2_an500", "mps2_an505", "mps3_an547", "esp32c3", "hifive1")
    options = [word for board in boards for word in ("-b", board)]
    done = call(root, shared_models / "kws_ref_model.tflite", *options, "--samples", "2", "--json", "-d", tmp_path)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    cells = json.loads(done.stdout)["cells"]
    assert len(cells) >= len(boards)
    assert {cell["outcome"] for cell in cells} == {"ok"}
    for cell in cells:
        assert any(run["outcome"] == "ok" for run in cell["runs"]), cell["board"]
        assert cell["counts_apart"] in (None, 0), cell["board"]

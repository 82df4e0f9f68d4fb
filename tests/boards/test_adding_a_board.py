"""docs/adding-a-board.md, followed to the letter."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tinyedge.artifacts import Silence
from tinyedge.boards import load_board
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.run import run
from tinyedge.report.text import render_board


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "adding-a-board.md").read_text(encoding="utf-8")


@pytest.fixture
def name(page: str, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page's board, in a folder of boards of its own."""
    found = re.search(r"^`boards/(\w+)\.toml`, under 40 lines:\n\n```toml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert found is not None
    folder = tmp_path / "boards"
    shutil.copytree(root / "boards", folder)
    path = folder / f"{found[1]}.toml"
    assert not path.exists(), "the page must add a board that is not there"
    path.write_text(found[2])
    assert len(found[2].splitlines()) < 40
    monkeypatch.setattr("tinyedge.boards.boards_dir", lambda: folder)
    return found[1]


def test_the_board_is_listed_as_the_page_says(page: str, name: str) -> None:
    printed = render_board(load_board(name)).splitlines()
    session = re.search(rf"^\$ tinyedge boards {name}\n(.*?)^\.\.\.$", page, re.DOTALL | re.MULTILINE)
    assert session is not None
    for line in session[1].splitlines():
        assert line in printed


def test_the_board_runs(small: Path, name: str) -> None:
    choices = Choices(str(small), name, "zig", None, small.parent / "build")
    measured = run(choices, Silence(), samples=2)
    assert (measured.run.mismatches, measured.run.notes) == (0, ())
    assert measured.emulator.startswith("unicorn ")


def test_what_the_page_names_is_there(page: str, root: Path) -> None:
    bsp = root / "firmware_templates" / "bsp"
    named = set(re.findall(r"`(te_\w+\.h)`", page))
    assert len(named) > 10
    assert {header for header in named if not (bsp / header).is_file()} == set()
    shared = {path.name for path in bsp.glob("te_*.h")} - {"te_registers.h", "te_memory.h", "te_rp2040_boot2.h"}
    assert shared <= named, "every part that families share is on the page"

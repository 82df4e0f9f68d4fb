"""docs/emulators.md: the table of boards is what the board files say. `--update-golden` writes it anew."""

from __future__ import annotations

from pathlib import Path

from tinyedge.boards import list_boards
from tinyedge.emulate import EMULATORS, emulator

BEGIN, END = "<!-- boards -->\n", "<!-- /boards -->\n"


def table() -> str:
    lines = [f"| board | core | {' | '.join(f'`{name}`' for name in EMULATORS)} |", "|---" * (2 + len(EMULATORS)) + "|"]
    for board in list_boards():
        marks = []
        for name in EMULATORS:
            usable = name in board.emulators
            assert usable == (not emulator(name, board).supports(board)), f"`{board.name}` and `{name}` disagree"
            first = usable and board.emulators[0] == name
            marks.append("first" if first else "yes" if usable else "")
        lines.append(f"| `{board.name}` | {board.core.name} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def test_the_table_of_boards_is_up_to_date(root: Path, update_golden: bool) -> None:
    path = root / "docs" / "emulators.md"
    before, rest = path.read_text().split(BEGIN)
    after = rest.split(END)[1]
    text = f"{before}{BEGIN}{table()}{END}{after}"
    if update_golden:
        path.write_text(text)
    assert path.read_text() == text, "`pytest tests/agreement/test_docs.py --update-golden` writes it"


def test_every_emulator_is_described(root: Path) -> None:
    text = (root / "docs" / "emulators.md").read_text()
    for name in EMULATORS:
        assert f"| `{name}` |" in text

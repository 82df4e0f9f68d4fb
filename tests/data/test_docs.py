"""docs/data.md: its tables are what the formats and the table of data say. `--update-golden` writes them anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyedge.data import DataTable
from tinyedge.data.load import formats
from tinyedge.table_keys import describe_keys


def format_table() -> str:
    rows = [f"| {each.title} | {each.layout} | {each.split or 'nothing'} |" for each in formats()]
    return "\n".join(["| format | files | what it says of parts and subjects |", "|---|---|---|", *rows]) + "\n"


def key_table() -> str:
    rows = []
    for key in describe_keys(DataTable):
        default = "needed" if key.needed else f"`{key.default}`" if key.default else "-"
        takes = key.takes.replace("|", "or")
        rows.append(f"| `{key.name}` | {takes} | {default} | {key.doc} |")
    return "\n".join(["| key | takes | default | meaning |", "|---|---|---|---|", *rows]) + "\n"


@pytest.mark.parametrize(("name", "made"), [("formats", format_table), ("keys", key_table)])
def test_the_tables_are_up_to_date(name: str, made: object, root: Path, update_golden: bool) -> None:
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    path = root / "docs" / "data.md"
    before, rest = path.read_text(encoding="utf-8").split(begin)
    text = f"{before}{begin}{made()}{end}{rest.split(end)[1]}"  # type: ignore[operator]
    if update_golden:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "`pytest tests/data/test_docs.py --update-golden` writes it"


def test_every_key_has_a_sentence() -> None:
    for key in describe_keys(DataTable):
        assert key.doc, key.name

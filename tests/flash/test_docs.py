"""The table of docs/flashing.md is what the tools say of themselves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyedge.flash import FLASHERS, flasher

MARKED = re.compile(r"(<!-- tools: .*? -->\n)(.*?)(<!-- end of tools -->)", re.DOTALL)


def table() -> str:
    """One row a tool."""
    rows = [
        "| tool | for | `[flash_options]` | `--probe` | verifies | how to get it |",
        "|---|---|---|---|---|---|",
    ]
    for name in FLASHERS:
        tool = flasher(name)
        verifies = "every byte" if tool.verifies else "no"
        rows.append(f"| {name} | {tool.reaches} | {tool.option_is} | {tool.probe_is} | {verifies} | {tool.install} |")
    return "\n".join(rows) + "\n"


def test_the_table_of_tools(root: Path, update_golden: bool) -> None:
    path = root / "docs" / "flashing.md"
    text = path.read_text(encoding="utf-8")
    match = MARKED.search(text)
    assert match is not None
    if update_golden:
        path.write_text(text[: match.start(2)] + table() + text[match.end(2) :], encoding="utf-8")
        pytest.skip("docs/flashing.md was written anew")
    assert match[2] == table()

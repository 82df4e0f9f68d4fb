"""Pages made from what they describe are up to date; every block of commands is executed, and every command is one."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from benchmarks.reference import DOCS, PAGES

from docs.test_walks import WALKS
from kits.cli import within
from kits.models import small_convolution
from tinyedge import wire
from tinyedge.cli import COMMANDS
from tinyedge.cli.config import Config
from tinyedge.jobs.sidecar import SidecarFile
from tinyedge.table_keys import describe_keys

EXECUTED = {
    **{f"docs/{name}.md": "tests/docs/test_walks.py" for name in WALKS},
    "README.md": "tests/test_readme.py",
    "docs/adding-a-board.md": "tests/boards/test_adding_a_board.py",
    "docs/export.md": "here",
    "docs/streaming.md": "tests/cli/test_stream.py, with a model and recordings made for it",
}
"""page -> what executes its blocks of commands"""
MARK = "<!-- needs a board -->\n"


@pytest.mark.parametrize("name", PAGES)
def test_pages_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "PYTHONPATH=. python -m benchmarks.reference"


def test_every_command_option_and_key_is_there() -> None:
    commands, settings, protocol = ((DOCS / name).read_text(encoding="utf-8") for name in PAGES)
    for name in COMMANDS:
        section = commands.partition(f"## tinyedge {name}\n")[2].partition("\n## ")[0]
        command: click.Command = importlib.import_module(f"tinyedge.cli.{name}").command
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert any(option in section + commands[:2000] for option in parameter.opts), (name, parameter.name)
    for key in (*describe_keys(Config), *describe_keys(SidecarFile)):
        assert f"- `{key.name}` (" in settings
        assert key.doc, key.name
    for word in (*wire.VERBS, *wire.ERRORS):
        assert re.search(rf"^ *{word} |`err {word}`", protocol, re.MULTILINE), word


def pages(root: Path) -> Iterator[tuple[str, str]]:
    for path in (root / "README.md", *sorted((root / "docs").glob("*.md"))):
        yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


def test_every_block_of_commands_is_executed_or_needs_a_board(root: Path) -> None:
    for name, page in pages(root):
        for match in re.finditer(r"^```console\n", page, re.MULTILINE):
            marked = page[: match.start()].endswith(MARK)
            assert marked or name in EXECUTED, f"{name}: {page[match.end() :].splitlines()[0]}"
    for who in EXECUTED.values():
        assert who == "here" or (root / who.partition(",")[0]).is_file()


def written_commands(page: str) -> Iterator[str]:
    """Every `tinyedge ...` that stands on a line of its own in a block, of whatever kind."""
    joined = page.replace("\\\n", " ")
    for match in re.finditer(r"^(?: {4,}|\$ )(tinyedge [^#\n]*?)(?:  +#.*)?$", joined, re.MULTILINE):
        for part in re.split(r" && | \| ", match[1].partition(" > ")[0]):
            if part.startswith("tinyedge "):
                yield part.strip()


def test_every_command_that_is_written_down_is_one(root: Path) -> None:
    count = 0
    for page_name, page in pages(root):
        for line in written_commands(page):
            name, *words = shlex.split(line)[1:]
            assert name in COMMANDS, f"{page_name}: {line}"
            command: click.Command = importlib.import_module(f"tinyedge.cli.{name}").command
            try:
                command.make_parser(click.Context(command)).parse_args(words)
            except click.UsageError as error:
                raise AssertionError(f"{page_name}: {line}: {error.message}") from error
            count += 1
    assert count > 60


@pytest.mark.slow
def test_the_exports_of_the_page(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As they stand there, but that a small file stands for each model."""
    page = (root / "docs" / "export.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```console\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    for at, line in enumerate(block.splitlines()):
        folder = tmp_path / str(at)
        folder.mkdir()
        words = [f"{word}.tflite" if word == "digits" else word for word in shlex.split(line[2:], comments=True)[1:]]
        for word in words:
            if word.endswith(".tflite"):
                (folder / word).write_bytes(small_convolution())
        outcome = within(folder, monkeypatch, capsys, *words)
        assert outcome.code == 0, f"{line}: {outcome.stderr}"

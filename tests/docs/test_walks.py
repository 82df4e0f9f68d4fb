"""The tutorial and the pages on projects of one's own, walked through: every command; what they say is printed.

Trainings are shortened to an epoch, after the recipe was written and before anything is trained.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from kits.cli import tinyedge
from kits.recipes import needs_tensorflow
from tinyedge.new.registry import templates

pytestmark = [pytest.mark.slow, pytest.mark.train, needs_tensorflow]

WALKS = {
    "tutorial": ("", ""),
    "your-own-gesture": ("gesture", "recordings"),
    "your-own-keyword": ("keyword", "words"),
    "your-own-images": ("images", "photos"),
    "your-own-project": ("", ""),
}
"""page -> the template whose example stands for real files, and the folder they lie in"""


def sessions(page: str) -> Iterator[tuple[str, list[str]]]:
    """(command, lines that it prints) of the console blocks of a page."""
    for block in re.findall(r"(?<!needs a board -->\n)^```console\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            yield command, [line for line in lines if line.strip() and line != "..."]


@pytest.mark.parametrize("name", WALKS)
def test_every_command_of_a_walk_works(name: str, root: Path, tmp_path: Path) -> None:
    template, folder = WALKS[name]
    if template:
        for path, content in templates()[template].example().items():
            file = tmp_path / folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
    here, done = tmp_path, []
    for command, expected in sessions((root / "docs" / f"{name}.md").read_text(encoding="utf-8")):
        program, *words = shlex.split(command)
        if program == "cd":
            here /= words[0]
            continue
        assert program == "tinyedge"
        file = words.pop() if ">" in words else ""
        if file:
            words.remove(">")
        outcome = tinyedge(*words, cwd=here, timeout_s=900)
        assert outcome.code == 0, f"{command}: {outcome.stderr}"
        if file:
            (here / file).write_text(outcome.stdout)
        printed = {" ".join(line.split()) for line in outcome.stdout.splitlines()}
        assert {" ".join(line.split()) for line in expected} <= printed, f"{command} printed {outcome.stdout}"
        done.append(words[0])
        if words[0] == "new":
            recipe = here / words[1] / "recipe.toml"
            recipe.write_text(re.sub(r"^epochs = \d+$", "epochs = 1", recipe.read_text(), flags=re.MULTILINE))
    assert {"new", "train", "run"} <= set(done)

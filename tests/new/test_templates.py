"""A project of each template: the commands of its README, typed in a clean folder, in their quick forms."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from kits.cli import Outcome, tinyedge
from kits.recipes import needs_tensorflow
from tinyedge.new.registry import templates

pytestmark = [pytest.mark.slow, pytest.mark.train, needs_tensorflow]


def typed(line: str, cwd: Path) -> Outcome:
    program, *words = shlex.split(line)
    assert program == "tinyedge"
    more = ("--samples", "3") if words[0] == "run" else ()
    outcome = tinyedge(*words, *more, cwd=cwd, timeout_s=900)
    assert outcome.code == 0, outcome.stderr
    return outcome


@pytest.mark.parametrize("name", sorted(templates()))
def test_the_commands_of_the_readme_work(name: str, tmp_path: Path) -> None:
    example = ("--with-example-data",) if templates()[name].example() else ()
    made = tinyedge("new", "mine", "--from", name, *example, "--json", cwd=tmp_path)
    assert made.code == 0, made.stderr
    folder = tmp_path / "mine"
    readme = (folder / "README.md").read_text(encoding="utf-8")
    commands = [line[2:] for line in readme.splitlines() if line.startswith("$ ")]
    assert ["cd mine", *commands] == json.loads(made.stdout)["next"]
    quicken(folder / "recipe.toml")
    spoken = {line.split()[1]: typed(line, folder) for line in commands}
    assert "training `mine`" in spoken["train"].stderr
    for later in ("build", "run"):
        assert "kept from" in spoken[later].stderr, spoken[later].stderr
    assert "0 mismatches" in spoken["run"].stdout
    assert spoken["run"].stdout.startswith("mine on nrf52840dk")
    for verb in ("train", "run"):
        assert ("made up: drawn by" in spoken[verb].stdout) == bool(example)
    assert "trained on" in spoken["train"].stdout


def quicken(recipe: Path) -> None:
    """One epoch of everything: it shows that all works, and no more."""
    text = recipe.read_text(encoding="utf-8")
    recipe.write_text(re.sub(r"^epochs = \d+$", "epochs = 1", text, flags=re.MULTILINE), encoding="utf-8")

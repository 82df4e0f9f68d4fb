"""The workflows run what the README promises, on systems and with actions whose versions are named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def workflows(root: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in (root / ".github" / "workflows").glob("*.yml")}


def test_versions_of_systems_and_actions_are_named(workflows: dict[str, str]) -> None:
    assert sorted(workflows) == ["ci.yml", "renode.yml"]
    for name, text in workflows.items():
        uses = re.findall(r"uses: (.*)", text)
        assert uses, name
        for action in uses:
            assert action == "./" or re.fullmatch(r"[\w-]+/[\w-]+@v\d+(\.\d+)*", action), f"{name}: {action}"
        assert "-latest" not in text, name


def test_the_readme_commands_run(workflows: dict[str, str]) -> None:
    commands = re.findall(r"run: (make \w+)", workflows["ci.yml"])
    assert commands == ["make test", "make demo"]


def test_everything_is_installed_by_the_lock(workflows: dict[str, str]) -> None:
    for name, text in workflows.items():
        for line in re.findall(r"python3? -m pip install .*", text):
            assert "--constraint requirements.lock" in line, f"{name}: {line}"


def test_the_checks_are_those_of_ci_run(workflows: dict[str, str], root: Path) -> None:
    script = (root / ".ci" / "run").read_text(encoding="utf-8").replace(".venv/bin/", "")
    begin, end = script.index("ruff check"), script.index('if [ "$(id -u)"')
    for command in script[begin:end].split("\n"):
        assert f"run: {command}\n" in workflows["ci.yml"] or not command, command

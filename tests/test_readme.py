"""Every block of the README is executed, and prints what the README says, figures that may vary aside."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.train

_NUMBER = re.compile(r"\d[\d,.]*")


def blocks(text: str) -> list[tuple[str, str]]:
    """(language, content) of the fenced blocks.

    >>> blocks("a\\n```console\\n$ x\\n```\\n")
    [('console', '$ x\\n')]
    """
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def sessions(block: str) -> list[tuple[str, list[str]]]:
    """(command, expected lines) of a `console` block: lines after `$ ` and what follows each."""
    result: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            result.append((line[2:].partition("  #")[0].strip(), []))
        else:
            result[-1][1].append(line)
    return result


def shape(line: str) -> str:
    """A line with its figures masked and its spacing folded: training differs in the last digits between processors."""
    return " ".join(_NUMBER.sub("N", line).split())


@pytest.fixture(scope="module")
def readme(root: Path) -> str:
    return (root / "README.md").read_text(encoding="utf-8")


def test_readme_blocks_are_of_known_kinds(readme: str) -> None:
    kinds = {kind for kind, _ in blocks(readme)}
    assert kinds <= {"console", "toml", "python"}, kinds
    assert "console" in kinds


def test_make_commands_of_the_readme_exist(readme: str, root: Path) -> None:
    targets = set(re.findall(r"^\$ make (\w+)", readme, re.MULTILINE))
    assert targets == {"demo", "test"}
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    for target in targets:
        assert f"\n{target}:" in makefile
    commands = re.findall(r"^make \w+", (root / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    assert commands == ["make test", "make demo"]


def test_sessions_print_what_the_readme_says(readme: str, root: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    for kind, block in blocks(readme):
        if kind != "console":
            continue
        for command, expected in sessions(block):
            program = command
            if command.startswith("make demo"):
                program = "tinyedge run digits --board nrf52840"  # what `make demo` runs once it has installed
            elif command.startswith("make test"):
                continue  # this very test is part of it
            done = subprocess.run(
                program, shell=True, cwd=root, env=environment, capture_output=True, text=True, timeout=600, check=False
            )
            assert done.returncode == 0, f"{command}: {done.stderr}"
            printed = [shape(line) for line in done.stdout.splitlines()]
            for line in expected:
                if line.strip() and line.strip() != "...":
                    assert shape(line) in printed, f"`{command}` did not print {line!r}, but:\n{done.stdout}"

"""Every block of the README is executed, and prints what the README says; figures that training decides are near it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.train

_VARIES = re.compile(
    r"(?P<DIGEST>\b[0-9a-f]{16}\b)|(?P<KERNEL>\b(?:armv\w+|portable)/\w+)|(?P<VERSION>\b\d+\.\d+\.\d+\b)"
    r"|(?P<N>(?<![A-Za-wyz_\d.,])\d[\d,]*(?:\.\d+)?)"
)
_ACCURACY_BAND = 0.02
_BAND = 0.15
"""share of the README's figure by which another training may miss it"""
_ELAPSED = "seconds"
"""a figure that says more of the machine than of the training"""


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
    """A line without what follows from trained weights, and its spacing folded.

    >>> shape("model        20,864 B, 5d55c16f93080f5d")
    'model N B, DIGEST'
    >>> shape("    0  conv_2d   1x8x8x22   12,672   20.1 %  armv7em/conv_2d_4x2")
    'N conv_2d NxNxNxN N N % KERNEL'
    """
    return " ".join(_VARIES.sub(lambda match: str(match.lastgroup), line).split())


def numbers(line: str) -> list[str]:
    return [match["N"] for match in _VARIES.finditer(line) if match["N"]]


def is_near(line: str, said: str, printed: str) -> bool:
    """Whether a figure is what another training of the same recipe may give.

    >>> is_near("int8 accuracy", "0.9956", "0.9756"), is_near("int8 accuracy", "0.9956", "0.9755")
    (True, False)
    >>> is_near("instructions", "139,888", "119,000"), is_near("instructions", "139,888", "118,000")
    (True, False)
    >>> is_near("verify", "0", "1"), is_near("share", "0.4", "0.5"), is_near("train seconds", "85.03", "29.86")
    (False, True, True)
    """
    wanted, found = float(said.replace(",", "")), float(printed.replace(",", ""))
    if _ELAPSED in line:
        return found > 0
    if "accuracy" in line:
        return abs(found - wanted) <= _ACCURACY_BAND + 1e-9
    last_place = 10.0 ** -len(said.partition(".")[2]) if "." in said else 0.0
    return abs(found - wanted) <= max(_BAND * wanted, last_place) + 1e-9


def says(printed: str, expected: str, *, trained: bool) -> bool:
    """Whether a printed line is the README's, or, of a trained model, like it."""
    if not trained:
        return printed.split() == expected.split()
    if shape(printed) != shape(expected):
        return False
    pairs = zip(numbers(expected), numbers(printed), strict=True)
    return all(is_near(expected, said, found) for said, found in pairs)


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
            printed = iter(done.stdout.splitlines())
            trained = "digits" in program
            for line in expected:
                if line.strip() and line.strip() != "...":
                    found = any(says(candidate, line, trained=trained) for candidate in printed)
                    assert found, f"`{command}` did not print {line!r} in its place, but:\n{done.stdout}"

"""Runs the tinyedge program as a user does: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Outcome:
    """What a call printed and how it ended."""

    code: int
    stdout: str
    stderr: str


def tinyedge(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, timeout_s: float = 300
) -> Outcome:
    """Run `tinyedge ARGUMENTS` in `cwd`."""
    done = subprocess.run(
        program(*arguments),
        cwd=cwd,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def within(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str
) -> Outcome:
    """The same in this process, without the second that a start takes: for calls that are refused early."""
    from tinyedge.cli import execute

    monkeypatch.chdir(folder)
    code = execute(arguments)
    captured = capsys.readouterr()
    return Outcome(code, captured.out, captured.err)


def program(*arguments: str | Path) -> list[str]:
    """The command line of a call."""
    return [sys.executable, "-m", "tinyedge", *map(str, arguments)]


def assert_refused(outcome: Outcome, code: int, *words: str) -> None:
    """The call ended with `code`, an `error:` line that holds all `words`, a `hint:` and no traceback."""
    assert outcome.code == code, outcome.stderr
    assert "Traceback" not in outcome.stderr
    error, found, hint = outcome.stderr.partition("\nhint: ")
    assert found, f"no hint in {outcome.stderr!r}"
    assert hint.strip().count("\n") == 0, hint
    line = error[error.index("error: ") :]
    for word in words:
        assert word in line + hint, f"{word!r} is missing from {outcome.stderr!r}"


Words = Sequence[str]

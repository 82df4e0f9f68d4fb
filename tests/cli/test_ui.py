"""Progress bars: silent for short work, alive on a terminal, one line elsewhere; results on stdout alone."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kits.cli import program
from tinyedge.boards import list_boards
from tinyedge.cli import ui as module
from tinyedge.cli.ui import Bar, Ui
from tinyedge.report.table import fitted
from tinyedge.report.text import render_boards


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SHOW_AFTER_S", 0.02)


def test_short_work_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Ui().progress("compile") as report:
        report(1, 2)
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("quick")
def test_long_work_shows_a_line_when_it_grows_long_and_one_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    with Ui().progress("compile") as report:
        report(1, 2)
        time.sleep(0.2)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "compile ..."
    assert lines[1].startswith("compile: ")
    assert len(lines) == 2


@pytest.mark.usefixtures("quick")
def test_a_terminal_shows_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    bar = Bar("train")
    bar(1, 4, "fit")
    time.sleep(0.5)
    Ui().note("a word in between")
    for done in range(1, 4):
        bar(done, 4, "prune")
        time.sleep(0.3)
    bar.finish()
    out, err = capsys.readouterr()
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", err)
    assert out == ""
    assert re.search(r"train: fit +\S+ 1/4 0:00:00 left -:--:--", shown)
    assert re.search(r"train: prune +\S+ +\S* *3/4 0:00:00 left 0:00:0[01]", shown)
    assert "a word in between\n" in shown
    assert re.search(r"train: 1\.\d s\n$", shown)


@pytest.mark.usefixtures("quick")
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "dumb")
    with Ui().progress("compile"):
        time.sleep(0.2)
    first, last = capsys.readouterr().err.splitlines()
    assert first == "compile ..."
    assert re.fullmatch(r"compile: \d\.\d s", last)


def test_the_bar_ends_when_the_work_fails() -> None:
    bars: list[Bar] = []

    def work() -> None:
        with Ui().progress("work") as bar:
            bars.append(bar)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert not bars[0]._thread.is_alive()


def test_results_are_text_or_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    Ui().result("a table\n", {"schema": "x/1"})
    Ui(as_json=True).result("a table\n", {"schema": "x/1"})
    text, _, document = capsys.readouterr().out.partition("\n")
    assert text == "a table"
    assert json.loads(document) == {"schema": "x/1"}


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize("columns", [80, 200])
def test_tables_fold_to_the_terminal(columns: int, tmp_path: Path) -> None:
    import fcntl
    import pty
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(program("boards"), cwd=tmp_path, stdout=slave, stdin=slave, env=environment) as child:
        os.close(slave)
        printed = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error
            while piece := os.read(master, 4096):
                printed += piece
    os.close(master)
    assert child.returncode == 0
    with fitted(columns):
        assert printed.decode().splitlines() == render_boards(list_boards()).splitlines()
    assert max(map(len, printed.decode().splitlines())) <= columns

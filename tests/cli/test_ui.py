"""Progress bars: silent for short work, alive on a terminal, one line elsewhere; results on stdout alone."""

from __future__ import annotations

import json
import sys
import time

import pytest

from tinyedge.cli import ui as module
from tinyedge.cli.ui import Bar, Ui


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SHOW_AFTER_S", 0.02)
    monkeypatch.setattr(module, "_REDRAW_S", 0.01)


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
    bar = Bar("train")
    bar(1, 4, "prune")
    time.sleep(0.2)
    bar.finish()
    assert "train: prune  [######------------------] 1/4" in capsys.readouterr().err


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

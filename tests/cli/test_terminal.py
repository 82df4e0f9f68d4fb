"""What fits a terminal, what scripts get, what a shell completes, and how little `--help` needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ZshComplete
from hypothesis import given
from hypothesis import strategies as st

from kits.cli import assert_refused, tinyedge, within
from tinyedge.cli import COMMANDS, group
from tinyedge.cli.ui import fold
from tinyedge.report.table import fitted, format_pairs, render_table

HEAVY = (
    "numpy",
    "rich",
    "jinja2",
    "msgspec",
    "tinyedge.process",
    "tinyedge.boards",
    "tinyedge.report",
    "importlib.metadata",
)


def test_help_imports_what_it_needs_and_no_more() -> None:
    """What takes long is a list of modules, whatever machine this is."""
    program = (
        "import sys; from tinyedge.cli import execute; code = execute(['--help']); "
        f"print([name for name in {HEAVY} if name in sys.modules], code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[] 0"


def test_every_command_has_its_line_and_an_example(tmp_path: Path) -> None:
    import importlib

    for name in COMMANDS:
        command = importlib.import_module(f"tinyedge.cli.{name}").command
        assert "Example" in command.epilog, name
        assert f"tinyedge {name}" in command.epilog, name
        assert "--json" in {option for parameter in command.params for option in parameter.opts}, name


@pytest.mark.parametrize(
    ("shell", "word"), [("bash", "complete -o nosort"), ("zsh", "#compdef tinyedge"), ("fish", "complete ")]
)
def test_shells_get_a_script(
    shell: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = within(tmp_path, monkeypatch, capsys, "completion", shell)
    assert outcome.code == 0, outcome.stderr
    assert word in outcome.stdout
    assert "_TINYEDGE_COMPLETE" in outcome.stdout
    document = json.loads(within(tmp_path, monkeypatch, capsys, "completion", shell, "--json").stdout)
    assert document["script"].strip() == outcome.stdout.strip()
    assert_refused(within(tmp_path, monkeypatch, capsys, "completion", "tcsh"), 2, "fish")


@pytest.mark.parametrize(
    ("words", "begun", "found"),
    [
        ([], "comp", "compare"),
        (["run", "--board"], "nrf5", "nrf52840dk"),
        (["run", "-b"], "pi", "pico"),
        (["build"], "dig", "digits"),
        (["run"], "--opti", "--optimize"),
    ],
)
def test_a_shell_completes_commands_boards_and_recipes(words: list[str], begun: str, found: str) -> None:
    completed = ZshComplete(group, {}, "tinyedge", "_TINYEDGE_COMPLETE").get_completions(words, begun)
    assert found in [item.value for item in completed]


def test_the_program_answers_a_shell(tmp_path: Path) -> None:
    asked = {"_TINYEDGE_COMPLETE": "zsh_complete", "COMP_WORDS": "tinyedge comp", "COMP_CWORD": "1"}
    program = "import sys; sys.argv[0] = 'tinyedge'; from tinyedge.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "compare" in done.stdout.splitlines(), done.stdout + done.stderr


def test_scripts_get_a_tab_between_cells(tmp_path: Path) -> None:
    with fitted(20, plain=True):
        assert render_table(("a", "b c"), [("x y", 1234), (None, "")]) == "a\tb c\nx y\t1,234\n-\t"
        assert format_pairs([("name", "a long text that nobody folds")]) == "name\ta long text that nobody folds"
    lines = tinyedge("boards", "--plain", cwd=tmp_path).stdout.splitlines()
    assert {line.count("\t") for line in lines} == {7}


@given(st.text(alphabet="ab -*\n", max_size=200), st.integers(20, 60))
def test_folding_loses_nothing_and_leaves_no_long_line(text: str, columns: int) -> None:
    folded = fold(text, columns)
    assert folded.split() == text.split()
    for line in folded.split("\n"):
        assert len(line) <= columns or len(max(line.split(), key=len)) > columns - 30


def test_what_is_indented_stays_so() -> None:
    assert fold("- one two three four five", 20) == "- one two three four\n  five"
    assert fold("    deep in a line that is long", 20) == "    deep in a line\n    that is long"

"""The budget of a model: where it is found, and how a run is taken as one."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from kits.artifacts_by_hand import measured
from kits.cli import assert_refused, within
from kits.models import small_convolution
from tinyedge.artifacts import Measured, Silence
from tinyedge.artifacts.budget import Budget
from tinyedge.cli.config import load_config, load_project_budget
from tinyedge.errors import UsageError
from tinyedge.jobs.budget import find_budget, update_budget
from tinyedge.jobs.choices import Choices
from tinyedge.jobs.train import load_model
from tinyedge.report.budgets import read_budget_file, read_budget_table
from tinyedge.table_edit import set_values
from tinyedge.tables import TableError

FOUND = {
    "flash_bytes": 31_234,
    "ram_bytes": 12_345,
    "arena_bytes": 2048,
    "instructions": 182_331,
    "cycles": 307_991,
    "accuracy": 0.9806,
}


def with_budget(budget: Budget) -> Measured:
    found = measured()
    return replace(found, built=replace(found.built, prepared=replace(found.built.prepared, budget=budget)))


def toml(path: Path) -> object:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_the_settings_of_a_project_and_the_file_of_a_model(tmp_path: Path) -> None:
    (tmp_path / "small.tflite").write_bytes(small_convolution())
    (tmp_path / "tinyedge.toml").write_text("[budget]\nram_bytes = 7\n[budget.nrf52840dk-zig]\nflash_bytes = 9\n")
    (tmp_path / "small.budget.toml").write_text("arena_bytes = 5\n")
    config = load_config(tmp_path)
    assert config.budget is not None
    assert config.budget.ram_bytes == 7
    choices = Choices("small.tflite", "host", "zig", None, tmp_path, budget=load_project_budget(tmp_path))
    budget = find_budget(load_model(str(tmp_path / "small.tflite"), tmp_path, Silence()), choices)
    told = {name: limit.value for name, limit in budget.limits("nrf52840dk", "zig").items()}
    assert told == {"flash_bytes": 9, "ram_bytes": 7, "arena_bytes": 5}
    assert budget.limits("nrf52840dk", "gcc").keys() == {"ram_bytes", "arena_bytes"}


def test_pyproject_has_budgets_too(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.tinyedge.budget]\ncycles = 7\n[tool.tinyedge.budget.x]\ncycles=8\n")
    budget = load_project_budget(tmp_path)
    assert budget is not None
    assert (budget.table, sorted(budget.tables)) == (("tool", "tinyedge", "budget"), ["", "x"])
    assert load_project_budget(tmp_path / "nowhere") == budget, "the nearest folder that has settings counts"


@pytest.mark.parametrize("text", ["budget = 3", "[budget]\nflash = 1", "[budget.x]\nflash_bytes = 'a'"])
def test_a_wrong_budget_of_a_project_is_refused(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.tflite").write_bytes(small_convolution())
    (tmp_path / "tinyedge.toml").write_text(text)
    outcome = within(tmp_path, monkeypatch, capsys, "run", "small.tflite", "-b", "nrf52840")
    assert_refused(outcome, 2, "tinyedge.toml", "budget")


def test_a_model_without_budgets_gets_all_figures_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "kws.budget.toml"
    updated = update_budget(with_budget(Budget((), path)))
    assert toml(path) == {"test_board-zig": FOUND}
    assert all(each.before is None for each in updated)
    again = with_budget(Budget((read_budget_file(path),), path))
    before = path.read_text()
    assert update_budget(again) == ()
    assert path.read_text() == before


def test_figures_are_written_where_they_stand_and_nothing_else_changes(tmp_path: Path) -> None:
    own, project = tmp_path / "budget.toml", tmp_path / "tinyedge.toml"
    own.write_text(
        '# ours\narena_bytes = 99 # of all boards\n\n["test_board"]\nram_bytes=1\n\n[other]\nram_bytes = 2\n'
    )
    project.write_text('board = "x" # [budget]\n\n[budget]\nflash_bytes = 40_000\ngrowth_percent = 1\n')
    table = read_budget_table(project, ("budget",), {"flash_bytes": 40_000, "growth_percent": 1})
    updated = update_budget(with_budget(Budget((table, read_budget_file(own)), own)))
    assert [(each.figure, each.before, each.now) for each in updated] == [
        ("flash_bytes", 40_000, 31_234),
        ("ram_bytes", 1, 12_345),
        ("arena_bytes", 99, 2048),
    ]
    assert own.read_text() == (
        '# ours\narena_bytes = 2_048 # of all boards\n\n["test_board"]\nram_bytes=12_345\n\n[other]\nram_bytes = 2\n'
    )
    assert project.read_text() == 'board = "x" # [budget]\n\n[budget]\nflash_bytes = 31_234\ngrowth_percent = 1\n'


def test_an_empty_budget_of_the_project_is_where_figures_go(tmp_path: Path) -> None:
    project = tmp_path / "tinyedge.toml"
    project.write_text("[budget]\n")
    update_budget(with_budget(Budget((read_budget_table(project, ("budget",), {}),), tmp_path / "budget.toml")))
    assert toml(project) == {"budget": {"test_board-zig": FOUND}}
    assert not (tmp_path / "budget.toml").exists()


def test_what_has_no_place_is_refused() -> None:
    for found in (measured(), with_budget(Budget())):
        with pytest.raises(UsageError, match="budget") as caught:
            update_budget(found)
        assert caught.value.hint


@pytest.mark.parametrize("text", ["a = { b = 1 }\n", "a.b = 1\n", "a = 3\n", "=\n"])
def test_what_is_not_written_line_by_line_is_refused(text: str) -> None:
    with pytest.raises(TableError):
        set_values(text, ("a",), {"b": 2})


@pytest.mark.slow
def test_a_run_fails_by_the_budget_of_its_project_until_it_is_updated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.tflite").write_bytes(small_convolution())
    (tmp_path / "tinyedge.toml").write_text('board = "nrf52840"\n[budget]\ninstructions = 1\n')
    call = ("run", "small.tflite", "--samples", "1", "--json")
    outcome = within(tmp_path, monkeypatch, capsys, *call)
    assert_refused(outcome, 1, "over its budget", "instructions", "--update-budget")
    assert outcome.stdout.startswith("{"), "the report comes all the same"
    outcome = within(tmp_path, monkeypatch, capsys, *call, "--update-budget")
    assert outcome.code == 0, outcome.stderr
    assert "budget: instructions = " in outcome.stderr
    assert within(tmp_path, monkeypatch, capsys, *call).code == 0
    for more in (("--runtime", "tflm"), ("small.tflite",)):
        refused = within(tmp_path, monkeypatch, capsys, *call, "--update-budget", *more)
        assert_refused(refused, 2, "--update-budget")

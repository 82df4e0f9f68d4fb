"""Budgets: what is read, what goes before what, and what is too much."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kits.artifacts_by_hand import measured
from tinyedge.artifacts import Figure, Measured
from tinyedge.artifacts.budget import Budget
from tinyedge.errors import CheckError, UsageError
from tinyedge.report.budgets import BudgetLine, budget_cases, measured_lines, read_budget_file, read_budget_table
from tinyedge.report.files import RunFiles
from tinyedge.report.verdict import judge

GOOD = "flash_bytes = 31234\nram_bytes = 12345\narena_bytes = 2048\ninstructions = 182331\ncycles = 307991\n"


def with_budget(found: Measured, *budgets: Budget) -> Measured:
    (budget,) = budgets
    return replace(found, built=replace(found.built, prepared=replace(found.built.prepared, budget=budget)))


def lines_of(folder: Path, text: str, found: Measured | None = None) -> tuple[BudgetLine, ...]:
    path = folder / "budget.toml"
    path.write_text(text, encoding="utf-8")
    return measured_lines(with_budget(found or measured(), Budget((read_budget_file(path),))))


def whole(accuracy: float | None, samples: int = 360) -> Measured:
    """A run over the test set of 360, or a part of it."""
    return measured(device_accuracy=accuracy, samples=samples, outputs=(np.zeros((samples, 1, 150), np.int8),))


def test_a_budget_that_is_kept(tmp_path: Path) -> None:
    lines = lines_of(tmp_path, GOOD + "accuracy = 0.98\n", whole(0.9806))
    assert [line.figure for line in lines] == [
        "flash_bytes",
        "ram_bytes",
        "arena_bytes",
        "instructions",
        "cycles",
        "accuracy",
    ]
    assert not any(line.over for line in lines)


@pytest.mark.parametrize(
    ("text", "over"),
    [
        ("arena_bytes = 1989", False),
        ("arena_bytes = 1988", True),
        ("arena_bytes = 2047\ngrowth_percent = 0", True),
        ("arena_bytes = 2048\ngrowth_percent = 0", False),
        ("arena_bytes = 1862\ngrowth_percent = 10", False),
        ("arena_bytes = 1861\ngrowth_percent = 10", True),
    ],
)
def test_so_much_growth_is_let_through_and_no_more(tmp_path: Path, text: str, over: bool) -> None:
    (line,) = lines_of(tmp_path, text)
    assert line.over is over


@pytest.mark.parametrize(("count", "over"), [(1030, False), (1031, True)])
def test_exactly_three_percent_are_let_through(tmp_path: Path, count: int, over: bool) -> None:
    (line,) = lines_of(tmp_path, "instructions = 1000", measured(instructions=Figure("counted", count)))
    assert line.over is over


@pytest.mark.parametrize(("accuracy", "over"), [(0.9806, False), (0.9805, True), (None, False)])
def test_an_accuracy_may_not_fall_at_all(tmp_path: Path, accuracy: float | None, over: bool) -> None:
    (line,) = lines_of(tmp_path, "accuracy = 0.9806\ngrowth_percent = 50", whole(accuracy))
    assert line.over is over


def test_the_accuracy_over_a_part_of_the_test_set_is_not_compared(tmp_path: Path) -> None:
    (line,) = lines_of(tmp_path, "accuracy = 0.9806", whole(0.5, samples=10))
    assert (line.found, line.over) == (None, False)


def test_cycles_of_a_board_are_not_compared_with_an_emulators(tmp_path: Path) -> None:
    (line,) = lines_of(tmp_path, "cycles = 1", measured(cycles=Figure("measured", 5000)))
    assert (line.found, line.over) == (None, False)


def test_every_figure_over_budget_is_named(tmp_path: Path) -> None:
    path = tmp_path / "budget.toml"
    path.write_text("flash_bytes = 30000\nram_bytes = 12345\ninstructions = 90000\naccuracy = 0.99\n")
    found = with_budget(whole(0.9806), Budget((read_budget_file(path),)))
    with pytest.raises(CheckError) as caught:
        judge(found)
    for text in (
        "flash_bytes: 31,234, budget 30,000 (+4.1 %)",
        "instructions: 182,331, budget 90,000 (+102.6 %)",
        "accuracy: 0.9806, budget 0.9900 at least",
        "over its budget by more than 3 %",
    ):
        assert text in caught.value.what
    assert "ram_bytes" not in caught.value.what
    assert "--update-budget" in caught.value.hint
    assert "budget.toml" in caught.value.hint
    assert caught.value.exit_code == 1


def test_tables_of_board_and_compiler_go_before_the_top_and_the_models_file_before_the_projects(tmp_path: Path) -> None:
    own = tmp_path / "budget.toml"
    own.write_text("arena_bytes = 1\n[test_board]\narena_bytes = 2048\n[test_board-zig]\nflash_bytes = 31000\n")
    project = read_budget_table(
        tmp_path / "tinyedge.toml",
        ("budget",),
        {
            "flash_bytes": 5,
            "ram_bytes": 4,
            "test_board-zig": {"flash_bytes": 6, "growth_percent": 7},
            "test_board-gcc": {"ram_bytes": 1},
            "other": {"ram_bytes": 1},
        },
    )
    limits = Budget((project, read_budget_file(own))).limits("test_board", "zig")
    assert {name: (limit.value, limit.source.path.name, limit.table) for name, limit in limits.items()} == {
        "flash_bytes": (31_000, "budget.toml", "test_board-zig"),
        "ram_bytes": (4, "tinyedge.toml", ""),
        "arena_bytes": (2048, "budget.toml", "test_board"),
    }


def test_what_nothing_counts_cannot_be_over_budget(tmp_path: Path) -> None:
    (line,) = lines_of(tmp_path, "instructions = 1", measured(instructions=None))
    assert (line.found, line.over, str(line)) == (None, False, "instructions: unknown, budget 1")


@pytest.mark.parametrize(
    "text",
    [
        "flash = 3",
        "flash_bytes = 'big'",
        "flash_bytes = 0",
        "flash_bytes = true",
        "[x]\ncycels = 3",
        "accuracy = 97.5",
        "growth_percent = -1",
        "[a.b]\nflash_bytes = 1",
        "=",
        "\xff",
    ],
)
def test_a_wrong_budget_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "budget.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match="budget") as caught:
        read_budget_file(path)
    assert caught.value.hint


def test_a_missing_budget_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no readable budget"):
        read_budget_file(tmp_path / "none.toml")


def test_junit_has_a_case_for_each_budget(tmp_path: Path) -> None:
    (tmp_path / "budget.toml").write_text("flash_bytes = 30000\nram_bytes = 12345\ncycles = 1\n")
    found = measured(cycles=None, cycles_spread=None)
    RunFiles(junit=tmp_path / "run.xml").write(
        with_budget(found, Budget((read_budget_file(tmp_path / "budget.toml"),)))
    )
    cases = {case.get("name", ""): case for case in ET.parse(tmp_path / "run.xml").iter("testcase")}
    told = {name: [part.tag for part in case] for name, case in cases.items() if "budget" in name}
    assert told == {
        "flash_bytes within the budget": ["failure"],
        "ram_bytes within the budget": [],
        "cycles within the budget": ["skipped"],
    }
    assert budget_cases(()) == ()

"""The table of docs/compression.md says what trainings and runs gave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.compression import list_cases
from benchmarks.compression_table import BASE, render_page, row_of

from tinyedge.train.compress.order import check_order
from tinyedge.train.recipe import find_recipe


@pytest.fixture(scope="module")
def models(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "benchmarks" / "compression.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["models"]
    return found


def test_the_page_holds_what_was_found(root: Path, models: dict[str, Any]) -> None:
    page = (root / "docs" / "compression.md").read_text(encoding="utf-8")
    assert render_page(page, models) == page


def test_every_case_is_a_recipe_and_every_row_one_of_them(models: dict[str, Any]) -> None:
    for name, found in models.items():
        cases = list_cases(find_recipe(name))
        for case in cases:
            check_order(case.techniques)
        assert set(found) <= {case.name for case in cases}
        assert BASE in found


def test_the_board_answers_as_the_int8_model_does(models: dict[str, Any]) -> None:
    for found in models.values():
        for case, seeds in found.items():
            for each in seeds.values():
                assert each["device"] == pytest.approx(each["int8"]), case
                assert 1 - len(each["wrong"]) / each["samples"] == pytest.approx(each["device"]), case


def test_a_row_gives_means_and_the_spread() -> None:
    one: dict[str, Any] = dict.fromkeys(
        ("float", "int8", "flash_bytes", "constant_bytes", "ram_bytes", "instructions", "train_seconds"), 1
    )
    seeds = {"1": {**one, "device": 0.5, "wrong": [1]}, "2": {**one, "device": 0.75, "wrong": []}}
    base = {"1": {"wrong": []}, "2": {"wrong": [3]}, "3": {"wrong": [1, 2, 3]}}
    _, count, *_, device, spread, difference, _, _, _, _, _ = row_of("a", seeds, base)
    assert (count, device, spread, difference) == ("2", "0.6250", "0.2500", "-1 +1, p 1")

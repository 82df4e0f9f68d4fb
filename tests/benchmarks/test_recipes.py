"""The tables of docs/recipes.md say what trainings gave, and what they gave keeps what is promised."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
from benchmarks.recipe_tables import by_fold, folds_table, render_page, summary_table

from tinyedge.train import find_recipe

PROMISES = {
    "activity": {"int8_accuracy": 0.87, "int8_recordings_accuracy": 0.92},
    "anomaly": {"int8_auc": 0.92},
    "digits": {"int8_accuracy": 0.985},
    "fashion": {"int8_accuracy": 0.900},
    "keyword": {"int8_accuracy": 0.82},
}
"""means over all folds and seeds, at least"""
COSTS = {"activity": 500_000, "anomaly": 5_000, "digits": 150_000, "fashion": 1_500_000, "keyword": 1_350_000}
"""instructions, at most"""


@pytest.fixture(scope="module")
def recipes(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "benchmarks" / "recipes.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["recipes"]
    return found


def test_the_page_holds_what_was_found(root: Path, recipes: dict[str, Any]) -> None:
    page = (root / "docs" / "recipes.md").read_text(encoding="utf-8")
    assert render_page(page, recipes) == page
    for name, found in recipes.items():
        assert folds_table(name, found) in page
    assert summary_table(recipes) in page


def test_every_fold_of_a_recipe_was_trained(recipes: dict[str, Any]) -> None:
    assert set(recipes) == set(PROMISES)
    for name, found in recipes.items():
        assert len(found) >= 3, f"{name}: seeds"
        wanted = [change for change, _ in find_recipe(name).each_fold()] or [{}]
        for of_seed in found.values():
            assert [fold["data"] for fold in of_seed["folds"]] == wanted, name
            assert len({fold["digest"] for fold in of_seed["folds"]}) == len(wanted)
            assert of_seed["board"]["optimize"] == find_recipe(name).optimize


@pytest.mark.parametrize("name", PROMISES)
def test_recipes_reach_what_is_promised(name: str, recipes: dict[str, Any]) -> None:
    for metric, least in PROMISES[name].items():
        values = [fmean(each) for each in by_fold(recipes[name], metric).values()]
        assert fmean(values) >= least
        floats = [fmean(each) for each in by_fold(recipes[name], metric.replace("int8", "float")).values()]
        assert abs(fmean(values) - fmean(floats)) <= 0.01
    for of_seed in recipes[name].values():
        assert of_seed["board"]["instructions"] <= COSTS[name]


def test_no_speaker_is_below_the_least_and_each_normal_exercise_is_told(recipes: dict[str, Any]) -> None:
    speakers = by_fold(recipes["keyword"], "int8_accuracy")
    assert len(speakers) == 6
    assert min(fmean(values) for values in speakers.values()) >= 0.70
    folds = [fold for of_seed in recipes["anomaly"].values() for fold in of_seed["folds"]]
    for normal in ("ABD", "ROW", "IR"):
        assert fmean(fold["metrics"]["int8_auc"] for fold in folds if fold["data"]["normal"] == normal) >= 0.85
    assert all("mahalanobis_auc" in fold["metrics"] for fold in folds)
    assert recipes["fashion"]["1"]["board"]["flash_bytes"] <= 42_000
    fashion = recipes["fashion"]["1"]["folds"][0]["metrics"]
    assert abs(fashion["int8_accuracy"] - fashion["float_accuracy"]) <= 0.005


def test_a_table_of_means_is_worked_out_of_its_folds() -> None:
    found = {
        str(seed): {
            "versions": {"python": "3"},
            "board": {
                "optimize": "size",
                "instructions": 1_000,
                "flash_bytes": 2_000,
                "ram_bytes": 300,
                "arena_bytes": 40,
            },
            "folds": [
                {
                    "data": {"kind": kind, "people": people},
                    "digest": f"{seed}{kind}{people}" * 5,
                    "metrics": {"float_auc": 0.5, "int8_auc": value + seed / 100, "train_cpu_seconds": 3.0},
                }
                for kind, people, value in (("a", [1, 2], 0.5), ("a", [3], 0.7), ("b", [1, 2], 0.9))
            ],
        }
        for seed in (1, 2)
    }
    (row,) = summary_table({"one": found}).splitlines()[2:]
    assert row == "| `one` | AUC | 0.5000 | 0.7150 | 0.0100 | 0.5150 | size | 1,000 | 2,000 B | 300 B | 40 B | 3 | 2 |"
    table = folds_table("one", found)
    assert "| 2 | a, 1 2 | 0.5000 | 0.5200 | `2a[1, 2]2a[1` |" in table
    assert "| all | mean of a | 0.5000 | 0.6150 | all |" in table
    assert "| all | mean | 0.5000 | 0.7150 | all |" in table
    assert "| all | spread | 0.0000 | 0.0100 | all |" in table

"""docs/model-table.md says what runs of public models gave, and what they gave keeps what is promised."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from benchmarks.model_runs import measure
from benchmarks.model_table import kind_ratios, mean_ratio, ratio, render_page
from benchmarks.models import LEVELS
from benchmarks.public_models import find_files, read_list

from tinyedge.jobs.choices import Choices

SKIP = "set TINYEDGE_MODELS to a folder with files of benchmarks/public_models.toml"
AGAIN = ("keyword_scrambled_8bit", "trained_lstm_int8", "image_example1")
"""small models of kinds of layers that others have not"""


@pytest.fixture(scope="module")
def entries(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "benchmarks" / "model_runs.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["models"]
    return found


def test_the_list_says_where_each_model_is_from() -> None:
    models = read_list()
    assert len(models) >= 30
    assert len({model.name for model in models}) == len({model.sha256 for model in models}) == len(models)
    for model in models:
        assert re.fullmatch(r"[0-9a-f]{64}", model.sha256)
        assert re.fullmatch(r"[0-9a-f]{40}", model.commit)
        assert model.path.endswith(".tflite")
        assert model.licence in ("Apache-2.0", "MIT", "Zlib")


def test_the_page_holds_what_was_found(root: Path, entries: dict[str, Any]) -> None:
    page = (root / "docs" / "model-table.md").read_text(encoding="utf-8")
    assert render_page(page, entries) == page


def test_what_was_found_is_of_the_list(entries: dict[str, Any]) -> None:
    digests = {model.name: model.sha256 for model in read_list()}
    for name, entry in entries.items():
        assert entry["sha256"] == digests[name]
        for ran in entry["runs"].values():
            assert ran.get("mismatches", 0) == 0, name


def test_ratios_are_of_what_both_ran() -> None:
    def ran(instructions: int, **kinds: int) -> dict[str, Any]:
        return {"instructions": instructions, "kinds": kinds}

    found = {
        "a": {"runs": {"balanced": ran(10, mul=4, add=6), "tflm": ran(40, mul=30, add=10)}},
        "b": {"runs": {"balanced": ran(90, mul=90), "tflm": ran(90, mul=90)}},
        "c": {"runs": {"balanced": ran(7, mul=7), "tflm": {"refused": "too large"}}},
    }
    assert ratio(found["a"], "balanced") == 0.25
    assert ratio(found["c"], "balanced") is None
    assert mean_ratio(found, "balanced") == pytest.approx(0.5)
    assert kind_ratios(found) == {"add": (1, 6, 10), "mul": (2, 94, 120)}


@pytest.mark.slow
@pytest.mark.parametrize("name", AGAIN)
def test_runs_are_as_they_were(name: str, entries: dict[str, Any], tmp_path: Path) -> None:
    folder = os.environ.get("TINYEDGE_MODELS")
    if not folder:
        pytest.skip(SKIP)
    path = find_files(Path(folder)).get(entries[name]["sha256"])
    if path is None:
        pytest.skip(f"`{name}` is not in {folder}: {SKIP}")
    for level in LEVELS[1:]:
        found = measure(Choices(str(path), entries[name]["board"], "zig", level, tmp_path))
        known = entries[name]["runs"][level]
        assert found["mismatches"] == 0
        assert found["instructions"] == pytest.approx(known["instructions"], rel=0.01)
        assert found["arena_bytes"] == known["arena_bytes"]

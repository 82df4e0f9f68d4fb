"""The table of docs/streaming.md says what the recipe `keyword` heard of speakers that it did not know."""

from __future__ import annotations

import json
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.listening import _write_recording, render_page


@pytest.fixture(scope="module")
def speakers(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "benchmarks" / "listening.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = document["speakers"]
    return found


def test_the_page_holds_what_was_heard(root: Path, speakers: dict[str, Any]) -> None:
    page = (root / "docs" / "streaming.md").read_text(encoding="utf-8")
    assert render_page(page, speakers) == page
    every = list(speakers.values())
    for figure in ("listening_ram_bytes", "arena_bytes"):
        (value,) = {each[figure] for each in every}
        assert f"{value:,} B" in page


def test_each_model_is_one_that_did_not_know_the_speaker(root: Path, speakers: dict[str, Any]) -> None:
    recipes = json.loads((root / "benchmarks" / "recipes.json").read_text(encoding="utf-8"))["recipes"]
    folds = [fold["digest"] for fold in recipes["keyword"]["1"]["folds"]]
    assert [each["model"] for _, each in sorted(speakers.items())] == folds
    assert all(each["core_percent"] < 30 and each["rows"] > 1_000 for each in speakers.values())


def test_a_recording_holds_each_digit_once_at_its_label(tmp_path: Path) -> None:
    folder = tmp_path / "spoken"
    folder.mkdir()
    for digit in range(10):
        with wave.open(str(folder / f"{digit}_anna_3.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8_000)
            file.writeframes(np.full(800 + digit, 1_000 + digit, "<i2").tobytes())
    recording, labels = _write_recording(folder, "anna", 1, tmp_path)
    with wave.open(str(recording)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    lines = [line.split("\t") for line in labels.read_text(encoding="utf-8").splitlines()]
    names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    assert sorted(name for *_, name in lines) == sorted(names)
    for start, end, name in lines:
        within = samples[round(float(start) * 8_000) + 4 : round(float(end) * 8_000) - 4]
        assert set(within) == {1_000 + names.index(name)}

"""The recipes of MLPerf Tiny's networks read the official sets: made-up ones of the same layout, and they say so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.cli import tinyedge
from kits.official_sets import (
    PICTURES,
    SAID,
    WORDS,
    write_cifar,
    write_speech_commands,
    write_toy_car,
    write_wake_words,
)
from kits.recipes import needs_tensorflow
from tinyedge.errors import UsageError
from tinyedge.train import find_recipe
from tinyedge.train.author import load_splits
from tinyedge.train.splits import Splits


def load(name: str, folder: Path) -> Splits:
    splits = load_splits(find_recipe(name).with_data(folder=str(folder)))
    assert splits.made_up == SAID
    return splits


def parts(splits: Splits) -> dict[str, tuple[Any, list[int]]]:
    """(inputs, targets) of each."""
    return {
        name: (np.asarray(getattr(splits, f"{name}_inputs")), np.asarray(getattr(splits, f"{name}_targets")).tolist())
        for name in splits.names
    }


def test_speech_commands_by_its_own_lists(tmp_path: Path) -> None:
    splits = load("kws", write_speech_commands(tmp_path / "speech_commands_v0.02"))
    assert splits.class_names == (*WORDS, "_silence_", "_unknown_")
    found = parts(splits)
    for name, (inputs, targets) in found.items():
        assert inputs.shape[1:] == (49, 10, 1)
        assert set(targets) == set(range(12)), name
        assert targets.count(0) == {"train": 3, "validation": 1, "test": 1}[name]
    scaled = found["train"][0]
    np.testing.assert_allclose(scaled.mean(axis=(0, 1)), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(axis=(0, 1)), 1, atol=1e-3)
    assert splits.test_groups is not None
    assert splits.train_groups is not None
    assert not set(splits.test_groups.tolist()) & set(splits.train_groups.tolist())


def test_cifar_as_python_2_pickled_it(tmp_path: Path) -> None:
    folder = write_cifar(tmp_path / "cifar-10-batches-py")
    splits = load("ic", folder)
    assert splits.class_names == PICTURES
    found = parts(splits)
    assert sum(len(found[name][1]) for name in ("train", "validation")) == 100
    inputs, targets = found["test"]
    assert targets == [number % 10 for number in range(20)]
    assert inputs.shape == (20, 32, 32, 3)
    raw = (folder / "test_batch").read_bytes()
    start = raw.index(b"\x89T") + 6
    of_first = np.frombuffer(raw[start : start + 3_072], np.uint8).reshape(3, 32, 32).transpose(1, 2, 0)
    np.testing.assert_allclose(inputs[0], of_first / 255, atol=1e-6)


def test_wake_words_take_pictures_without_colours(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="Pillow is missing: the extra `data` brings it")
    splits = load("vww", write_wake_words(tmp_path / "vw_coco2014_96"))
    assert splits.class_names == ("non_person", "person")
    found = parts(splits)
    assert sum(len(targets) for _, targets in found.values()) == 24
    for inputs, targets in found.values():
        assert inputs.shape[1:] == (96, 96, 3)
        assert set(targets) == {0, 1}
    assert "2 of 24 images have no colours, and are read as if they had" in splits.notes


def test_toy_car_learns_what_is_normal(tmp_path: Path) -> None:
    folder = write_toy_car(tmp_path / "ToyCar")
    splits = load("ad", folder)
    found = parts(splits)
    assert {name: inputs.shape[1:] for name, (inputs, _) in found.items()} == dict.fromkeys(splits.names, (640,))
    assert set(found["train"][1]) == set(found["validation"][1]) == {0}
    assert set(found["test"][1]) == {0, 1}
    assert splits.test_groups is not None
    assert "test/anomaly_id_01_00000000.wav" in splits.test_groups.tolist()
    (folder / "test" / "normal_id_01_00000000.wav").rename(folder / "test" / "id_01.wav")
    with pytest.raises(UsageError, match=r"id_01.wav` says neither that it is normal nor an anomaly"):
        load("ad", folder)


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
def test_every_report_says_that_the_set_is_made_up(tmp_path: Path) -> None:
    folder = write_toy_car(tmp_path / "ToyCar")
    trained = tinyedge("train", "ad", "--quick", "--data", folder, "--json", cwd=tmp_path)
    assert trained.code == 0, trained.stderr
    assert json.loads(trained.stdout)["made_up_data"] == SAID
    told = tinyedge("train", "ad", "--quick", "--data", folder, cwd=tmp_path)
    assert f"data made up: {SAID}" in " ".join(told.stdout.split())

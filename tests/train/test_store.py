"""Trained models on disk: what changes their digest, and what is not taken for one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from kits.recipes import RECIPE, write_recipe
from tinyedge.cache import Store
from tinyedge.digests import digest
from tinyedge.errors import UsageError
from tinyedge.train import float_stage, load_recipe, load_trained, training_digest
from tinyedge.train import store as store_module
from tinyedge.train.compress.prune import Prune
from tinyedge.train.recipe import Recipe
from tinyedge.train.store import METRICS, MODEL, SAMPLES, write_trained

Change = Callable[[Path], object]


def _append(name: str, text: str) -> Change:
    def change(folder: Path) -> None:
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text((path.read_text() if path.exists() else "") + text)

    return change


def _edit_recipe(old: str, new: str) -> Change:
    return lambda folder: (folder / "recipe.toml").write_text(RECIPE.replace(old, new, 1))


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (_append("model.py", "\n"), True),
        (_append("data.py", "\n"), True),
        (_append("helper.py", "x = 1\n"), True),
        (_append("data/points.csv", "1,2\n"), True),
        (_edit_recipe("seed = 3", "seed = 4"), True),
        (_edit_recipe("sparsity = 0.5", "sparsity = 0.6"), True),
        (_edit_recipe("points = 256", "points = 512"), True),
        (_edit_recipe('technique = "quantize_aware"\nepochs = 1', 'technique = "quantize_aware"\nepochs = 2'), True),
        (_edit_recipe("representative_samples = 50", "representative_samples = 51"), True),
        (_append("recipe.toml", "# a remark\n"), False),
        (_append("README.md", "read me\n"), False),
        (_append("budget.toml", "x = 1\n"), False),
        (_edit_recipe('optimize = "size"', 'optimize = "speed"'), False),
        (_edit_recipe("two clouds of points", "two clouds"), False),
    ],
)
def test_the_digest_follows_what_determines_the_result(tmp_path: Path, change: Change, differs: bool) -> None:
    folder = write_recipe(tmp_path / "clouds")
    before = training_digest(load_recipe(folder))
    change(folder)
    assert (training_digest(load_recipe(folder)) != before) == differs


def test_the_digest_is_one_of_the_recipe_not_of_its_place(tmp_path: Path) -> None:
    here, there = (load_recipe(write_recipe(tmp_path / place / "clouds")) for place in ("here", "there"))
    assert training_digest(here) == training_digest(there)
    assert training_digest(dataclasses.replace(here, compress=(Prune(0.9, 1),))) != training_digest(here)


def test_the_digest_follows_the_versions_of_the_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_recipe(write_recipe(tmp_path / "clouds"))
    before = training_digest(recipe)
    real = metadata.version
    monkeypatch.setattr(store_module.metadata, "version", lambda name: "9.9" if name == "tensorflow" else real(name))
    other = training_digest(recipe)

    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(store_module.metadata, "version", absent)
    assert len({before, other, training_digest(recipe)}) == 3


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A folder as training leaves it."""
    folder = tmp_path / "trained"
    folder.mkdir()
    samples = np.arange(-8, 8, dtype=np.int8).reshape(4, 1, 2, 2)
    np.savez(tmp_path / "samples.npz", samples=samples, labels=np.array([0, 1, 1, 0]))
    figures = {
        "model": "clouds",
        "float_accuracy": 0.75,
        "int8_accuracy": 0.5,
        "heads": ["kind"],
        "sparsity": 0.25,
        "metrics": {"parameters": 7.0},
    }
    write_trained(folder, {MODEL: b"flatbuffer", SAMPLES: (tmp_path / "samples.npz").read_bytes()}, figures)
    return folder


def test_what_is_written_is_read_back(kept: Path) -> None:
    model = load_trained(kept)
    assert model is not None
    assert (model.name, model.tflite, model.digest) == ("clouds", b"flatbuffer", digest(b"flatbuffer"))
    assert (model.float_accuracy, model.int8_accuracy, model.sparsity) == (0.75, 0.5, 0.25)
    assert model.metrics == {"parameters": 7.0}
    assert model.samples is not None
    (samples,) = model.samples
    assert samples.shape == (4, 1, 2, 2)
    assert samples.dtype == np.int8
    assert model.labels is not None
    assert model.labels.tolist() == [0, 1, 1, 0]
    assert sorted(path.name for path in kept.iterdir()) == [METRICS, MODEL, SAMPLES]


@pytest.mark.parametrize("name", [METRICS, MODEL, SAMPLES])
def test_a_missing_file_is_no_model(kept: Path, name: str) -> None:
    (kept / name).unlink()
    assert load_trained(kept) is None


@pytest.mark.parametrize("name", [MODEL, SAMPLES])
def test_a_changed_file_is_no_model(kept: Path, name: str) -> None:
    data = bytearray((kept / name).read_bytes())
    data[len(data) // 2] ^= 1
    (kept / name).write_bytes(bytes(data))
    assert load_trained(kept) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema": "tinyedge.trained/0"}', "\udcff"])
def test_broken_metrics_are_no_model(kept: Path, text: str) -> None:
    (kept / METRICS).write_bytes(text.encode("utf-8", "surrogateescape"))
    assert load_trained(kept) is None


def test_metrics_of_another_schema_are_no_model(kept: Path) -> None:
    document = json.loads((kept / METRICS).read_text())
    (kept / METRICS).write_text(json.dumps({**document, "schema": "tinyedge.trained/2"}))
    assert load_trained(kept) is None


def test_metrics_with_a_flipped_digit_are_no_model(kept: Path) -> None:
    text = (kept / METRICS).read_text()
    (kept / METRICS).write_text(text.replace('"int8_accuracy": 0.5', '"int8_accuracy": 0.7'))
    assert load_trained(kept) is None


def test_no_folder_is_no_model(tmp_path: Path) -> None:
    assert load_trained(tmp_path / "nowhere") is None


def test_several_inputs_come_back_in_their_order(tmp_path: Path) -> None:
    arrays = {
        "samples" + (f"_{index}" if index else ""): np.full((2, 1, index + 1), index, np.int8) for index in range(12)
    }
    np.savez(
        tmp_path / "samples.npz",
        labels=np.array([0, 1]),
        targets_1=np.zeros((2, 1)),
        labels_2=np.array([1, 0]),
        **arrays,
    )
    metrics = {"int8_big_accuracy": 0.25, "float_big_accuracy": 0.75}
    figures = {"model": "m", "float_accuracy": None, "int8_accuracy": None, "sparsity": 0.0, "metrics": metrics}
    figures["heads"] = ["kind", "size", "big"]
    write_trained(tmp_path, {MODEL: b"x", SAMPLES: (tmp_path / "samples.npz").read_bytes()}, figures)
    model = load_trained(tmp_path)
    assert model is not None
    assert model.samples is not None
    assert [array.shape for array in model.samples] == [(2, 1, index + 1) for index in range(12)]
    assert model.labels is not None
    assert model.labels.tolist() == [0, 1]
    (big,) = model.further_labels
    assert (big.output, big.name, big.labels.tolist()) == (2, "big", [1, 0])
    assert (big.float_accuracy, big.int8_accuracy) == (0.75, 0.25)


def test_a_regression_has_no_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "samples.npz", samples=np.zeros((2, 1, 1), np.int8), targets=np.zeros((2, 1)))
    figures = {
        "model": "m",
        "float_accuracy": None,
        "int8_accuracy": None,
        "sparsity": 0.0,
        "metrics": {},
        "heads": ["size"],
    }
    write_trained(tmp_path, {MODEL: b"x", SAMPLES: (tmp_path / "samples.npz").read_bytes()}, figures)
    model = load_trained(tmp_path)
    assert model is not None
    assert model.labels is None
    assert model.float_accuracy is None


def test_an_interrupted_write_leaves_the_old_model_or_none(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(path: Path, target: Path) -> Path:
        if target.name == SAMPLES:
            raise KeyboardInterrupt
        return path.rename(target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_trained(kept, {MODEL: b"newer", SAMPLES: b"newer"}, {"model": "clouds"})
    assert load_trained(kept) is None
    assert not list(kept.glob("*.part"))


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "nowhere").touch()
    with pytest.raises(UsageError, match=r"nothing can be written into .*nowhere"):
        write_trained(tmp_path / "nowhere", {MODEL: b""}, {})


def test_recipes_compare_by_value(tmp_path: Path) -> None:
    folder = write_recipe(tmp_path / "clouds")
    first: Recipe = load_recipe(folder)
    assert first == load_recipe(folder)


def test_a_float_stage_that_is_damaged_or_of_another_name_is_not_taken(tmp_path: Path) -> None:
    kept = Store(tmp_path, ".float")
    kept.put("one", b"not even an archive")
    kept.path("one").rename(kept.path("other"))
    kept.put("cut", bytes(100))
    kept.path("cut").write_bytes(kept.path("cut").read_bytes()[:-1])
    for name in ("one", "other", "cut"):
        assert not float_stage.restore(tmp_path, name, None)

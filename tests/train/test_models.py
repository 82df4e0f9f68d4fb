"""The recipes that come with tinyedge: what their data.py makes of files, and that the quick form of each trains."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.cli import tinyedge
from kits.recipe_data import write_clothes, write_digits, write_watch
from kits.recipes import needs_tensorflow
from tinyedge.errors import UsageError
from tinyedge.features.quantize import fit_input
from tinyedge.features.stream import fit_stream
from tinyedge.graph.ir import DType, Quantization, Tensor
from tinyedge.train import find_recipe
from tinyedge.train.author import build_model, load_splits
from tinyedge.train.splits import Splits

MADE_UP = ("ad", "ic", "kws", "vww")
"""those that have data of their own, where none is named"""


def load(name: str, **data: Any) -> Splits:
    return load_splits(find_recipe(name).with_data(**data))


@pytest.fixture(scope="module")
def watch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_watch(tmp_path_factory.mktemp("watch") / "watch_dataset.npy")


def test_people_of_the_activity_test_are_in_no_other_split(watch: Path) -> None:
    for people in ([1, 2, 3], [9, 10]):
        splits = load("activity", file=str(watch), test_subjects=people)
        assert splits.test_groups is not None
        assert splits.train_groups is not None
        assert splits.features is not None
        assert set(splits.test_groups.tolist()) == set(people)
        assert set(splits.train_groups.tolist()) == set(range(1, 11)) - set(people)
        values = splits.features(np.asarray(splits.train_inputs))
        assert values.shape[1:] == (150, 1, 6)
        np.testing.assert_allclose(values.mean(axis=(0, 1, 2)), 0, atol=1e-3)
        np.testing.assert_allclose(values.std(axis=(0, 1, 2)), 1, atol=1e-3)


@pytest.mark.parametrize("people", [[1, 2, 3], [7, 8], [9, 10]])
def test_who_chooses_the_threshold_neither_trains_nor_tests(watch: Path, people: list[int]) -> None:
    splits = load("anomaly", file=str(watch), test_subjects=people, normal="IR")
    groups = [set(getattr(splits, f"{split}_groups").tolist()) for split in ("train", "validation", "test")]
    assert groups[2] == set(people)
    assert len(groups[1]) == 1
    assert set.union(*groups) == set(range(1, 11))
    assert not np.asarray(splits.train_targets).any()
    assert set(np.asarray(splits.test_targets).tolist()) == {0, 1}
    inputs = np.asarray(splits.train_inputs)
    assert inputs.shape[1:] == (18,)
    assert np.abs(inputs).max() <= 6


def test_the_speaker_of_the_keyword_test_is_in_no_other_split(tmp_path: Path) -> None:
    folder = write_digits(tmp_path / "recordings")
    for speaker in range(3):
        splits = load("keyword", folder=str(folder), test_speaker=speaker)
        assert splits.test_groups is not None
        assert splits.train_groups is not None
        assert set(splits.test_groups.tolist()) == {f"s{speaker}"}
        assert f"s{speaker}" not in splits.train_groups.tolist()
        assert np.asarray(splits.test_targets).tolist() == sorted(list(range(10)) * 2)
        assert np.asarray(splits.test_inputs).shape == (20, 8000)
        assert splits.made_up == ""
    with pytest.raises(UsageError, match=r"`test_speaker` is 3; there are 3 speakers, s0, s1, s2"):
        load("keyword", folder=str(folder), test_speaker=3)
    with pytest.raises(UsageError, match="there is no folder"):
        load("keyword", folder=str(tmp_path / "none"))


def test_the_keyword_recipe_listens_several_times_within_a_word() -> None:
    recipe = find_recipe("keyword")
    assert recipe.features is not None
    assert recipe.stream is not None
    of_input = Tensor(0, "sound", (1, 61, 40), DType.INT8, Quantization((0.13,), (-128,)))
    of_output = Tensor(1, "digit", (1, 10), DType.INT8, Quantization((1 / 256,), (-128,)))
    filled = fit_input(recipe.features, "keyword", of_input)
    stream = fit_stream(recipe.stream, filled, "keyword", of_output, (), keeps_state=False)
    assert filled.instants <= 8_000  # a second
    assert stream.run_rows * recipe.features.stride <= 0.2 * 8_000
    assert stream.classes == tuple(range(10))


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
def test_the_keyword_network_hears_soft_voices_as_loud_ones() -> None:
    from tf_keras import Model

    recipe = find_recipe("keyword")
    assert recipe.features is not None
    assert recipe.features.rows(8_000) == 61
    time = np.arange(8_000) / 8_000
    tones = np.stack([np.sin(2 * np.pi * hz * time) * (time > 0.5) for hz in (300, 1_000, 3_000)]).astype(np.float32)
    model = build_model(recipe, Splits(tones, np.arange(3), tones, np.arange(3)))
    heard = Model(model.inputs, model.get_layer("above_floor").output)
    loud, soft = (
        np.asarray(
            heard(
                np.stack([recipe.features.reference(recipe.features.to_samples(tone)[:, None]) for tone in sound])
                * np.float32(recipe.features.unit)
            )
        )[..., 0]
        for sound in (tones, 0.03 * tones)
    )
    assert (loud[:, :28] == 0).all()
    assert loud.max() == pytest.approx(15, abs=0.1)
    assert np.abs(loud - soft)[:, 35:].mean() < 0.5
    bands = loud.mean(axis=1).argmax(axis=1)
    np.testing.assert_array_equal(soft.mean(axis=1).argmax(axis=1), bands)
    edges = 700 * np.expm1(np.linspace(1127 * np.log1p(60 / 700), 1127 * np.log1p(3_900 / 700), 42) / 1127)
    for band, hz in zip(bands, (300, 1_000, 3_000), strict=True):
        assert edges[band] < hz < edges[band + 2]


def test_the_last_pictures_of_the_training_files_are_for_the_validation(tmp_path: Path) -> None:
    splits = load("fashion", folder=str(write_clothes(tmp_path / "clothes", 60, 20)), validation_images=20)
    assert [splits.count(split) for split in splits.names] == [40, 20, 20]
    assert np.asarray(splits.train_inputs).shape == (40, 28, 28, 1)
    assert 0 <= np.asarray(splits.train_inputs).min() <= np.asarray(splits.train_inputs).max() <= 1
    with pytest.raises(UsageError, match="there is no folder") as caught:
        load("fashion", folder=str(tmp_path / "none"))
    assert "dataset-fashion-mnist" in caught.value.hint


def test_made_up_data_says_that_it_is() -> None:
    assert load("ic").made_up == "stripes of ten kinds"


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
@pytest.mark.parametrize("name", ["activity", "anomaly", "fashion", "keyword", *MADE_UP])
def test_the_quick_form_trains(name: str, tmp_path: Path, watch: Path) -> None:
    places = {
        "activity": lambda: watch,
        "anomaly": lambda: watch,
        "fashion": lambda: write_clothes(tmp_path / "clothes", 5_600),
        "keyword": lambda: write_digits(tmp_path / "recordings", speakers=6, takes=1),
    }
    data = ("--data", places[name]()) if name in places else ()
    outcome = tinyedge("train", name, "--quick", *data, "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    judged = "auc" if name in ("ad", "anomaly") else "accuracy"
    assert {f"float_{judged}", f"int8_{judged}", "parameters"} <= set(document["metrics"])
    assert ("made_up_data" in document) == (name in MADE_UP)
    if judged == "auc":
        assert {"mahalanobis_auc", "threshold", "int8_detected", "int8_false_alarms"} <= set(document["metrics"])
    if name == "activity":
        assert "int8_recordings_accuracy" in document["metrics"]
    epochs = json.loads((tmp_path / "build" / name / "epochs.json").read_text())
    assert epochs["schema"] == "tinyedge.epochs/1"
    assert [row["epoch"] for row in epochs["epochs"]] == list(range(1, len(epochs["epochs"]) + 1))
    assert (tmp_path / "build" / name / "curves.png").read_bytes().startswith(b"\x89PNG")

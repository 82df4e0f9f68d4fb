"""[features] of a recipe: read, kept, and refused where they do not fit the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyedge.errors import UsageError
from tinyedge.features import KINDS, read_features
from tinyedge.graph.ir import DType, Graph, Quantization, Tensor
from tinyedge.new.keyword import wav
from tinyedge.tables import TableError
from tinyedge.train.author import load_splits
from tinyedge.train.featured import device_samples, features_table, values_of, with_features
from tinyedge.train.recipe import load_recipe, read_recipe_table
from tinyedge.train.splits import Splits

LOG_MEL = {"kind": "log_mel", "rate_hz": 8000, "high_hz": 3800.0, "channels": 8}


def splits(*shape: int, **more: Any) -> Splits:
    random = np.random.default_rng(0)
    train, test = (random.uniform(-1, 1, (4, *shape)).astype(np.float32) for _ in range(2))
    return Splits(train, np.arange(4) % 2, test, np.arange(4) % 2, **more)


def test_a_recipe_keeps_its_features(tmp_path: Path) -> None:
    table = {"fit": {"epochs": 1}, "features": LOG_MEL, "stream": {"average": 5}}
    recipe = read_recipe_table(table, tmp_path)
    assert recipe.features == read_features(LOG_MEL)
    assert recipe.stream is not None
    assert recipe.stream.average == 5
    assert read_recipe_table(recipe.to_json(), tmp_path).features == recipe.features
    without = read_recipe_table({"fit": {"epochs": 1}}, tmp_path)
    assert without.features is None
    assert "features" not in without.to_json()
    with pytest.raises(TableError, match="did you mean `log_mel`"):
        read_recipe_table({"fit": {"epochs": 1}, "features": {"kind": "log_mell"}}, tmp_path)


def test_every_kind_comes_back_from_its_table() -> None:
    given = {"log_mel": LOG_MEL, "microfrontend": {"kind": "microfrontend"}}
    for table in given.values():
        features = read_features(table)
        assert read_features(features_table(features)) == features
    assert features_table(None) is None
    assert set(given) <= set(KINDS)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (splits(200), "have 200 samples of time; a row of the features `log_mel` takes 240"),
        (splits(800, 3), r"take signals \[N, instants, 1\]; the data is \[4, 800, 3\]"),
        (splits(8, 8, 8), r"the data is \[4, 8, 8, 8\]"),
        (splits(800, features=lambda signals: signals), "leave one of them out|data.py gives `features`"),
    ],
)
def test_data_that_has_no_such_features(data: Splits, words: str) -> None:
    with pytest.raises(UsageError, match=words) as refused:
        with_features(data, read_features(LOG_MEL))
    assert refused.value.hint


def test_recordings_of_another_rate_are_refused(tmp_path: Path) -> None:
    for name in ("no", "yes"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for take in range(4):
            tone = np.sin(np.arange(8000) / (3 + take)) / 2
            (tmp_path / "data" / name / f"{take}.wav").write_bytes(wav(tone, 16_000))
    (tmp_path / "model.py").write_text("")
    (tmp_path / "recipe.toml").write_text(
        '[data]\nsource = "data"\n[fit]\nepochs = 1\n[features]\nkind = "log_mel"\nrate_hz = 8000\nhigh_hz = 3800\n'
    )
    with pytest.raises(UsageError, match="has 16,000 samples a second; the features `log_mel` are of 8,000"):
        load_splits(load_recipe(tmp_path))


@pytest.mark.slow
def test_training_and_device_see_the_same_rows() -> None:
    """What the network is trained on, quantized, is what the device computes: a step off at most, by rounding."""
    features = read_features(LOG_MEL)
    signals = np.random.default_rng(1).uniform(-0.5, 0.5, (3, 1000)).astype(np.float32)
    values = values_of(features, signals)
    rows = features.rows(1000)
    assert values.shape == (3, rows, 8)
    tensor = Tensor(0, "input", (1, rows, 8), DType.INT8, Quantization((0.1,), (-128,)))
    samples, raw = device_samples(features, signals, Graph("heard", {0: tensor}, (), (0,), ()))
    assert samples.shape == (3, 1, rows, 8)
    assert raw.dtype == np.int16
    assert raw.shape == (3, features.instants(rows), 1)
    wanted = np.clip(np.round(values / 0.1) - 128, -128, 127)
    assert np.abs(samples[:, 0] - wanted).max() <= 1
    assert np.array_equal(with_features(splits(1000), features).features(signals), values)  # type: ignore[misc]

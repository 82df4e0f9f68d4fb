"""What [fit] and [folds] ask for, without a training: weights of classes, when to stop, one training for each fold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.artifacts_by_hand import model
from kits.cli import tinyedge
from kits.recipes import needs_tensorflow, write_recipe
from tinyedge.cli.ui import Ui
from tinyedge.data.contract import class_weights
from tinyedge.errors import ModelError, UsageError
from tinyedge.jobs import train as job
from tinyedge.report.folds import render_folds
from tinyedge.report.json import folds_document
from tinyedge.train.batches import balanced_weights
from tinyedge.train.fit import check_fit
from tinyedge.train.heads import Head
from tinyedge.train.matching import Matched
from tinyedge.train.recipe import Recipe, load_recipe
from tinyedge.train.settings import Fit

FOLDS = """\
[data]
test_part = 0

[fit]
epochs = 0

[folds]
test_part = [0, 1]
"""
READY = """\
def build():
    import numpy as np
    from tf_keras import Input, Sequential, layers

    model = Sequential([Input((2,)), layers.Dense(2, activation="softmax", name="side")])
    model.set_weights([np.array([[-9.0, 9.0], [0.0, 0.0]]), np.zeros(2)])
    return model
"""
SIDES = """\
import numpy as np

from tinyedge.train.splits import Splits


def load(test_part):
    points = np.random.default_rng(5).uniform(0.1, 1, (120, 2)).astype(np.float32)
    points[::3, 0] *= -1
    sides = (points[:, 0] > 0).astype(int)
    test = np.arange(120) // 60 == test_part
    return Splits(points[~test], sides[~test], points[test], sides[test], made_up="points of a plane")
"""


def matched(head: Head, targets: Any, *, validation: bool = False) -> Matched:
    inputs, given = (np.zeros((len(targets), 2), np.float32),), (np.asarray(targets),)
    kept = {"validation_inputs": inputs, "validation_targets": given} if validation else {}
    return Matched(inputs, given, inputs, given, (head,), **kept)  # type: ignore[arg-type]


@pytest.mark.parametrize("classes", [[0, 1], [0, 0, 0, 1], [2, 2, 2, 2, 5, 0, 0], [7, 7]])
def test_balanced_weights_make_all_classes_count_alike(classes: list[int]) -> None:
    labels = np.array(classes)
    weights = balanced_weights(labels)
    of_each = [weights[labels == each].sum() for each in sorted(set(classes))]
    np.testing.assert_allclose(of_each, len(classes) / len(of_each), rtol=1e-6)
    offered = class_weights(labels)
    np.testing.assert_allclose(weights, [offered[each] for each in classes], rtol=1e-6)


@pytest.mark.parametrize(
    ("head", "targets"),
    [
        (Head("value", "values", (1,)), [[0.5], [1.0]]),
        (Head("tags", "labels", (2,)), [[0, 1], [1, 1]]),
        (Head("mask", "classes", (2, 2, 3)), [[[0, 1], [2, 0]]] * 2),
        (Head("mask", "binary", (2, 2, 1)), [[[0, 1], [1, 0]]] * 2),
        (Head("back", "anomaly", (2,)), [0, 0]),
    ],
)
def test_class_weights_need_a_class_of_each_sample(head: Head, targets: Any) -> None:
    with pytest.raises(ModelError, match=f"need one class for each sample; output `{head.name}` has none") as refused:
        check_fit(Fit(1, class_weights="balanced"), matched(head, targets))
    assert "[fit]" in refused.value.hint
    check_fit(Fit(1), matched(head, targets))


def test_stopping_early_needs_data_that_is_not_the_tests() -> None:
    head = Head("side", "classes", (2,))
    with pytest.raises(ModelError, match="`early_stopping` is 3, and there is no validation data") as refused:
        check_fit(Fit(9, early_stopping=3), matched(head, [0, 1]))
    assert "never the test data" in refused.value.hint
    check_fit(Fit(9, early_stopping=3, class_weights="balanced"), matched(head, [0, 1], validation=True))
    check_fit(Fit(9), matched(head, [0, 1]))


def folder_of(tmp_path: Path, recipe: str = FOLDS) -> Path:
    return write_recipe(tmp_path / "sides", recipe=recipe, model=READY, data=SIDES)


def test_each_fold_is_trained_once_and_the_worst_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = load_recipe(folder_of(tmp_path))
    trained: list[int] = []

    def train(folded: Recipe, *_: Any, again: bool) -> Any:
        assert again
        part = int(str(folded.data["test_part"]))
        trained.append(part)
        metrics = {"float_accuracy": 0.9 - 0.2 * part, "int8_accuracy": 0.8 - 0.2 * part, "train_seconds": 1.0}
        return replace(model(), metrics=metrics, made_up="points of a plane")

    monkeypatch.setattr(job, "train", train)
    found = job.train_folds(recipe, tmp_path / "build", Ui(), again=True)
    assert trained == [0, 1]
    document = folds_document(found)
    assert [fold["data"] for fold in document["folds"]] == [{"test_part": 0}, {"test_part": 1}]
    assert document["mean"] == pytest.approx({"float_accuracy": 0.8, "int8_accuracy": 0.7})
    assert document["worst"] == pytest.approx({"float_accuracy": 0.7, "int8_accuracy": 0.6})
    assert document["made_up_data"] == "points of a plane"
    lines = render_folds(found).splitlines()
    assert "data made up: points of a plane" in lines
    assert lines[-2].split() == ["mean", "0.8000", "0.7000"]
    assert lines[-1].split() == ["worst", "0.7000", "0.6000"]


def test_a_recipe_without_folds_says_how_to_have_some(tmp_path: Path) -> None:
    recipe = load_recipe(folder_of(tmp_path, "[data]\ntest_part = 0\n[fit]\nepochs = 0\n"))
    with pytest.raises(UsageError, match="recipe `sides` has no folds") as refused:
        job.train_folds(recipe, tmp_path / "build", Ui())
    assert "[folds]" in refused.value.hint


@pytest.mark.slow
@pytest.mark.train
@needs_tensorflow
def test_a_model_that_comes_trained_is_converted_as_it_is_in_each_fold(tmp_path: Path) -> None:
    outcome = tinyedge("train", folder_of(tmp_path), "--folds", "--json", cwd=tmp_path, timeout_s=900)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert [fold["metrics"]["float_accuracy"] for fold in document["folds"]] == [1.0, 1.0]  # untrained: about a third
    assert document["mean"]["int8_accuracy"] == 1.0
    assert document["made_up_data"] == "points of a plane"
    again = tinyedge("train", folder_of(tmp_path), "--json", cwd=tmp_path)  # the first fold
    assert "kept from" in again.stderr
    assert json.loads(again.stdout)["digest"] == document["folds"][0]["digest"]
    assert not list((tmp_path / "build" / "sides").glob("curves.png"))

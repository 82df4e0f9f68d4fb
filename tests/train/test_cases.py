"""Recipes as people write them: trained to the right accuracy, or refused before the training starts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.case_recipes import CASES
from kits.cli import assert_refused, tinyedge
from kits.recipes import needs_tensorflow
from kits.tflm import interpret
from tinyedge.artifacts import QuantizedModel
from tinyedge.errors import ModelError, TinyEdgeError
from tinyedge.train import load_recipe, train_model

pytestmark = [pytest.mark.train, needs_tensorflow]


@dataclass
class Training:
    """What a training said and gave."""

    model: QuantizedModel
    notes: list[str] = field(default_factory=list)
    stages: list[str] = field(default_factory=list)


def train(case: str, folder: Path) -> Training:
    """Train a case. What is noted must come before the first step of the training."""
    notes: list[str] = []
    stages: list[str] = []

    def note(text: str) -> None:
        assert "fit" not in stages
        notes.append(text)

    recipe = load_recipe(CASES[case].write(folder / case))
    model = train_model(recipe, folder / "new" / "trained", progress=lambda stage, *_: stages.append(stage), note=note)
    return Training(model, notes, list(dict.fromkeys(stages)))


def refusal(case: str, folder: Path) -> TinyEdgeError:
    """The error of a case that must be refused before it is trained, and leave nothing behind."""
    stages: list[str] = []
    recipe = load_recipe(CASES[case].write(folder / case))
    with pytest.raises(ModelError) as caught:
        train_model(recipe, folder / "new" / "trained", progress=lambda stage, *_: stages.append(stage))
    assert "fit" not in stages
    assert not (folder / "new").exists()
    return caught.value


ACCURACIES: Mapping[str, float] = {
    "labels_column": 1.0,
    "one_hot": 1.0,
    "sigmoid": 1.0,
    "per_pixel": 0.95,
    "two_heads": 0.9,
    "a_head_without_targets": 0.0,
    "tokens": 0.9,
    "aware_conv1d": 0.9,
    "aware_nested": 0.9,
    "aware_rescaling": 0.9,
    "aware_custom": 0.9,
    "gru_unrolled": 0.9,
}


NOTES: Mapping[str, str] = {
    "a_head_without_targets": "output `size` has no targets in data.py",
    "aware_conv1d": ("leaves `conv1d` (Conv1D), `max_pooling1d` (MaxPooling1D), `conv1d_1` (Conv1D) to calibration"),
    "aware_rescaling": "leaves `rescaling` (Rescaling) to calibration",
    "aware_custom": "leaves `scale` (Scale) to calibration",
}
"""what a person should know before the training"""


@pytest.mark.slow
@pytest.mark.parametrize("case", ACCURACIES)
def test_a_case_is_trained_and_its_int8_model_keeps_the_accuracy(tmp_path: Path, case: str) -> None:
    training = train(case, tmp_path)
    assert NOTES.get(case, "") in "\n".join(training.notes)
    trained = training.model
    assert trained.float_accuracy is not None
    assert trained.int8_accuracy is not None
    assert trained.int8_accuracy >= ACCURACIES[case]
    assert abs(trained.int8_accuracy - trained.float_accuracy) <= 0.1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("case", "what", "hint"),
    [
        ("not_finite", "from epoch 1 on: layer `logarithm` of the untrained model gives", "`logarithm`"),
        ("one_array_for_two_inputs", "`input_2` [4]; data.py gives train_inputs [50, 3]", "Splits((a, b), targets"),
        (
            "no_such_operator",
            "the untrained model cannot be converted: TensorFlow Lite has no operator for",
            "model.py",
        ),
    ],
)
def test_a_case_is_refused_before_the_training(tmp_path: Path, case: str, what: str, hint: str) -> None:
    error = refusal(case, tmp_path)
    assert what in error.what
    assert hint in error.hint


@pytest.mark.slow
def test_a_crash_of_the_converter_is_known_before_the_training_with_the_way_round(tmp_path: Path) -> None:
    error = refusal("gru", tmp_path)
    assert error.what.startswith("the converter crashed on the untrained model; it holds `gru` (GRU)")
    assert error.what.endswith("its process was ended by SIGSEGV")
    assert error.hint == "write `GRU(8, unroll=True)`, or use an LSTM"


@pytest.mark.slow
def test_two_inputs_and_two_outputs_are_trained_and_run(tmp_path: Path) -> None:
    """All inputs are streamed, all outputs compared; the accuracy is that of the first output."""
    CASES["two_inputs"].write(tmp_path / "two")
    outcome = tinyedge("run", "two", "--board", "nrf52840", "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    document: dict[str, Any] = json.loads(outcome.stdout)
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (20, 0)
    assert document["accuracy"]["device"] == document["accuracy"]["int8"] >= 0.9
    trained = json.loads(tinyedge("train", "two", "--json", cwd=tmp_path).stdout)
    assert trained["metrics"]["int8_size_mean_absolute_error"] < 0.2


@pytest.mark.slow
@pytest.mark.parametrize("case", ["sigmoid", "per_pixel", "two_heads", "tokens"])
def test_the_accuracy_on_the_device_is_that_of_the_int8_model(tmp_path: Path, case: str) -> None:
    CASES[case].write(tmp_path / case)
    outcome = tinyedge("run", case, "--board", "nrf52840", "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    document: dict[str, Any] = json.loads(outcome.stdout)
    assert document["verify"]["mismatches"] == 0
    assert document["accuracy"]["device"] == pytest.approx(document["accuracy"]["int8"], abs=1e-9)


@pytest.mark.slow
def test_each_output_with_classes_has_its_accuracy_on_the_device(tmp_path: Path) -> None:
    """Here the first has values, and the others have classes."""
    CASES["two_kinds"].write(tmp_path / "kinds")
    outcome = tinyedge("run", "kinds", "--board", "nrf52840", "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.stderr
    accuracy: dict[str, Any] = json.loads(outcome.stdout)["accuracy"]
    assert accuracy["device"] is None
    assert list(accuracy["further"]) == ["kind", "big"]
    for figures in accuracy["further"].values():
        assert figures["device"] == pytest.approx(figures["int8"], abs=1e-9)
        assert figures["device"] > 0.6
    text = tinyedge("run", "kinds", "--board", "nrf52840", cwd=tmp_path).stdout
    assert re.search(
        r"accuracy +none of the first output.*\n  `kind` +float .* device .*\n  `big` +float .* device", text
    )


@pytest.mark.slow
def test_inputs_and_outputs_keep_the_order_of_the_keras_model(tmp_path: Path) -> None:
    model = train("two_inputs", tmp_path).model
    assert model.samples is not None
    assert model.labels is not None
    assert [array.shape for array in model.samples] == [(20, 1, 50, 3), (20, 1, 4)]
    answers = [interpret(model.tflite, list(sample)) for sample in zip(*model.samples, strict=True)]
    assert answers[0][0].shape == (1, 4)
    right = [int(np.argmax(kinds[0])) == label for kinds, label in zip(answers, model.labels, strict=True)]
    assert np.mean(right) == model.int8_accuracy


@pytest.mark.slow
def test_training_goes_on_from_the_float_stage_that_was_kept_with_the_same_bytes(tmp_path: Path) -> None:
    case = CASES["aware_conv1d"]
    recipe = load_recipe(case.write(tmp_path / "net"))
    first = train_model(recipe, tmp_path / "one" / "trained")
    (kept,) = (tmp_path / "one" / "float").iterdir()
    counted: list[str] = []
    again = train_model(recipe, tmp_path / "one" / "second", progress=lambda stage, *_: counted.append(stage))
    assert again.tflite == first.tflite
    assert counted.count("fit") == 0
    kept.write_bytes(kept.read_bytes()[:-1])  # damaged: it is trained anew
    third = train_model(recipe, tmp_path / "one" / "third", progress=lambda stage, *_: counted.append(stage))
    assert third.tflite == first.tflite
    assert counted.count("fit") > 0
    assert len(list((tmp_path / "one" / "float").iterdir())) == 1


@pytest.mark.slow
def test_a_split_of_which_one_part_is_not_read_converts_to_the_same_bytes_every_time(tmp_path: Path) -> None:
    """The float stage is trained once; each time a new process converts it."""
    recipe = load_recipe(CASES["gru_unrolled"].write(tmp_path / "gru"))
    files = {train_model(recipe, tmp_path / "out" / f"trained_{time}").tflite for time in range(4)}
    assert len(files) == 1


@pytest.mark.slow
def test_the_words_reach_the_user(tmp_path: Path) -> None:
    CASES["gru"].write(tmp_path / "gru")
    assert_refused(tinyedge("train", "gru", cwd=tmp_path), 1, "the converter crashed", "unroll=True")
    assert list((tmp_path / "build").glob("gru/*")) == []

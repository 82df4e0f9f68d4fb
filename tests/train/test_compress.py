"""Compression and conversion do to Keras models what they say, and refuse what they would do wrong in silence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kits.once import made_once
from kits.recipes import needs_tensorflow
from tinyedge import process

pytestmark = [pytest.mark.train, needs_tensorflow]

CHECKS = Path(__file__).with_name("keras_checks.py")


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The answers of keras_checks.py, which runs in a process of its own because it imports TensorFlow."""

    def make(folder: Path) -> None:
        completed = process.run([sys.executable, str(CHECKS)], timeout_s=180, env={"TF_CPP_MIN_LOG_LEVEL": "3"})
        (folder / "checks.json").write_text(completed.stdout)

    folder = made_once(tmp_path_factory, "keras_checks", make)
    return dict(json.loads((folder / "checks.json").read_text()))


def test_pruning_reaches_its_sparsity_in_every_kernel_but_depthwise_ones(checks: dict[str, Any]) -> None:
    assert checks["prune"]["zeros"] == {
        "conv/kernel:0": 0.75,
        "depthwise/depthwise_kernel:0": 0.0,
        "classes/kernel:0": 0.75,
    }
    assert checks["prune"]["layers"] == ["conv", "depthwise", "flatten", "classes"]  # no wrappers are left


def test_steps_are_told_one_by_one(checks: dict[str, Any]) -> None:
    assert checks["prune"]["steps"] == [["prune", done, 12] for done in range(13)]


def test_quantization_aware_training_keeps_zeros(checks: dict[str, Any]) -> None:
    found = checks["quantize_aware"]
    assert found["before"]["conv/kernel:0"] >= 0.75
    assert found["after"] == found["before"]


def test_the_flatbuffer_is_int8_throughout_with_a_batch_of_one(checks: dict[str, Any]) -> None:
    found = checks["quantize_aware"]
    assert found["operators"] == ["conv_2d", "depthwise_conv_2d", "reshape", "fully_connected", "softmax"]
    assert found["types"] == ["int32", "int8"]
    assert found["batch"] == [1, 1]
    assert found["channel_scales"] == 8


def test_the_bias_of_an_emptied_channel_survives(checks: dict[str, Any]) -> None:
    assert checks["quantize_aware"]["empty_channel_weights"] == 0
    assert checks["quantize_aware"]["empty_channel_bias"] == pytest.approx(3.0, abs=0.01)


def test_ranges_start_at_what_the_float_model_shows(checks: dict[str, Any]) -> None:
    found = checks["ranges"]
    assert {abs(edge) for edge in found["before"].values()} == {6.0}  # the library's own start
    assert found["before"].keys() == found["after"].keys()
    relu, depthwise = found["float_maxima"]
    assert found["after"]["quant_relu/output_min:0"] == 0
    assert found["after"]["quant_relu/output_max:0"] == pytest.approx(relu, rel=0.02)
    assert found["after"]["quant_depthwise/post_activation_max:0"] == pytest.approx(depthwise, rel=0.02)
    low, high = checks["quantize_aware"]["input_range"]
    assert low == 0
    assert high == pytest.approx(20, rel=0.01)


def test_calibration_leaves_batch_normalization_alone(checks: dict[str, Any]) -> None:
    assert checks["ranges"]["averages"] == 2
    assert checks["ranges"]["averages_kept"]


@pytest.mark.parametrize(
    ("case", "what", "hint"),
    [
        ("relu_apart", "layer `conv` would not be trained quantization-aware", 'activation="relu"'),
        ("lstm", "the model cannot be trained quantization-aware: Layer lstm", "leave out the technique"),
        ("logits", "the model's outputs are no probabilities", 'activation="softmax"'),
        ("narrow", "the model has 1 outputs, the data 2 classes", ""),
        ("other_shape", "the model takes [5, 5, 1], the data is [6, 6, 1]", ""),
        ("good", "not refused", ""),
    ],
)
def test_models_that_would_come_out_wrong_are_refused(checks: dict[str, Any], case: str, what: str, hint: str) -> None:
    said, hinted = checks["refusals"][case]
    assert what in said
    assert hint in hinted

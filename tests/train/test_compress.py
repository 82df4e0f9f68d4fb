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

pytestmark = [pytest.mark.slow, pytest.mark.train, pytest.mark.xdist_group("compress"), needs_tensorflow]

CHECKS = Path(__file__).with_name("keras_checks.py")


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The answers of keras_checks.py, which runs in a process of its own because it imports TensorFlow."""

    def make(folder: Path) -> None:
        completed = process.run(
            [sys.executable, str(CHECKS)], timeout_s=300, env={"TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": str(folder)}
        )
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
        ("lstm", "no layer with weights can be trained quantization-aware: there are `lstm_1` (LSTM)", "leave out the"),
        ("lstm_and_dense", "`quantize_aware` leaves `lstm` (LSTM) to calibration", ""),
        ("no_kernels", "no layer of the model can be pruned", "leave out the technique `prune`"),
        ("logits", "the model's outputs are no probabilities", 'activation="softmax"'),
        ("one_value", "they are one value and no sigmoid", 'activation="sigmoid"'),
        ("narrow", "the model has 2 outputs, the data 3 classes", "give it 3 outputs"),
        ("three_for_a_sigmoid", "train_targets hold the class 2; the sigmoid", 'Dense(3, activation="softmax")'),
        ("other_shape", "the model takes [5, 5, 1], the data is [6, 6, 1]", "Input"),
        (
            "one_input_of_two",
            "2 inputs, `camera` [6, 6, 1], `angle` [3]; data.py gives train_inputs [6, 6, 1]",
            "tuple",
        ),
        ("wrong_name", "data.py gives train_inputs['camera'] [6, 6, 1], train_inputs['angel'] [3]", "tuple"),
        ("two_targets", "data.py gives 2 train_targets, the model has 1: `dense_", "each output"),
        ("two_tasks", "`task` in recipe.toml names 2, data.py gives 1 targets", "one for each"),
        ("real_tokens", "train_inputs are float32 tokens of embedding `words`", 'Input((4,), dtype="int32")'),
        ("token_outside", "the token 8 in sample 2; the embedding `words` has the rows 0 to 7", "at least 9"),
        ("tokens_for_values", "takes float32, train_inputs are int32", "astype(numpy.float32)"),
        ("not_finite", "from epoch 1 on: layer `root` of the untrained model", "`root`"),
        ("good", "not refused", ""),
        ("good_by_name", "not refused", ""),
        ("good_tokens", "not refused", ""),
    ],
)
def test_models_that_would_come_out_wrong_are_refused(checks: dict[str, Any], case: str, what: str, hint: str) -> None:
    said, hinted = checks["refusals"][case]
    assert what in said
    assert hint in hinted


def test_outputs_are_told_apart_by_their_activation(checks: dict[str, Any]) -> None:
    found = checks["kinds"]
    assert found["kinds"] == ["classes", "binary", "labels", "values"]
    assert found["metrics"] == ["accuracy", "binary_accuracy", "reshape_accuracy", "size_mean_absolute_error"]
    places, spare = found["notes"]
    assert places.endswith("it counts at all 36 places of `pixels` [6, 6, 3]")
    assert spare.startswith("output `spare` has no targets in data.py")


def test_nested_models_are_opened_and_separate_relus_taken_in(checks: dict[str, Any]) -> None:
    found = checks["opened"]
    assert found["layers"] == ["batch_normalization", "conv", "conv_", "other", "shared"]
    assert found["activation"] == "relu"
    assert found["relus"] == ["behind_norm", "re_lu_1", "re_lu_2"]  # of a shared layer, and behind normalization
    assert not found["nested"]
    assert found["difference"] < 1e-5
    assert found["nothing_to_do"]


def test_what_the_library_cannot_round_in_is_listed_and_still_comes_out_as_int8(checks: dict[str, Any]) -> None:
    found = checks["left"]
    assert found["pruned"] == ["`prune` leaves `scale` (Scale) as they are"]
    (note,) = found["notes"]
    assert note.startswith(
        "`quantize_aware` leaves `rescaling` (Rescaling), `behind_relu` (BatchNormalization), `scale` (Scale), "
        "`six` (Conv2D), `conv1d` (Conv1D), `pool1d` (MaxPooling1D) to calibration"
    )
    assert found["types"] == ["int32", "int8"]


def test_a_loss_that_is_no_number_stops_the_training_with_epoch_and_layer(checks: dict[str, Any]) -> None:
    what, hint = checks["diverged"]["rate"]
    assert what.startswith("the loss is no number in epoch 1 of 3 of `fit`, step 2 of 4: the weights of `")
    assert "a smaller `learning_rate` for `fit`" in hint
    what, hint = checks["diverged"]["layer"]
    assert what.startswith("the loss is no number in epoch 1 of 3 of `prune`, step 1 of 4: layer `root` gives values")
    assert what.endswith("of 128 samples")

"""Techniques leave in the .tflite what they promise, one after the other too."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from kits.once import made_once
from kits.recipes import needs_tensorflow
from tinyedge import process

pytestmark = [pytest.mark.train, pytest.mark.slow, pytest.mark.xdist_group("techniques"), needs_tensorflow]

CHECKS = Path(__file__).with_name("technique_checks.py")


@pytest.fixture(scope="module")
def checks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The answers of technique_checks.py, which runs in a process of its own because it imports TensorFlow."""

    def make(folder: Path) -> None:
        completed = process.run(
            [sys.executable, str(CHECKS)], timeout_s=900, env={"TF_CPP_MIN_LOG_LEVEL": "3", "TMPDIR": str(folder)}
        )
        (folder / "checks.json").write_text(completed.stdout)

    folder = made_once(tmp_path_factory, "technique_checks", make, timeout_s=900)
    return dict(json.loads((folder / "checks.json").read_text()))


def kernels(found: dict[str, Any], operator: str) -> list[list[Any]]:
    """[dtype, different values, largest, share of zeros] of the kernels of an operator."""
    return [kernel for name, kernel in found.items() if name.endswith(f" {operator}")]


def test_folding_normalization_changes_no_output(checks: dict[str, Any]) -> None:
    assert checks["float_accuracy"] > 0.95
    assert checks["folded"]["norms"] == 0
    assert checks["folded"]["difference"] < 1e-5
    assert checks["folded"]["same"]


def test_observers_leave_out_what_is_rare(checks: dict[str, Any]) -> None:
    """One value of 60 among 7,000 below 3."""
    found = checks["ptq"]
    assert found["percentile"]["input_scale"] < 0.05  # the whole range makes it 0.24
    assert all(each["norms_kept"] and each["accuracy"] > 0.9 for each in found.values())


def test_patterns_hold_in_every_group_and_survive_quantization_aware_training(checks: dict[str, Any]) -> None:
    found = checks["pattern"]
    assert found["most_of_four"] == 2
    assert found["2:4"]["zeros"] == {"first": 0, "wide": 0.5, "deep": 0, "point": 0.5, "hidden": 0.5, "classes": 0.5}
    assert found["2:4"]["notes"] == [
        "`prune` leaves `first` (Conv2D), whose channels are no multiples of `2:4`, as they are"
    ]
    assert found["1x4"]["zeros"]["wide"] == found["1x4"]["zeros"]["point"] == 0.75
    assert [zeros for *_, zeros in kernels(found["after_qat"], "conv_2d")] == [0, 0.5, 0.5]


def test_clusters_are_so_many_int8_values(checks: dict[str, Any]) -> None:
    found = checks["cluster"]
    _, wide, _ = kernels(found["kernels"], "conv_2d")
    assert wide == ["int8", 16, 127, wide[3]]
    assert found["accuracy"] > 0.95
    assert found["notes"][0].startswith("`cluster` leaves `first` (Conv2D), `deep` (DepthwiseConv2D)")


def test_zeros_and_clusters_survive_pruning_clustering_and_rounding(checks: dict[str, Any]) -> None:
    found = checks["cluster"]["pcqat"]
    first, wide, point = kernels(found["kernels"], "conv_2d")
    assert wide[1] == 8
    assert min(first[3], wide[3], point[3]) > 0.58
    assert found["accuracy"] > 0.95
    assert not {"mul", "quantize"} & set(checks["cluster"]["operators"])  # normalization was folded


def test_weights_of_few_bits_are_of_the_type_int4(checks: dict[str, Any]) -> None:
    found = checks["int4"]
    for bits, largest in (("4", 7), ("2", 1)):
        convolutions = kernels(found[bits]["kernels"], "conv_2d")
        assert [kernel[0] for kernel in convolutions] == ["int4"] * 3
        assert {kernel[2] for kernel in convolutions} == {largest}
        hidden, classes = kernels(found[bits]["kernels"], "fully_connected")
        assert (hidden[0], hidden[2]) == ("int4", largest)
        assert classes[0] == "int8"  # of fewer weights than pay
        assert found[bits]["accuracy"] > 0.95
        assert kernels(found[bits]["kernels"], "depthwise_conv_2d")[0][0] == "int8"
    assert found["difference"] < 0.05


def test_the_least_sensitive_layers_are_rounded_until_the_target_is_met(checks: dict[str, Any]) -> None:
    found = checks["int4"]
    few = [name for name, values in found["mixed"].items() if values <= 15]
    assert few
    assert "point" not in few or "wide" not in few
    assert "`int4` rounds" in found["told"][0]
    what, exit_code = found["too_small"]
    assert exit_code == 2
    assert "the kernels take 1,016 B (16 B too many)" in what


def test_the_small_network_equals_the_big_one_whose_lost_channels_are_zero(checks: dict[str, Any]) -> None:
    found = checks["channels"]
    assert found["families"] == [[["first"], 8], [["wide", "point"], 16], [["hidden"], 12]]
    assert found["macs"][1] == found["macs"][2] < found["macs"][0] / 3
    assert found["difference"] < 1e-6
    assert found["moved"] > 0.05


def test_channels_go_until_the_share_of_multiplications_is_reached(checks: dict[str, Any]) -> None:
    found = checks["channels"]
    widths = found["widths"]
    assert widths["wide"] == widths["deep"] == widths["point"]
    assert all(width % 4 == 0 for name, width in widths.items() if name != "classes")
    assert widths["classes"] == 3
    assert found["accuracy"] > 0.9
    assert "multiplications, 0.4" in found["notes"][0]
    for score in ("l1", "gamma", "taylor"):
        non_negative, different = found[score]
        assert non_negative
        assert different > 20


def test_pruning_of_channels_that_makes_no_sense_is_refused(checks: dict[str, Any]) -> None:
    what, exit_code = checks["channels"]["refused"]
    assert exit_code == 2
    assert (
        "cannot come to 1,174 multiplications: with 4 channels in each layer that can lose some, 8,380 are left" in what
    )
    assert "the model has none" in checks["channels"]["no_gamma"][0]


def test_channels_are_followed_through_gates_concatenation_and_flat_layers(checks: dict[str, Any]) -> None:
    found = checks["shapes"]
    assert found["families"] == [[["first", "gate"], 8], [["second"], 4], [["last"], 8], [["wide"], 8]]
    assert found["kept"] == {
        "first": 6,
        "gate": 6,
        "second": 2,
        "before": 8,  # a grouped convolution ties its channels
        "grouped": 8,
        "last": 6,
        "wide": 6,
        "classes": 2,
    }
    assert found["runs"] == [2, 2]


def test_thin_layers_of_full_rank_compute_what_the_layer_did(checks: dict[str, Any]) -> None:
    found = checks["low_rank"]
    assert found["difference"] < 1e-5
    assert [line.partition(" at ")[2] for line in found["told"]] == [
        "rank 5x5: 345 weights instead of 1,152",
        "rank 3: 120 weights instead of 384",
        "rank 4: 944 weights instead of 4,320",
    ]
    assert found["accuracy"] > 0.9
    assert found["notes"] == ["`low_rank` splits `wide` (Conv2D) at rank 4x4: 240 weights instead of 1,152"]


def test_a_rank_beyond_break_even_is_refused(checks: dict[str, Any]) -> None:
    what, exit_code = checks["low_rank"]["refused"]
    assert exit_code == 2
    assert what == "`rank` of `low_rank` is 15, which saves nothing; it would in `wide` (Conv2D) below 10.1"
    assert "cannot split the layer `deep`" in checks["low_rank"]["unknown"][0]


def test_distillation_keeps_what_does_best_on_samples_it_did_not_see(checks: dict[str, Any]) -> None:
    found = checks["distill"]
    assert "keeps the teacher itself" in found["self"][0]  # a new network of two epochs is worse
    assert found["same_shape"]
    assert "on 19 samples; keeps" in found["taught"][0]
    assert found["stages"] == ["distill", "distill control", "distill teacher"]
    assert found["score"] > 0.9
    assert found["outputs"] == 1
    assert found["no_file"][1] == found["no_layer"][1] == 2


def test_a_side_head_and_the_end_become_one_file_that_stops_early(checks: dict[str, Any]) -> None:
    found = checks["early_exit"]
    assert found["operators"][-7:] == ["reduce_max", "sub", "less_equal", "select_v2", "sum", "less_equal", "if"]
    assert found["outputs"] == [1, [1, 3]]
    assert found["equal"]
    assert 20 < found["leaves"][0] < 76
    assert found["early_differs"]
    assert found["thresholds"][1] == 0
    assert found["trunk_kept"]
    assert found["figures"] == ["exit_rate", "exit_threshold"]
    assert found["notes"][0].startswith("`early_exit`: mean multiplications by the layer it reads: `re_lu` 0.")
    assert "as if the network were cut there, it is right for" in found["notes"][1]
    assert "of 19 training samples leave early" in found["notes"][2]
    assert found["accuracy"] > 0.95
    assert found["joint"] == ["early_exit", "quantize_aware"]
    assert found["aware"] == 2  # both answers are trained on
    assert found["cut"] == [1, True]


def test_an_exit_that_saves_nothing_is_refused(checks: dict[str, Any]) -> None:
    found = checks["early_exit"]
    assert found["no_place"] == ["`after` of `early_exit` names no end of a block: `none`", 2]
    assert "0.001 of the multiplications are left: stopping there saves nothing" in found["too_late"][0]
    assert found["two_outputs"][0].startswith("`distill` needs a network with one output")


def test_adaptation_moves_the_parameters_it_says_alone(checks: dict[str, Any]) -> None:
    found = checks["adapt"]
    assert found["unchanged"] < 1e-5  # adapters begin as nothing
    for name in ("adapters", "half", "biases", "last"):
        assert found[name]["adapt_new"] > found[name]["adapt_new_before"] + 0.1
        assert found[name]["same_shape"]  # adapters are part of the weights
    assert found["last"]["moved"] == ["classes"]
    assert found["half"]["adapt_trained_share"] == pytest.approx(found["adapters"]["adapt_trained_share"] / 2, rel=0.02)
    assert found["biases"]["adapt_trained_share"] < 0.05
    assert found["note"].startswith(
        "`adapt` trains 39 parameters, 0.020 of the model's 1,923 (last): new data 0.2344 ->"
    )
    assert found["rank"][1] == found["no_file"][1] == 2


def test_a_graft_stands_beside_its_controls(checks: dict[str, Any]) -> None:
    found = checks["graft"]
    assert sorted(found["figures"]) == ["graft_cut", "graft_distilled", "graft_donor", "graft_grafted"]
    assert found["notes"][0].startswith("`graft`: weights of the probe by layer: `re_lu` 0.00, `re_lu_1` ")
    assert "taps `re_lu_1`, `re_lu_2`: grafted" in found["notes"][1]
    assert found["smaller"]
    assert found["donor_kept"]
    assert found["accuracy"] > 0.9
    assert found["layers"] == ["graft_taps", "graft_head"]
    assert "the first block alone takes 0.044" in found["too_small"][0]
    assert found["too_small"][1] == found["no_layer"][1] == 2


def test_hashed_kernels_are_of_so_many_int8_values(checks: dict[str, Any]) -> None:
    found = checks["hashed"]
    assert kernels(found["kernels"], "conv_2d")[1][1] in (15, 16)  # two may be rounded to one
    assert "it buys nothing on a board above 16" in found["notes"][0]


def test_a_kernel_of_low_cp_rank_becomes_thin_layers_that_compute_the_same(checks: dict[str, Any]) -> None:
    found = checks["cp_form"]
    assert found["told"] == ["`low_rank` splits `wide` (Conv2D) at rank 3: 99 weights instead of 1,152"]
    assert found["layers"] == ["Conv2D", "DepthwiseConv2D", "Conv2D"]
    assert found["difference"] < 1e-5
    assert found["refused"] == [
        "`rank` of `low_rank` is 60, which saves nothing; it would in `wide` (Conv2D) below 34.9",
        2,
    ]


def test_channels_go_until_a_board_has_enough(checks: dict[str, Any]) -> None:
    found = checks["on_a_board"]
    assert 0.4 < found["share"] <= 0.7
    assert found["fewer"]
    assert "instructions" in found["told"]
    assert "cannot come to 4,096 bytes of flash (predicted): with 4 channels in each layer" in found["flash"][0]
    assert found["flash"][1] == found["unknown"][1] == 2


def test_a_penalty_leaves_exact_zeros(checks: dict[str, Any]) -> None:
    found = checks["l1"]
    assert found["zeros"]["deep"] == 0
    assert found["zeros"]["wide"] > 0.05  # of 18 steps; without a penalty none
    assert found["accuracy"] > 0.9
    assert found["notes"][0].startswith("`l1` leaves ")


def test_activations_of_int16_come_near_to_the_float_model(checks: dict[str, Any]) -> None:
    found = checks["int16"]
    assert (found["input"], found["kernels"]) == ("int16", ["int8"])
    assert found["difference"] < 0.02
    assert found["refused"][0].endswith("came out of the conversion as int16, not int8")


def test_networks_come_in_widths_and_depths(checks: dict[str, Any]) -> None:
    for found in checks["networks"].values():
        narrow, whole, deep = found["parameters"]
        assert narrow < whole / 2
        assert deep > whole
        assert found["folded"]
        assert found["pruned"]
        assert found["outputs"] == [2, 4]


def test_a_technique_that_was_interrupted_goes_on_to_the_same_weights(checks: dict[str, Any]) -> None:
    assert checks["resumed"] == {"cluster": True, "prune": True}

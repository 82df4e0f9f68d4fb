"""Broken models give the codes of what is wrong with them and no others; sound ones of others give what is true.

The models are made by make_models.py.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kits.mutations import mutate_bytes, mutate_fields
from kits.tflite_builder import TfliteBuilder
from tinyedge.artifacts import QuantizedModel
from tinyedge.diagnose import diagnose, explain, list_explanations
from tinyedge.errors import ModelError, UsageError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check
from tinyedge.optimize import settle_graph
from tinyedge.report.diagnosis import render_diagnosis

MODELS = Path(__file__).parent / "models"
BROKEN = {
    "argmax_int64": "TE108",
    "asymmetric_weights": "TE310",
    "aware_but_untrained": "TE213 TE303",
    "aware_with_separate_relu": "TE209 TE213",
    "batch_norm_behind_relu": "TE207",
    "batch_of_four": "TE214",
    "bias_beyond_int32": "TE217 TE302 TE303 TE305 TE306",
    "bias_of_another_scale": "TE309",
    "broken_rule": "TE204 TE216",
    "channels_first": "TE215",
    "compressed": "TE405",
    "constant_output": "TE217 TE306",
    "custom_operator": "TE101 TE203",
    "dead_branch": "TE219",
    "dynamic_range": "TE102",
    "elu_island": "TE103",
    "flex": "TE101 TE202",
    "float16_weights": "TE107",
    "float64_input": "TE101 TE109",
    "float_borders": "TE104 TE105",
    "float_island_refused": "TE103",
    "float_model": "TE101",
    "gelu": "TE201",
    "gru_loop": "TE101 TE210",
    "huge_first_layer": "TE220",
    "keras3_flatten": "TE212 TE213",
    "lstm_loop": "TE101 TE202 TE210 TE212 TE213 TE404",
    "lstm_unrolled": "TE211",
    "nan_scale": "TE308",
    "newer_operator": "TE206",
    "no_operators": "TE205 TE217 TE218",
    "odd_address": "TE402",
    "one_black_image": "TE217 TE306 TE307",
    "one_loud_row": "TE304",
    "one_weak_sample": "TE307",
    "open_image_size": "TE204 TE213",
    "per_channel_dense": "TE302",
    "per_tensor_convolution": "TE301",
    "pruned_channels": "TE306",
    "separate_relu": "TE208",
    "softmax_at_the_end": "TE216",
    "sound": "",
    "sparse_weights": "TE101 TE404",
    "twice_the_same_weights": "TE403",
    "two_signatures": "TE401",
    "uint8_network": "TE106",
    "unused_input": "TE218",
    "weights_dwarfed_by_bias": "TE217 TE306",
    "zero_scale": "TE308",
}
"""model -> all codes that are found"""
SHARED = {
    "ad01_int8": "TE213 TE304",
    "audio_preprocessor_int8": "",
    "fingerprint_signature": "",
    "har_ambiq": "TE213 TE216 TE304 TE306",
    "hello_world_int8": "TE213",
    "keyword_scrambled_8bit": "TE216",
    "kws_ref_model": "TE213 TE216",
    "micro_speech_quantized": "TE216",
    "okay_nabu_v2": "",
    "person_detect": "TE216",
    "pretrainedResnet_quant": "TE213 TE216",
    "str_ww_ref_model": "TE213 TE216",
    "trained_lstm_int8": "TE216",
    "vww_96_int8": "TE213 TE216 TE306",
}
"""the same of models of others, each finding looked at: open batches, final softmax, dense layers whose rows share a
scale, and channels that training left empty"""


def load(path: Path) -> QuantizedModel:
    return QuantizedModel.from_file(path)


def test_the_models_are_small_and_each_is_diagnosed() -> None:
    files = {path.stem: path.stat().st_size for path in MODELS.glob("*.tflite")}
    assert set(files) == set(BROKEN)
    assert sum(files.values()) < 300_000


def test_every_code_has_a_model() -> None:
    shown = {code for codes in BROKEN.values() for code in codes.split()}
    assert shown == {told.code for told in list_explanations()}
    assert len(shown) >= 25


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_model_gives_its_codes(name: str) -> None:
    found = diagnose(load(MODELS / f"{name}.tflite"))
    assert found.codes == tuple(BROKEN[name].split())
    for finding in found.findings:
        assert finding.what
        assert finding.fix
        assert not finding.what.endswith(".")
    shown = render_diagnosis(found)
    assert "\n\n\n" not in shown
    assert not [line for line in shown.splitlines() if len(line) > 80]


@pytest.mark.parametrize("name", SHARED)
def test_models_of_others_give_what_is_true(shared_models: Path, name: str) -> None:
    path = shared_models / f"{name}.tflite"
    if not path.is_file():
        pytest.skip(f"no {path.name} in ../shared/models")
    found = diagnose(load(path))
    assert found.codes == tuple(SHARED[name].split())
    assert found.ok


@pytest.mark.parametrize("name", BROKEN)
def test_errors_are_found_where_tinyedge_refuses_and_nowhere_else(name: str) -> None:
    """A refusal is an error here too, under the code that its message names or a narrower one of the same operator."""
    model = load(MODELS / f"{name}.tflite")
    found = diagnose(model)
    refused: ModelError | None = None
    try:
        check(settle_graph(read_model(model.tflite, name)))
    except ModelError as error:
        refused = error
    if refused is None:
        assert not [finding.code for finding in found.findings if finding.severity == "error"] or name in _NOT_RIGHT
    else:
        assert not found.ok
        assert refused.code in ("", "TE204", *found.codes)


_NOT_RIGHT = ("nan_scale", "zero_scale")
"""what runs somehow, and cannot be right"""


def test_findings_name_operator_and_tensor() -> None:
    (finding,) = diagnose(load(MODELS / "one_loud_row.tflite")).findings
    assert (finding.operator, finding.operator_name, finding.severity) == (0, "fully_connected", "note")
    assert "MatMul" in finding.tensor_name
    assert "7 of 8 rows use at most 31 of 127, because row 0 needs all" in finding.what


def test_codes_that_are_ignored_are_counted_and_left_out() -> None:
    found = diagnose(load(MODELS / "broken_rule.tflite"), ignore=["te216"])
    assert found.codes == ("TE204",)
    assert dict(found.ignored) == {"TE216": 1}
    with pytest.raises(UsageError, match="no code `TE999`"):
        diagnose(load(MODELS / "sound.tflite"), ignore=["TE999"])


def test_what_is_to_be_typed_names_the_model() -> None:
    (finding,) = diagnose(load(MODELS / "float_model.tflite"), shown="nets/mine.tflite").findings
    assert "tinyedge convert nets/mine.tflite --data" in finding.fix


def test_the_worst_stands_first() -> None:
    severities = [finding.severity for finding in diagnose(load(MODELS / "lstm_loop.tflite")).findings]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)


def test_explanations_are_whole_and_fit_a_terminal() -> None:
    for told in list_explanations():
        assert explain(told.code.lower()) is told
        for text in (told.why, told.here):
            assert text.endswith(".")
        typed = [line for line in told.fix.split("\n") if line.startswith("    ")]
        assert all(len(line) <= 78 for line in typed), told.code
        assert typed or told.code == "TE205", told.code
    with pytest.raises(UsageError) as caught:
        explain("TE1011")
    assert "TE101" in caught.value.hint


def test_every_code_that_an_error_names_is_explained(root: Path) -> None:
    named = {
        code
        for path in (root / "toolchain" / "tinyedge").rglob("*.py")
        for code in re.findall(r'"(TE\d+)"', path.read_text())
    }
    assert named == {told.code for told in list_explanations()}


# -- what must not be told --------------------------------------------------------------------------------------------


def dense(weights: np.ndarray, *, scale: float, target: float = 0.5) -> bytes:
    builder = TfliteBuilder()
    x = builder.tensor([1, weights.shape[1]], scale=0.1, name="x")
    w = builder.tensor(list(weights.shape), scale=scale, data=weights.astype(np.int8))
    y = builder.tensor([1, weights.shape[0]], scale=target, name="y")
    builder.operator("fully_connected", [x, w, -1], [y])
    return builder.build([x], [y])


def codes(tflite: bytes) -> tuple[str, ...]:
    return diagnose(QuantizedModel("m", tflite, "")).codes


def test_weights_of_few_bits_are_not_called_quiet() -> None:
    random = np.random.default_rng(1)
    weights = random.integers(-7, 8, (8, 16))
    assert codes(dense(weights, scale=0.1)) == ()
    weights[0, 0] = 127
    assert codes(dense(weights, scale=0.1)) == ("TE304",)


def test_a_range_is_called_too_small_only_far_below_what_comes() -> None:
    weights = np.random.default_rng(1).integers(-127, 128, (4, 64))
    assert codes(dense(weights, scale=0.1)) == ()
    assert codes(dense(weights, scale=0.1, target=0.01)) == ("TE307",)


def test_samples_show_what_a_range_cuts_off() -> None:
    """A range that weights alone do not prove too small."""
    weights = np.random.default_rng(1).integers(-127, 128, (4, 64))
    model = QuantizedModel("m", dense(weights, scale=0.1, target=0.5), "")
    assert diagnose(model).codes == ()
    loud = np.random.default_rng(2).integers(-128, 128, (20, 1, 64)).astype(np.int8)
    (finding,) = diagnose(replace(model, samples=(loud,))).findings
    assert finding.code == "TE307"
    assert "of what the samples give is cut off" in finding.what
    assert diagnose(replace(model, samples=((loud // 100).astype(np.int8),))).codes == ()


def test_rows_of_one_sample_are_no_batch() -> None:
    builder = TfliteBuilder()
    x, y = builder.tensor([8, 4], scale=0.1), builder.tensor([8, 4], scale=0.1)
    builder.operator("reshape", [x], [y])
    assert codes(builder.build([x], [y])) == ()


def test_a_normalization_of_inputs_is_no_batch_normalization() -> None:
    builder = TfliteBuilder()
    key = first = builder.tensor([1, 6, 6, 4], scale=0.1)
    for name in ("mul", "add"):
        values = builder.tensor([4], scale=0.02, data=np.array([10, 20, 30, 40], np.int8))
        target = builder.tensor([1, 6, 6, 4], scale=0.1)
        builder.operator(name, [key, values], [target], fused_activation_function="none")
        key = target
    assert codes(builder.build([first], [key])) == ()


# -- hostile files ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mutate", [mutate_bytes, mutate_fields])
def test_damaged_files_are_diagnosed_or_refused(mutate: object) -> None:
    """Nothing but a ModelError leaves; and whatever the reader refuses is an error here."""
    random = np.random.default_rng(11)
    files = [(MODELS / f"{name}.tflite").read_bytes() for name in BROKEN]
    for data in files * 3:
        try:
            changed = mutate(data, random)  # type: ignore[operator]
        except ValueError:  # it has nothing to change: no operators
            continue
        if changed is None:
            continue
        try:
            found = diagnose(QuantizedModel("m", changed, ""))
        except ModelError:
            continue
        try:
            check(settle_graph(read_model(changed, "m")))
        except ModelError:
            assert not found.ok


def test_tensors_that_share_a_buffer_again_and_again_are_refused() -> None:
    builder = TfliteBuilder()
    data = np.zeros(100_000, np.int8)
    x, y = builder.tensor([1, 4], scale=0.1), builder.tensor([1, 4], scale=0.1)
    builder.operator("reshape", [x], [y])
    first = builder.tensor([100_000], scale=0.1, data=data)
    for _ in range(1000):
        key = builder.tensor([100_000], scale=0.1)
        builder.graph.tensors[key].buffer = builder.graph.tensors[first].buffer
    with pytest.raises(ModelError, match="share buffers"):
        codes(builder.build([x], [y]))

"""`tinyedge check` and `tinyedge explain`: what they print, and how they end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kits.cli import Outcome, assert_refused, within
from tinyedge.diagnose import list_explanations
from tinyedge.report.diagnosis import explanation_page, explanations_page

MODELS = Path(__file__).resolve().parents[1] / "diagnose" / "models"


class Caller:
    """Calls in a folder with one model."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._monkeypatch, self._capsys = folder, monkeypatch, capsys

    def __call__(self, *arguments: str) -> Outcome:
        return within(self.folder, self._monkeypatch, self._capsys, *arguments)

    def take(self, name: str) -> str:
        shutil.copy(MODELS / f"{name}.tflite", self.folder)
        return f"{name}.tflite"


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Caller:
    return Caller(tmp_path, monkeypatch, capsys)


def test_a_sound_model(call: Caller) -> None:
    outcome = call("check", call.take("sound"), "--strict")
    assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "sound: nothing found\n", "")


def test_an_error_says_where_and_what_to_type(call: Caller) -> None:
    outcome = call("check", call.take("float_model"))
    assert outcome.stdout == (
        """float_model: 1 error

error TE101: float model
  operator 0 `conv_2d`: all 3 of its operators compute in floating point; its
    constants take 352 B, in int8 about a quarter of that

  With samples of its inputs tinyedge quantizes it:

      tinyedge convert float_model.tflite --data samples.npz

  or with TensorFlow:

      converter.optimizations = [tf.lite.Optimize.DEFAULT]
      converter.representative_dataset = samples
      converter.target_spec.supported_ops = [
          tf.lite.OpsSet.TFLITE_BUILTINS_INT8]

`tinyedge explain TE101` says why it hurts.
"""
    )
    assert_refused(outcome, 1, "model `float_model` has 1 error", "tinyedge explain TE101", "--ignore TE101")


def test_warnings_fail_only_when_strict(call: Caller) -> None:
    model = call.take("separate_relu")
    assert call("check", model).code == 0
    assert_refused(call("check", model, "--strict"), 1, "0 errors and 1 warning")
    assert call("check", model, "--strict", "--ignore", "TE216,te208").code == 0


def test_notes_never_fail(call: Caller) -> None:
    assert call("check", call.take("softmax_at_the_end"), "--strict").code == 0


def test_settings_of_the_project(call: Caller) -> None:
    call.take("separate_relu")
    settings = call.folder / "tinyedge.toml"
    settings.write_text('model = "separate_relu.tflite"\n[check]\nignore = ["TE208"]\n')
    outcome = call("check", "--strict")
    assert (outcome.code, outcome.stdout) == (0, "separate_relu: nothing found (TE208 1 ignored)\n")
    settings.write_text('[check]\nignore = ["TE2O8"]\n')
    assert_refused(call("check", "separate_relu.tflite"), 2, "there is no code `TE2O8`", "the nearest is `TE218`")
    settings.write_text('[check]\nignor = ["TE208"]\n')
    assert_refused(call("check", "separate_relu.tflite"), 2, "unknown key `check.ignor`")
    settings.write_text("")
    assert_refused(call("check"), 2, "no model given")


def test_the_document(call: Caller) -> None:
    outcome = call("check", call.take("broken_rule"), "--json")
    document = json.loads(outcome.stdout)
    assert outcome.code == 1
    assert document["schema"] == "tinyedge.check/1"
    assert (document["ok"], document["errors"], document["warnings"], document["notes"]) == (False, 1, 0, 1)
    first = document["findings"][0]
    assert (first["code"], first["severity"], first["operator"]) == ("TE204", "error", {"index": 3, "name": "softmax"})


def test_samples_are_run(call: Caller) -> None:
    random = np.random.default_rng(1)
    model = call.take("sound")
    for factor, said in ((1, "nothing found"), (40, "of what the samples give is cut off")):
        samples = random.normal(size=(4, 8, 8, 2)) * factor
        np.savez(call.folder / "samples.npz", x=samples.astype(np.float32))
        outcome = call("check", model, "--data", "samples.npz")
        assert outcome.code == 0, outcome.stderr
        assert said in " ".join(outcome.stdout.split())


def test_files_that_are_none(call: Caller) -> None:
    assert_refused(call("check", "no.tflite"), 2, "there is no file `no.tflite`")
    (call.folder / "text.tflite").write_text("hello, this is no model")
    assert_refused(call("check", "text.tflite"), 1, "not a .tflite file")
    data = (MODELS / "sound.tflite").read_bytes()
    (call.folder / "cut.tflite").write_bytes(data[: len(data) // 2])
    assert_refused(call("check", "cut.tflite"), 1, "cut short")


def test_errors_of_other_commands_name_the_code(call: Caller) -> None:
    assert_refused(
        call("plan", call.take("gelu"), "--board", "nrf52840dk"), 1, "gelu", "`tinyedge explain TE201` says more"
    )


def test_explain_lists_and_describes(call: Caller) -> None:
    outcome = call("explain")
    assert outcome.code == 0
    assert [line.split()[0] for line in outcome.stdout.splitlines()[1:]] == [told.code for told in list_explanations()]
    described = call("explain", "te306").stdout
    assert described.startswith("TE306: constant channels (warning)\n\nPruning,")
    assert all(len(line) <= 80 for line in (outcome.stdout + described).splitlines())
    document = json.loads(call("explain", "TE306", "--json").stdout)
    assert (document["schema"], document["codes"][0]["code"]) == ("tinyedge.explain/1", "TE306")
    assert_refused(call("explain", "TE30"), 2, "there is no code `TE30`", "TE30")


def test_pages_are_those_of_the_code(root: Path, update_golden: bool) -> None:
    """`--update-golden` writes them."""
    told = list_explanations()
    pages = {"index.md": explanations_page(told), **{f"{each.code}.md": explanation_page(each) for each in told}}
    folder = root / "docs" / "checks"
    if update_golden:
        folder.mkdir(exist_ok=True)
        for name, text in pages.items():
            (folder / name).write_text(text)
    assert {path.name: path.read_text() for path in folder.glob("*.md")} == pages

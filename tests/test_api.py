"""The Python API: quick to import, callable in any order, its results shown as the commands show them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import tinyedge
from kits.artifacts_by_hand import measured
from kits.models import small_convolution
from tinyedge.artifacts import Mismatch, QuantizedModel
from tinyedge.errors import CheckError, UsageError

_IMPORT = """
import json, sys, time
before, start = set(sys.modules), time.process_time()
import tinyedge
print(json.dumps([sorted(set(sys.modules) - before), time.process_time() - start]))
"""


def test_importing_tinyedge_is_quick() -> None:
    modules, seconds = json.loads(subprocess.check_output([sys.executable, "-c", _IMPORT]))
    assert [name for name in modules if name.startswith("tinyedge")] == ["tinyedge"]
    assert len(modules) < 30
    assert seconds < 0.2


@pytest.mark.parametrize("first", ["tinyedge.train.splits", "tinyedge"])
def test_functions_can_be_called_whatever_was_imported_first(first: str) -> None:
    program = f"""
import {first}, tinyedge, inspect
for name in ("train", "build", "check", "convert", "run", "verify"):
    assert callable(getattr(tinyedge, name)), name
    assert name in dir(tinyedge)
try:
    tinyedge.train("no such recipe")
except tinyedge.TinyEdgeError as error:
    print(error.exit_code)
"""
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "2"


def test_what_there_is_not() -> None:
    with pytest.raises(AttributeError, match="has no attribute `trian`"):
        _ = tinyedge.trian  # type: ignore[attr-defined]


def test_a_model_is_checked_by_its_path_or_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = QuantizedModel("net", small_convolution(), "digest")
    (tmp_path / "net.tflite").write_bytes(model.tflite)
    found = tinyedge.check("net.tflite")
    assert found.ok
    assert found.codes == ("TE309",)  # its bias was not made for its weights
    assert found.findings == tinyedge.check(model).findings
    assert found.to_json()["findings"][0]["operator"] == {"index": 0, "name": "conv_2d"}
    assert str(found).startswith("net: 1 warning\n\nwarning TE309: bias of another scale\n  operator 0 `conv_2d`")
    assert "TE309" in found._repr_html_()
    assert tinyedge.check(model, ignore=["TE309"]).codes == ()


def report(**changes: object) -> tinyedge.Report:
    return tinyedge.Report(**vars(measured(**changes)))


def test_a_report_has_its_figures_at_hand() -> None:
    found = report()
    assert found.ok
    assert found.instructions == found.run.instructions.value  # type: ignore[union-attr]
    assert found.arena_bytes == found.built.project.arena_bytes
    assert found.to_json()["schema"].startswith("tinyedge.run/")
    assert "0 mismatches" in str(found)
    assert len(repr(found)) < 200
    assert report(cycles=None, cycles_spread=None).cycles is None


def test_a_report_of_mismatches_is_not_ok() -> None:
    found = report(mismatches=3, first_mismatch=Mismatch(4, 1, "relu", 17))
    assert not found.ok
    with pytest.raises(CheckError, match="3 of"):
        found.check()


def test_notebooks_show_tables_and_nothing_that_runs() -> None:
    shown = report(notes=("<script>alert(1)</script>",))._repr_html_()
    assert shown.startswith('<div class="tinyedge">')
    assert shown.count("<table>") == shown.count("</table>") == 4
    assert "<script" not in shown
    assert "<style" not in shown  # it would reach the rest of the page
    model = QuantizedModel("net", b"TFL3", "ab" * 32, int8_accuracy=0.5)
    assert "<td>int8 accuracy</td><td>0.5000 on the test set</td>" in model._repr_html_()
    assert model.to_json()["schema"] == "tinyedge.train/1"
    assert "0.5000 on the test set" in str(model)
    assert repr(model) == "<QuantizedModel net abababababababab: 4 B>"


def test_wrong_options_are_refused_before_anything_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="`compiler` is 'clang'"):
        tinyedge.build("digits", "nrf52840", compiler="clang")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="`input` is 'columns'"):
        tinyedge.build("digits", "nrf52840", input="columns")  # type: ignore[arg-type]
    for wrong in (0, -3, True, 1.5, "16k"):
        with pytest.raises(UsageError, match="`max_ram` is "):
            tinyedge.build("digits", "nrf52840", max_ram=wrong)  # type: ignore[arg-type]
    for wrong in (0, -1, True, 1.5, "all"):
        with pytest.raises(UsageError, match="`samples` is "):
            tinyedge.run("sine", "nrf52840", samples=wrong)  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="`samples` is "):
            tinyedge.verify("sine", "nrf52840", samples=wrong)  # type: ignore[arg-type]
    for wrong in (-1, 1 << 32, True, "1"):
        with pytest.raises(UsageError, match="`seed` is "):
            tinyedge.train("sine", seed=wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="`board` is 5"):
        tinyedge.build("sine", 5)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="`model` is 5"):
        tinyedge.build(5, "nrf52840")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="`keep_inputs` is 'no'"):
        tinyedge.build("sine", "nrf52840", keep_inputs="no")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="did you mean `compiler`"):
        tinyedge.build("digits", "nrf52840", compilers="zig")  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="no board given"):
        tinyedge.build("digits")
    with pytest.raises(UsageError, match="no recipe given"):
        tinyedge.train()
    (tmp_path / "tinyedge.toml").write_text("max_ram = -3\n")
    with pytest.raises(UsageError, match="`max_ram` is -3"):
        tinyedge.build("digits", "nrf52840")
    (tmp_path / "tinyedge.toml").write_text('models = ["a.tflite", "b.tflite"]\nboard = "nrf52840dk"\n')
    with pytest.raises(UsageError, match="several models"):
        tinyedge.run()
    assert {path.name for path in tmp_path.iterdir()} == {"tinyedge.toml"}


@pytest.mark.slow
def test_functions_give_what_the_commands_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.tflite").write_bytes(small_convolution())
    Path("tinyedge.toml").write_text('model = "small.tflite"\nboard = "nrf52840dk"\n')
    commands = {
        name: json.loads(subprocess.check_output([sys.executable, "-m", "tinyedge", *words, "--json"]))
        for name, words in {"build": ["build"], "run": ["run", "--samples", "4"]}.items()
    }
    assert tinyedge.build().to_json() == commands["build"]
    assert tinyedge.run(samples=4).to_json() == commands["run"]
    in_memory = tinyedge.run(QuantizedModel.from_file(Path("small.tflite")), "nrf52840", samples=4)
    assert in_memory.to_json() == commands["run"]

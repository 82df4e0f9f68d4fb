"""The main job as a user does it: from a recipe, or a .tflite, to measured firmware for the nRF52840."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.cli import tinyedge
from kits.models import small_convolution
from kits.tflite_builder import TfliteBuilder

SHARED = ("ad01_int8", "hello_world_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8")
needs_gcc = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="no arm-none-eabi-gcc: apt-get install gcc-arm-none-eabi"
)
digits = [pytest.mark.train, pytest.mark.xdist_group("digits")]


def run_json(*arguments: str | Path, cwd: Path) -> dict[str, Any]:
    outcome = tinyedge("run", *arguments, "--board", "nrf52840", "--json", cwd=cwd, timeout_s=600)
    assert outcome.code == 0, outcome.stderr
    document: dict[str, Any] = json.loads(outcome.stdout)
    return document


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_convolution())
    return path


@pytest.fixture(scope="module")
def digits_run(root: Path) -> dict[str, Any]:
    """The main job, in the checkout, where its artifacts are kept for the next call."""
    return run_json("digits", cwd=root)


class TestDigits:
    pytestmark = digits

    def test_every_sample_is_bit_exact(self, digits_run: dict[str, Any]) -> None:
        assert digits_run["schema"] == "tinyedge.run/2"
        assert (digits_run["verify"]["samples"], digits_run["verify"]["mismatches"]) == (450, 0)

    def test_accuracy_is_kept_from_float_to_device(self, digits_run: dict[str, Any]) -> None:
        accuracy = digits_run["accuracy"]
        assert accuracy["device"] == accuracy["int8"] >= 0.97
        assert accuracy["float"] - accuracy["int8"] <= 0.01

    def test_figures_are_whole_and_agree(self, digits_run: dict[str, Any], root: Path) -> None:
        plan = json.loads(tinyedge("plan", "digits", "-b", "nrf52840", "--json", cwd=root).stdout)
        assert digits_run["memory"]["arena_bytes"] == plan["arena_bytes"]
        assert digits_run["instructions"]["kind"] == "counted"
        assert digits_run["cycles"]["kind"] == "modelled"
        assert digits_run["cycles"]["error_percent"] is None  # between two bounds
        layers = digits_run["layers"]
        share = sum(layer["instructions"] for layer in layers) / digits_run["instructions"]["value"]
        assert 0.97 < share < 1.03
        assert 0 < digits_run["memory"]["stack_peak_bytes"] < 2048
        assert digits_run["cycles"]["upper"] > digits_run["cycles"]["value"]
        assert digits_run["latency_us"] == {
            "kind": "modelled",
            "value": digits_run["cycles"]["value"] / 64,
            "upper": digits_run["cycles"]["upper"] / 64,
        }
        assert digits_run["memory_model"]["kind"] == "bounds"
        assert digits_run["memory_model"]["flash_reads"]["data_misses"] > 0

    def test_the_next_run_trains_nothing_and_says_the_same(self, digits_run: dict[str, Any], root: Path) -> None:
        outcome = tinyedge("run", "digits", "--board", "nrf52840", "--json", cwd=root)
        assert "training" not in outcome.stderr
        assert json.loads(outcome.stdout) == digits_run

    @needs_gcc
    @pytest.mark.toolchain
    def test_gcc_gives_the_same_but_for_the_code(self, digits_run: dict[str, Any], root: Path) -> None:
        other = run_json("digits", "--compiler", "gcc", cwd=root)
        for name in ("model", "board", "runtime", "accuracy", "verify"):
            assert other[name] == digits_run[name]
        assert other["memory"]["arena_bytes"] == digits_run["memory"]["arena_bytes"]
        assert other["digests"]["outputs"] == digits_run["digests"]["outputs"]
        assert other["compiler"].startswith("gcc ")

    def test_the_checkout_names_its_default_model(self, digits_run: dict[str, Any], root: Path) -> None:
        outcome = tinyedge("build", "--board", "nrf52840", "--json", cwd=root)
        assert json.loads(outcome.stdout)["model"] == "digits"


def test_two_folders_give_one_image(small: Path) -> None:
    folder = small.parent
    for name in ("one", "another/deeper"):
        assert tinyedge("build", small, "-b", "nrf52840", "-d", name, cwd=folder).code == 0
    made = Path("small/nrf52840dk-zig/build")
    for suffix in ("elf", "hex", "bin", "uf2"):
        one, another = (folder / name / made / f"firmware.{suffix}" for name in ("one", "another/deeper"))
        assert one.read_bytes() == another.read_bytes(), suffix


def test_a_tflite_without_data_gets_the_seeded_inputs(small: Path) -> None:
    document = run_json(small, "--save-outputs", small.parent / "a.npy", cwd=small.parent)
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (20, 0)
    x, stream = 1, []
    for _ in range(20 * 64):
        x = (x * 1664525 + 1013904223) % 2**32
        stream.append(x >> 24)
    samples = np.array(stream, np.uint8).view(np.int8).reshape(20, 8, 8, 1)
    np.save(small.parent / "in.npy", samples)
    again = run_json(small, "--inputs", "in.npy", "--save-outputs", small.parent / "b.npy", cwd=small.parent)
    assert again["digests"]["samples"] == document["digests"]["samples"]
    assert np.array_equal(np.load(small.parent / "a.npy"), np.load(small.parent / "b.npy"))


def two_outputs() -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor((1, 6), scale=0.1)
    targets = [builder.tensor((1, 6), scale=0.1), builder.tensor((1, 6), scale=0.2)]
    for target, name in zip(targets, ("relu", "abs"), strict=True):
        builder.operator(name, [source], [target])
    return builder.build([source], targets)


def test_all_outputs_are_saved(tmp_path: Path) -> None:
    model = tmp_path / "two.tflite"
    model.write_bytes(two_outputs())
    run_json(model, "--samples", "3", "--save-outputs", tmp_path / "out.npz", cwd=tmp_path)
    run_json(model, "--samples", "3", "--save-outputs", tmp_path / "out.npy", cwd=tmp_path)
    assert not (tmp_path / "out.npy").exists()
    with np.load(tmp_path / "out.npz") as stored:
        assert stored.files == ["output_0", "output_1"]
        for at, name in enumerate(stored.files):
            assert stored[name].shape == (3, 1, 6)
            assert np.array_equal(stored[name], np.load(tmp_path / f"out_{at}.npy"))
        assert not np.array_equal(stored["output_0"], stored["output_1"])


def float_model() -> bytes:
    builder = TfliteBuilder()
    source, target = builder.tensor((1, 6), "float32"), builder.tensor((1, 6), "float32")
    kept, made = builder.tensor((1, 6), scale=0.05, zero_point=7), builder.tensor((1, 6), scale=0.1, zero_point=-9)
    builder.operator("quantize", [source], [kept])
    builder.operator("abs", [kept], [made])
    builder.operator("dequantize", [made], [target])
    return builder.build([source], [target])


@pytest.mark.parametrize("board", ["nrf52840dk", "host"])
def test_float_inputs_and_long_file_names(tmp_path: Path, board: str) -> None:
    """The firmware's self-test draws its input by the same rule as the toolchain."""
    model = tmp_path / f"{'a_very_long_name_' * 6}.tflite"
    model.write_bytes(float_model())
    document = run_json(model, "--board", board, cwd=tmp_path)
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (20, 0)
    assert len(document["model"]["model"] if isinstance(document["model"], dict) else document["model"]) == 40
    assert not any("self-test" in note for note in document["notes"])


def test_the_host_board_runs_the_same_firmware(small: Path) -> None:
    outcome = tinyedge("run", small, "--board", "host", "--json", "--samples", "5", cwd=small.parent)
    assert outcome.code == 0, outcome.stderr
    assert json.loads(outcome.stdout)["verify"]["mismatches"] == 0


def test_reports_are_written_whole(small: Path) -> None:
    folder = small.parent
    run_json(small, "--html", folder / "run.html", "--junit", folder / "run.xml", "--samples", "2", cwd=folder)
    assert (folder / "run.html").read_text().rstrip().endswith("</html>")
    assert "<testsuite" in (folder / "run.xml").read_text()
    assert list(folder.rglob("*.part*")) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SHARED)
def test_real_models_are_bit_exact_over_twenty_inputs(shared_models: Path, name: str, tmp_path: Path) -> None:
    document = run_json(shared_models / f"{name}.tflite", cwd=tmp_path)
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (20, 0)

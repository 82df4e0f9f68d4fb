"""Benchmarks over real models: right outputs, and no figure that grew over its budget."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kits import models
from tinyedge.artifacts import Figure
from tinyedge.errors import UsageError

OF_README = ("ad01_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8")


def call(root: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *map(str, arguments)],
        cwd=root, capture_output=True, text=True, timeout=1800, check=False,
    )  # fmt: skip


def test_a_model_of_two_layers(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "small.tflite"
    path.write_bytes(models.small_convolution())
    done = call(root, path, "--optimize", "balanced", "--samples", "3", "--json", "-d", tmp_path / "build")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "tinyedge.benchmarks/1"
    (row,) = document["rows"]
    assert row["verify"] == {"samples": 3, "mismatches": 0}
    assert row["instructions"]["kind"] == "counted"
    assert row["cycles"]["kind"] == "modelled"
    assert 0 < row["code_bytes"] < row["flash_bytes"] - 2000  # of 2,048 weights of the last layer
    assert set(row["digests"]) == {"model", "samples", "elf"}
    assert row["budget"] is None


def test_a_refused_model_is_listed_if_it_is_of_a_folder_and_has_no_budgets(
    root: Path, tmp_path: Path, budgets: ModuleType
) -> None:
    from benchmarks.models import Refused

    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "broken.tflite").write_bytes(b"no model at all")
    done = call(root, folder, "-d", tmp_path / "build")
    assert done.returncode == 1
    assert done.stderr.startswith("broken: refused\nerror: every model is refused:\n       ")
    (folder / "small.tflite").write_bytes(models.small_convolution())
    choices = ("--optimize", "balanced", "--samples", "3", "--check", "--json", "-d", tmp_path / "build")
    done = call(root, folder, *choices)
    assert done.returncode == 0, done.stderr
    (refused,) = json.loads(done.stdout)["refused"]
    assert refused["model"] == "broken"
    assert "`broken`" in refused["reason"]
    done = call(root, folder / "broken.tflite", *choices)
    assert done.returncode == 1
    assert done.stderr.startswith(f"error: {refused['reason']}")
    taken_once = {refused["digest"][:16]: {"name": "broken"}}
    assert budgets.lost([Refused(**refused)], taken_once) == [f"broken: {refused['reason']}"]
    assert budgets.lost([Refused(**refused)], {}) == []


def test_a_folder_without_models(root: Path, tmp_path: Path) -> None:
    done = call(root, tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no model in")
    assert "Traceback" not in done.stderr


@pytest.fixture
def budgets(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """benchmarks.budgets, which is no part of the package."""
    monkeypatch.syspath_prepend(root)
    import benchmarks.budgets

    return benchmarks.budgets


def row_of(**changes: Any) -> Any:
    from benchmarks.models import Row

    row = Row(
        model="net", board="nrf52840dk", optimize="speed", macs=10, instructions=Figure("counted", 1000.0),
        cycles=Figure("modelled", 1500.0, 20.0), arena_bytes=100, code_bytes=5000, flash_bytes=9000, samples=1,
        mismatches=0, plan_seconds=0.1, build_seconds=0.2, compiler="zig 1", emulator="unicorn 1",
        digests={"model": "ab" * 32, "samples": "", "elf": ""},
    )  # fmt: skip
    return replace(row, **changes)


def test_growth_over_three_percent_and_broken_promises_are_told(budgets: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "budgets.toml"
    path.write_text('["abababababababab".nrf52840dk.at_most.speed]\ninstructions = 900\n')
    budgets.write_budgets([row_of()], path)
    kept = budgets.read_budgets(path)
    assert budgets.promise_of(row_of(), kept) == {"instructions": 900}
    (line,) = budgets.broken_promises([row_of()], kept)
    assert line == "net speed instructions: 1,000, at most 900 is promised"
    assert budgets.broken_promises([row_of(board="rpi_pico")], kept) == [], "promised for another board"
    assert budgets.compare([row_of(instructions=Figure("counted", 1030.0))], kept) == []
    (line,) = budgets.compare([row_of(instructions=Figure("counted", 1031.0))], kept)
    assert line == "net speed instructions: 1,031, budget 1,000 (+3.1 %)"
    assert budgets.compare([row_of(compiler="zig 2", arena_bytes=10_000)], kept) == [], "of another compiler"
    budgets.write_budgets([row_of(optimize="size")], path)
    assert set(budgets.read_budgets(path)["abababababababab"]["nrf52840dk"]) == {"compiler", "size", "speed", "at_most"}
    budgets.write_budgets([row_of(board="rpi_pico")], path)
    assert set(budgets.read_budgets(path)["abababababababab"]) == {"name", "nrf52840dk", "rpi_pico"}


def test_a_budget_with_an_unknown_figure_is_refused(budgets: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "budgets.toml"
    path.write_text('["abababababababab".nrf52840dk.at_most.speed]\ninstruction = 900\n')
    with pytest.raises(UsageError, match="did you mean `instructions`") as caught:
        budgets.read_budgets(path)
    assert "`abababababababab.nrf52840dk.at_most.speed.instruction`" in caught.value.what


def test_structured_samples_reach_both_ends(budgets: ModuleType) -> None:
    del budgets
    from benchmarks.models import structured_values

    from tinyedge.graph.reader import read_model

    (image,) = read_model(models.small_convolution(), "small").input_tensors()
    values = structured_values(image)
    assert values.shape[1:] == image.shape
    assert (values.min(), values.max(), str(values.dtype)) == (-128, 127, "int8")
    assert len({row.tobytes() for row in values}) == len(values) - 1, "a ramp over one channel is flat"
    assert (values[2] == image.zero_point).all()


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("tflite_micro") is None, reason="needs the oracle: pip install tflite-micro"
)
def test_real_models_keep_their_budgets(root: Path, shared_models: Path, tmp_path: Path) -> None:
    """Every model that has no test of its own below, at every optimization, over a few samples."""
    files = [path for path in sorted(shared_models.glob("*.tflite")) if path.stem not in OF_README]
    assert len(files) == 10
    done = call(root, *files, "--samples", "5", "--check", "--json", "-d", tmp_path / "build")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    document = json.loads(done.stdout)
    assert document["refused"] == []
    assert [row["model"] for row in document["rows"] if row["budget"] is None] == []


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("tflite_micro") is None, reason="needs the oracle: pip install tflite-micro"
)
@pytest.mark.parametrize("name", OF_README)
def test_models_of_the_readme_are_exact_over_208_samples(
    name: str, root: Path, shared_models: Path, tmp_path: Path
) -> None:
    """200 random ones and structured ones, at every optimization."""
    done = call(root, shared_models / f"{name}.tflite", "--thorough", "--check", "--json", "-d", tmp_path / "build")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    rows = json.loads(done.stdout)["rows"]
    assert [row["verify"] for row in rows] == [{"samples": 208, "mismatches": 0}] * 3


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("tflite_micro") is None, reason="needs the oracle: pip install tflite-micro"
)
@pytest.mark.parametrize("board", ["rpi_pico", "esp32c3_devkitm", "mps3_an547"])
def test_other_cores_keep_their_promises(board: str, root: Path, shared_models: Path, tmp_path: Path) -> None:
    """Cores with kernels of their own."""
    if board == "mps3_an547" and not shutil.which("qemu-system-arm"):
        pytest.skip("needs qemu-system-arm: apt install qemu-system-arm")
    names = ("kws_ref_model", "pretrainedResnet_quant")
    files = [shared_models / f"{name}.tflite" for name in names]
    done = call(root, *files, "-b", board, "--samples", "2", "--check", "-d", tmp_path / "build")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"

"""The tflm runtime as a user builds, runs and compares it. Most of it needs a tree of TensorFlow Lite Micro."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from support.cli import Outcome, program, tinyedge
from support.models import small_convolution, too_big_for_ram, unknown_operator
from support.tflm_tree import make_tree, real_tree

# Instructions of one inference, counted by other means with reference and with CMSIS-NN kernels, gcc 12.2, -Os and -O2,
# without texts; and the smallest arenas. Of TensorFlow Lite Micro 90b983c2b.
KNOWN = {
    "hello_world_int8": ((5_245, 3_531), (1_072, 1_168)),
    "ad01_int8": ((1_952_489, 582_978), (2_704, 3_024)),
    "kws_ref_model": ((43_040_124, 7_697_876), (22_784, 22_832)),
    "vww_96_int8": ((100_249_512, 24_101_944), (100_672, 100_720)),
    "pretrainedResnet_quant": ((107_401_511, 29_864_127), (54_352, 55_008)),
}
pytestmark = pytest.mark.xdist_group("tflm")  # one after the other, as they share objects
needs_gcc = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="no arm-none-eabi-gcc: apt-get install gcc-arm-none-eabi"
)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.tflite"
    path.write_bytes(small_convolution())
    return path


def tflm(command: str, *arguments: str | Path, cwd: Path, tree: Path | str = "") -> Outcome:
    return tinyedge(command, *arguments, "-b", "nrf52840", cwd=cwd, env={"TINYEDGE_TFLM": str(tree)}, timeout_s=900)


def run_json(*arguments: str | Path, cwd: Path) -> dict[str, Any]:
    outcome = tflm("run", "--runtime", "tflm", "--json", *arguments, cwd=cwd, tree=real_tree())
    assert outcome.code == 0, outcome.stderr
    document: dict[str, Any] = json.loads(outcome.stdout)
    return document


# -- without a tree --------------------------------------------------------------------------------------------------


def test_without_a_tree_the_project_is_written_and_the_way_to_a_tree_told(small: Path) -> None:
    outcome = tflm("build", small, "--runtime", "tflm", cwd=small.parent)
    assert outcome.code == 3
    assert "error: the runtime `tflm` needs a source tree of TensorFlow Lite Micro" in outcome.stderr
    assert "create_tflm_tree.py" in outcome.stderr
    folder = small.parent / "build/small/nrf52840dk-zig-tflm"
    assert (folder / "model/te_tflm.cc").is_file()
    assert "host's interpreter needs" in (folder / "model/te_model_arena.h").read_text()
    make = subprocess.run(["make"], cwd=folder, capture_output=True, text=True, check=False)
    assert make.returncode != 0
    assert "made without TensorFlow Lite Micro" in make.stderr


@pytest.mark.parametrize(
    ("without", "message"),
    [
        ("tensorflow/lite/micro/micro_mutable", "is no tree of TensorFlow Lite Micro"),
        ("third_party/ruy", "is incomplete: it lacks third_party/ruy"),
    ],
)
def test_folders_that_are_no_trees(without: str, message: str, small: Path) -> None:
    folder = make_tree(small.parent / "tree", without=without)
    outcome = tflm("build", small, "--runtime", "tflm", "--tflm", folder, cwd=small.parent)
    assert outcome.code == 2
    assert message in outcome.stderr
    assert "hint:" in outcome.stderr


def test_what_tflm_cannot_run_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    (tmp_path / "odd.tflite").write_bytes(unknown_operator())
    outcome = tflm("build", "odd.tflite", "--runtime", "tflm", cwd=tmp_path)
    assert outcome.code == 1
    assert "operator 0 `hashtable_lookup`" in outcome.stderr
    assert not (tmp_path / "build").exists()


def test_there_is_no_plan_of_an_interpreter(small: Path) -> None:
    outcome = tflm("plan", small, "--runtime", "tflm", cwd=small.parent)
    assert (outcome.code, "plans its memory on the device" in outcome.stderr) == (2, True)


def test_an_unknown_runtime_to_compare(small: Path) -> None:
    outcome = tflm("bench", small, "--runtime", "aot,onnx", cwd=small.parent)
    assert (outcome.code, "there is no runtime `onnx`" in outcome.stderr) == (2, True)


def test_a_comparison_of_one(small: Path) -> None:
    """Nothing but this machine's wheels is needed for the ahead-of-time runtime."""
    outcome = tflm("bench", small, "--runtime", "aot", "--samples", "2", "--json", cwd=small.parent)
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert document["schema"] == "tinyedge.bench/1"
    assert (document["runtimes"], document["ratios"]) == (["aot"], {})
    memory = document["runs"][0]["memory"]
    assert 0 < memory["code_bytes"] < memory["flash_bytes"]


# -- with a tree -----------------------------------------------------------------------------------------------------


def test_small_model_with_its_arena_proved(small: Path) -> None:
    document = run_json(small, cwd=small.parent)
    assert document["verify"]["mismatches"] == 0
    assert document["runtime"] == "tflm"
    assert document["library"].startswith("TensorFlow Lite Micro ")
    arena = document["arena"]
    assert arena["bytes"] == document["memory"]["arena_bytes"] == arena["fails_bytes"] + 16
    assert arena["message"]  # in TensorFlow Lite Micro's words, as this build has texts
    layers = document["layers"]
    assert [layer["kernel"] for layer in layers] == ["CONV_2D_INT8", "FULLY_CONNECTED_INT8"]
    share = sum(layer["instructions"] for layer in layers) / document["instructions"]["value"]
    assert 0.9 < share < 1.02
    again = tflm("build", small, "--runtime", "tflm", "--json", cwd=small.parent, tree=real_tree())
    assert json.loads(again.stdout)["arena"] == arena
    assert "compile (first" not in again.stderr


def test_the_project_builds_by_hand_to_the_same_image(small: Path) -> None:
    built = tflm("build", small, "--runtime", "tflm", "--json", cwd=small.parent, tree=real_tree())
    assert built.code == 0, built.stderr
    folder = small.parent / "build/small/nrf52840dk-zig-tflm"
    made = (folder / "build/firmware.bin").read_bytes()
    shutil.copytree(folder, small.parent / "copy", ignore=shutil.ignore_patterns("build"))
    done = subprocess.run(
        ["make", "-s", "-j2", f"CC={sys.executable} -m ziglang cc"],
        cwd=small.parent / "copy",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (small.parent / "copy/build/firmware.bin").read_bytes() == made


def test_side_by_side(small: Path) -> None:
    outcome = tflm("bench", small, "--samples", "3", cwd=small.parent, tree=real_tree())
    assert outcome.code == 0, outcome.stderr
    assert "tflm / aot" in outcome.stdout
    assert outcome.stdout.count("3 samples, 0 mismatches") == 2


@needs_gcc
@pytest.mark.toolchain
def test_gcc_gives_the_same_outputs(small: Path) -> None:
    one, other = (run_json(small, "--compiler", name, cwd=small.parent) for name in ("zig", "gcc"))
    assert one["digests"]["outputs"] == other["digests"]["outputs"]
    assert one["arena"]["bytes"] == other["arena"]["bytes"]
    assert (one["compiler"][:4], other["compiler"][:4]) == ("zig ", "gcc ")


def test_too_big_for_the_board(tmp_path: Path) -> None:
    (tmp_path / "big.tflite").write_bytes(too_big_for_ram())
    outcome = tflm("build", "big.tflite", "--runtime", "tflm", cwd=tmp_path, tree=real_tree())
    assert outcome.code == 1
    assert "cannot start model `big` in the" in outcome.stderr
    assert "\n       | " in outcome.stderr  # TensorFlow Lite Micro's own words


def test_a_tree_that_may_not_be_written(small: Path) -> None:
    tree = real_tree()
    newest = max(path.stat().st_mtime_ns for path in tree.rglob("*"))
    count = sum(1 for _ in tree.rglob("*"))
    assert tflm("build", small, "--runtime", "tflm", cwd=small.parent, tree=tree).code == 0
    assert max(path.stat().st_mtime_ns for path in tree.rglob("*")) == newest
    assert sum(1 for _ in tree.rglob("*")) == count


def test_a_build_goes_on_where_it_was_interrupted(small: Path) -> None:
    """With a cache of its own, broken off while it compiles."""
    folder = small.parent
    env = {**os.environ, "TINYEDGE_TFLM": str(real_tree()), "TINYEDGE_CACHE": str(folder / "cache")}
    command = program("build", small, "-b", "nrf52840", "--runtime", "tflm", "--json")
    process = subprocess.Popen(command, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 300
    while len(list((folder / "cache").glob("objects/*.o"))) < 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    kept = {path.name for path in (folder / "cache").glob("objects/*.o")}
    assert kept
    done = tinyedge(*command[command.index("build") :], cwd=folder, env=env, timeout_s=900)
    assert done.code == 0, done.stderr
    assert kept <= {path.name for path in (folder / "cache").glob("objects/*.o")}
    assert not list((folder / "cache").glob("objects/*.part"))


@needs_gcc
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_real_models(name: str, shared_models: Path, tmp_path: Path) -> None:
    """Bit-exact over twenty inputs, in the arena and with the instructions that were found by other means."""
    document = run_json(shared_models / f"{name}.tflite", "--optimize", "size", "--compiler", "gcc", cwd=tmp_path)
    kernels = int("CMSIS-NN" in document["library"])
    instructions, arena = KNOWN[name][0][kernels], KNOWN[name][1][kernels]
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (20, 0)
    assert document["memory"]["arena_bytes"] == arena
    assert document["instructions"]["value"] == pytest.approx(instructions, rel=0.03)
    assert document["memory"]["stack_peak_bytes"] < 2048


@pytest.mark.slow
@pytest.mark.train
def test_digits(root: Path) -> None:
    document = run_json("digits", cwd=root)
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (450, 0)
    assert document["accuracy"]["device"] == document["accuracy"]["int8"]

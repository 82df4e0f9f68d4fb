"""The tflm runtime as a user builds, runs and compares it. Most of it needs a tree of TensorFlow Lite Micro."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from kits.cli import Outcome, assert_refused, program, tinyedge
from kits.island_models import network_with_island
from kits.models import small_convolution, too_big_for_ram, unknown_operator
from kits.tflite_builder import TfliteBuilder
from kits.tflm_tree import make_tree, real_tree

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
    assert "host's interpreter needs" in (folder / "model/small.c").read_text()
    make = subprocess.run(["make"], cwd=folder, capture_output=True, text=True, check=False)
    assert make.returncode != 0
    assert "made without TensorFlow Lite Micro" in make.stderr


@pytest.mark.parametrize(
    ("without", "replaced", "message"),
    [
        ("", {}, "there is no folder"),
        ("tensorflow/lite/micro/micro_mutable", {}, "is no tree of TensorFlow Lite Micro"),
        ("third_party/ruy", {}, "is incomplete: it lacks third_party/ruy"),
        ("nothing", {"debug_log": "void DebugLog(const char* s);"}, "is too old: it lacks DebugLog(format, va_list)"),
    ],
)
def test_folders_that_are_no_trees(without: str, replaced: dict[str, str], message: str, small: Path) -> None:
    folder = small.parent / "tree"
    if without:
        make_tree(folder, without=without, **replaced)
    outcome = tflm("build", small, "--runtime", "tflm", "--tflm", folder, cwd=small.parent)
    assert_refused(outcome, 2, message, "create_tflm_tree.py")
    assert not (small.parent / "build").exists()


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
    assert document["schema"] == "tinyedge.bench/2"
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


def test_documents_are_those_of_the_other_runtime(small: Path) -> None:
    outcome = tflm("bench", small, "--samples", "2", "--json", cwd=small.parent, tree=real_tree())
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    aot, other = document["runs"]
    assert (document["runtimes"], keys(aot)) == (["aot", "tflm"], keys(other | {"library": None, "arena": None}))
    assert aot["digests"]["outputs"] == other["digests"]["outputs"]
    ratio = other["instructions"]["value"] / aot["instructions"]["value"]
    assert document["ratios"]["tflm"]["instructions"] == pytest.approx(ratio)
    built = [
        tflm("build", small, "--runtime", runtime, "--json", cwd=small.parent, tree=real_tree())
        for runtime in ("aot", "tflm")
    ]
    aot, other = (json.loads(outcome.stdout) for outcome in built)
    assert keys(aot) == keys(other | {"library": None, "arena": None})


def keys(document: Any) -> Any:
    """The names in a document, at any depth, and of a list those of its first."""
    if isinstance(document, dict):
        return {key: keys(value) for key, value in document.items()}
    return keys(document[0]) if isinstance(document, list) and document else None


def test_a_small_build_has_no_texts_of_errors(small: Path) -> None:
    found = {}
    for optimize in ("size", "balanced"):
        outcome = tflm("build", small, "--runtime", "tflm", "--optimize", optimize, cwd=small.parent, tree=real_tree())
        assert outcome.code == 0, outcome.stderr
        folder = small.parent / "build/small/nrf52840dk-zig-tflm"
        sources = b"".join(path.read_bytes() for path in sorted(folder.glob("tflm/tensorflow/**/*.cc")))
        texts = set(re.findall(rb'MicroPrintf\(\s*"([^"\\%]{12,})', sources))
        image = (folder / "build/firmware.bin").read_bytes()
        found[optimize] = sum(text in image for text in texts)
    assert found["size"] == 0
    assert found["balanced"] > 20


def test_an_int8_registration_only_where_all_is_int8(tmp_path: Path) -> None:
    """A softmax from int8 to int16: the int8-only one would give wrong output and no error."""
    builder = TfliteBuilder()
    source, target = (
        builder.tensor([1, 10], scale=0.1),
        builder.tensor([1, 10], "int16", scale=2.0**-16, zero_point=-(2**15)),
    )
    builder.operator("softmax", [source], [target], beta=1.0)
    (tmp_path / "wide.tflite").write_bytes(builder.build([source], [target]))
    document = run_json("wide.tflite", cwd=tmp_path)
    assert [layer["kernel"] for layer in document["layers"]] == ["SOFTMAX"]
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (20, 0)


def test_an_island_in_float32(tmp_path: Path) -> None:
    (tmp_path / "net.tflite").write_bytes(network_with_island())
    document = run_json("net.tflite", cwd=tmp_path)
    assert {"DEQUANTIZE", "EXP", "MUL", "DIV", "QUANTIZE"} <= {layer["kernel"] for layer in document["layers"]}
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (20, 0)


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
    objects = {path.name for path in (folder / "cache").glob("objects/*.o")}
    assert kept <= objects
    assert not list((folder / "cache").glob("objects/*.part"))
    image = (folder / "build/small/nrf52840dk-zig-tflm/build/firmware.bin").read_bytes()
    elsewhere = tflm("build", small, "--runtime", "tflm", "--build-dir", "other", cwd=folder, tree=real_tree())
    assert elsewhere.code == 0, elsewhere.stderr
    assert (folder / "other/small/nrf52840dk-zig-tflm/build/firmware.bin").read_bytes() == image
    # A second model with the same operators: nothing of the library is compiled for it.
    small.with_name("second.tflite").write_bytes(small_convolution(channels=4))
    second = tinyedge("build", "second.tflite", *command[command.index("-b") :], cwd=folder, env=env)
    assert second.code == 0, second.stderr
    assert len({path.name for path in (folder / "cache").glob("objects/*.o")} - objects) < 12


@needs_gcc
@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_real_models(name: str, shared_models: Path, tmp_path: Path) -> None:
    """Bit-exact over twenty inputs, in the arena and with the instructions that were found by other means."""
    document = run_json(shared_models / f"{name}.tflite", "--optimize", "size", "--compiler", "gcc", cwd=tmp_path)
    kernels = int("CMSIS-NN" in document["library"])
    instructions, arena = KNOWN[name][0][kernels], KNOWN[name][1][kernels]
    check_proved(document, arena)
    assert document["instructions"]["value"] == pytest.approx(instructions, rel=0.03)
    assert document["memory"]["stack_peak_bytes"] < 2048


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(KNOWN))
def test_real_models_with_zig(name: str, shared_models: Path, tmp_path: Path) -> None:
    """The same arena, and with the texts that this build has, the interpreter's own words on one that is smaller."""
    document = run_json(shared_models / f"{name}.tflite", cwd=tmp_path)
    check_proved(document, KNOWN[name][1]["CMSIS-NN" in document["library"]])
    assert re.search("Too many buffers|Failed to allocate|Failed to resize", document["arena"]["message"])


def check_proved(document: dict[str, Any], arena_bytes: int) -> None:
    """Twenty samples are bit-exact in this arena, and one 16 bytes smaller was seen to fail."""
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (20, 0)
    assert document["memory"]["arena_bytes"] == document["arena"]["bytes"] == arena_bytes
    assert document["arena"]["fails_bytes"] == arena_bytes - 16
    assert document["arena"]["message"]


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.xdist_group("digits")
def test_digits(root: Path) -> None:
    document = run_json("digits", cwd=root)
    assert (document["verify"]["samples"], document["verify"]["mismatches"]) == (450, 0)
    assert document["accuracy"]["device"] == document["accuracy"]["int8"]
    assert document["arena"]["fails_bytes"] == document["arena"]["bytes"] - 16


@pytest.mark.slow
@pytest.mark.parametrize("board", ["rpi_pico", "bluepill", "nrf5340dk", "nucleo_h743zi", "esp32c3_devkitm", "host"])
def test_other_cores(board: str, small: Path) -> None:
    """Arm without and with DSP instructions, RISC-V and this computer; proved on each."""
    outcome = tinyedge(
        *("run", small, "-b", board, "--runtime", "tflm", "--tflm", real_tree(), "--json"),
        cwd=small.parent,
        timeout_s=900,
    )
    assert outcome.code == 0, outcome.stderr
    document = json.loads(outcome.stdout)
    assert document["verify"]["mismatches"] == 0
    assert document["arena"]["fails_bytes"] == document["arena"]["bytes"] - 16


@pytest.mark.slow
def test_a_board_that_no_emulator_has(small: Path) -> None:
    """Only QEMU has the Cortex-M55: without it the figure is this computer's with a margin, and says so."""
    outcome = tinyedge(
        *("build", small, "-b", "mps3_an547", "--runtime", "tflm", "--tflm", real_tree(), "--json"),
        cwd=small.parent,
        env={"PATH": str(small.parent)},
        timeout_s=900,
    )
    assert outcome.code == 0, outcome.stderr
    arena = json.loads(outcome.stdout)["arena"]
    need = re.fullmatch(
        r"Not measured on the target: the host's interpreter needs ([\d,]+) bytes, and 1,024 are added for safety\.",
        arena["origin"],
    )
    assert need is not None
    assert 0 <= arena["bytes"] - int(need[1].replace(",", "")) - 1024 < 16
    assert arena["fails_bytes"] is None

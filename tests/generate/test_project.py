"""Generated projects: complete, deterministic, and buildable by hand."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kits.hand_plan import hand_model, hand_plan
from kits.licence import has_licence
from tinyedge import wire
from tinyedge.artifacts import FirmwareProject
from tinyedge.boards import list_boards, load_board
from tinyedge.build import build_image
from tinyedge.errors import ModelError, UsageError
from tinyedge.generate import generate_project
from tinyedge.generate.project import STACK_BYTES, protocol_header
from tinyedge.kernels.contract import Code, Operands
from tinyedge.paths import templates_dir

MakeProject = Callable[[str], FirmwareProject]
FLAGS = {
    "zig_cflags": "-O2",
    "zig_ldflags": "-Wl,-O1",
    "gcc_cflags": "-O3",
    "gcc_ldflags": "-nostartfiles",
    "small_cflags": "-Os",
}


def project(board: str = "nrf52840dk", **changes: object) -> FirmwareProject:
    model = dataclasses.replace(hand_model(), **changes)
    return generate_project(hand_plan(), model, load_board(board), selftest_crc=0x1234, make_flags=FLAGS)


def test_twice_the_same() -> None:
    assert project() == project()


def test_golden(root: Path, update_golden: bool) -> None:
    """Every rendered file; files that are copied are their own snapshot, and the image id changes with them."""
    folder = root / "tests" / "golden" / "hand_nrf52840dk"
    copied = {path.read_bytes() for path in templates_dir().rglob("*.[ch]")}
    rendered = {
        name: content for name, content in project().files.items() if content not in copied and name != "app/te_image.h"
    }
    if update_golden:
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in rendered.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert there == set(rendered), "run pytest with --update-golden and look at the difference"
    for name, content in rendered.items():
        assert content.decode() == (folder / name).read_text(), f"{name}: --update-golden writes it anew"


def test_the_image_id_is_that_of_all_other_files(monkeypatch: pytest.MonkeyPatch) -> None:
    one = project()
    assert f'#define TE_IMAGE_ID "{one.digest[:16]}"' in one.files["app/te_image.h"].decode()
    others = [project("arduino_nano_33_ble"), project(tflite=b"another file")]
    monkeypatch.setattr("kits.hand_plan.BIAS", np.zeros(300, np.int8))
    others.append(project())
    assert len({one.digest, *(other.digest for other in others)}) == 4


@pytest.mark.parametrize("board", [board.name for board in list_boards()])
def test_what_a_project_names_is_there(board: str, root: Path) -> None:
    made = project(board)
    assert set(made.sources) == {name for name in made.files if name.endswith((".c", ".S"))}
    assert all(any(name.startswith(f"{folder}/") for name in made.files) for folder in made.include_dirs)
    assert (made.linker_script == "") == (board == "host")
    assert "Makefile" in made.files
    for name, content in made.files.items():
        text = content.decode("ascii")
        assert str(root) not in text
        assert not re.search(r"\{\{|%%|\{#", text), f"{name} holds template syntax"


@pytest.mark.parametrize("board", [board.name for board in list_boards()])
def test_every_file_names_its_licence_in_its_first_line(board: str) -> None:
    for name, content in project(board).files.items():
        assert has_licence(content), name


def test_every_source_of_projects_names_its_licence() -> None:
    own = templates_dir() / "new"  # what a user begins with is the user's own
    for path in templates_dir().rglob("*"):
        if path.is_file() and own not in path.parents:
            assert has_licence(path.read_bytes()), path


def test_the_protocol_header_says_what_wire_says() -> None:
    text = protocol_header().decode()
    defined = dict(re.findall(r"#define (\w+) (\".*?\"|'.'|\d+)", text))
    expected = {
        "TE_PROTOCOL": str(wire.PROTOCOL),
        "TE_LINE_BYTES": str(wire.LINE_BYTES),
        "TE_CHUNK_BYTES": str(wire.CHUNK_BYTES),
        "TE_MARK_REQUEST": f"'{wire.MARK_REQUEST}'",
        "TE_MARK_REPLY": f"'{wire.MARK_REPLY}'",
        "TE_MARK_RECORD": f"'{wire.MARK_RECORD}'",
        "TE_CHECK_MARK": f'"{wire.CHECK_MARK}"',
        "TE_OK": f'"{wire.OK}"',
        **{f"TE_VERB_{verb.upper()}": f'"{verb}"' for verb in wire.VERBS},
        **{f"TE_ERR_{code.upper()}": f'"{wire.ERR} {code}"' for code in wire.ERRORS},
    }
    assert defined == expected


def test_flash_starts_behind_a_bootloader() -> None:
    script = project("arduino_nano_33_ble").files["link.ld"].decode()
    assert "FLASH (rx) : ORIGIN = 0x00010000, LENGTH = 983040 /* behind 65536 bytes of bootloader */" in script
    assert "RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 262144" in script


def test_the_longest_banner_fits_a_line() -> None:
    made = project(name="m" * 40)
    longest = max(len(board.name) for board in list_boards())
    words = (
        f"hello protocol={wire.PROTOCOL} model={made.model} board={'b' * longest} runtime=tflm image={'0' * 16}"
        f" ticks_hz={2**32} inputs=65535 outputs=65535 layers=65535 arena={2**32} selftest=fail"
    )
    assert len(wire.encode_line(wire.MARK_REPLY, 65535, words)) <= wire.LINE_BYTES + 1


@pytest.mark.parametrize("name", ["", "m" * 41, "my net", 'a"b', "a\nb", "grün"])
def test_a_name_that_cannot_be_sent_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in the firmware's banner"):
        project(name=name)


def test_a_model_without_operators_is_refused() -> None:
    plan = dataclasses.replace(hand_plan(), layers=())
    with pytest.raises(ModelError, match="no operator"):
        generate_project(plan, hand_model(), load_board("host"), selftest_crc=0, make_flags=FLAGS)


def test_a_constant_output_is_refused() -> None:
    plan = hand_plan()
    plan = dataclasses.replace(
        plan,
        graph=plan.graph.evolve(
            outputs=(9,),
            tensors={**plan.graph.tensors, 9: dataclasses.replace(plan.graph.tensors[3], index=9, name="fixed")},
        ),
    )
    with pytest.raises(ModelError, match="`fixed` of the model is a constant"):
        generate_project(plan, hand_model(), load_board("host"), selftest_crc=0, make_flags=FLAGS)


def test_kernels_bring_their_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = hand_plan()
    kernel = plan.layers[1].kernel
    code = kernel.emit(plan.layers[1].layer, load_board("host").core, Operands(("a", "b"), ("c",), "", "p"))
    with_runtime = Code(code.call, runtime=("te_softmax_s8",), includes=("stdbool.h", "<stdint.h>", "te_window.h"))
    monkeypatch.setattr(kernel, "emit", lambda *_: with_runtime)
    made = generate_project(plan, hand_model(), load_board("host"), selftest_crc=0, make_flags=FLAGS)
    assert "runtime/te_softmax_s8.c" in made.sources
    assert "runtime" in made.include_dirs
    text = made.files["model/hand.c"].decode()
    includes = re.findall(r"#include (.*)", text)
    assert includes.count("<stdint.h>") == 1
    assert {'"te_softmax_s8.h"', '"te_window.h"', "<stdbool.h>"} <= set(includes)


@pytest.mark.parametrize("board", ["nrf52840dk", "arduino_nano_33_ble"])
def test_both_compilers_build_it(make_project: MakeProject, compiler: str, board: str, tmp_path: Path) -> None:
    made = make_project(board)
    image = build_image(made, tmp_path, compiler)
    assert image.bin is not None
    binary = image.bin.read_bytes()
    ram = load_board(board).ram
    stack_top = int.from_bytes(binary[:4], "little")
    reset = int.from_bytes(binary[4:8], "little")
    assert stack_top == ram.start + STACK_BYTES
    assert reset & 1, "Thumb"
    start = load_board(board).flash_start
    assert start < reset < start + len(binary)
    assert made.digest[:16].encode() in binary
    assert image.size.ram_bytes >= made.arena_bytes + STACK_BYTES
    arena = next(symbol for symbol in image.size.symbols if symbol.name == "hand_arena")
    assert arena.bytes == made.arena_bytes


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-s", *arguments], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.skipif(shutil.which("make") is None, reason="no make: `apt-get install make`")
@pytest.mark.parametrize("board", ["nrf52840dk", "host"])
def test_make_builds_it(make_project: MakeProject, compiler: str, board: str, tmp_path: Path) -> None:
    gcc = "cc" if board == "host" else "arm-none-eabi-gcc"
    if shutil.which(gcc) is None:
        pytest.skip(f"no {gcc}: `apt-get install gcc`")
    driver = f"{sys.executable} -m ziglang cc" if compiler == "zig" else gcc
    made = make_project(board)
    made.write(tmp_path)
    done = make(tmp_path, f"CC={driver}")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    built = {path.name for path in (tmp_path / "build").iterdir() if path.is_file()}
    assert built == {"firmware.elf"} | ({"firmware.bin", "firmware.hex"} if board != "host" else set())
    assert make(tmp_path, f"CC={driver}", "-q").returncode == 0, "a second make has nothing to do"


@pytest.mark.skipif(shutil.which("make") is None, reason="no make: `apt-get install make`")
def test_make_says_when_there_is_no_compiler(make_project: MakeProject, tmp_path: Path) -> None:
    make_project("nrf52840dk").write(tmp_path)
    shell = shutil.which("sh")
    assert shell is not None
    empty = tmp_path / "empty"
    empty.mkdir()
    program = shutil.which("make")
    assert program is not None
    done = subprocess.run(
        [program, f"SHELL={shell}"], cwd=tmp_path, env={"PATH": str(empty)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no compiler found: `pip install ziglang`" in done.stderr

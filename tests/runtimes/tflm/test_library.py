"""Projects that carry a library: how its sources are compiled, when its objects serve again, and what is checked."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tinyedge.artifacts import FirmwareProject, Library
from tinyedge.boards import CORES, load_board
from tinyedge.build import build_image, check_cxx, make_library_flags, select_compiler
from tinyedge.build.compiler import Compiler
from tinyedge.build.flags import gcc_flags, zig_flags
from tinyedge.build.objects import object_keys
from tinyedge.errors import InternalError, ToolError
from tinyedge.runtimes.tflm.image import check_tflm_image

NEEDS_GCC = pytest.mark.skipif(
    shutil.which("arm-none-eabi-gcc") is None, reason="no arm-none-eabi-gcc: apt-get install gcc-arm-none-eabi"
)

SUM = {
    "tflm/include/sum.h": b"int sum(int a, int b);\n",
    "tflm/sum.cc": b'#include FLAGGED\n#include "sum.h"\nint sum(int a, int b) { unsigned c = a; return c + b; }\n',
    "tflm/table.c": b"const int table[2] = {1, 2};\n",
}
OWN = {
    "app/main.cc": b'#include "own.h"\n#include <sum.h>\nextern "C" int main() { return sum(OWN, -3) + LEVEL; }\n',
    "app/own.h": b"#define OWN 3\n",
}


def library(files: Mapping[str, bytes] = SUM, *defines: str) -> Library:
    return Library(
        name="sums 1.0",
        files=files,
        sources={"tflm/sum.cc": "-Os", "tflm/table.c": "-O2"},
        include_dirs=("tflm", "tflm/include"),
        defines=("LEVEL=0", 'FLAGGED="sum.h"', *defines),
    )


def project(own: Mapping[str, bytes] = OWN, carried: Library | None = None) -> FirmwareProject:
    carried = carried or library()
    return FirmwareProject(
        model="sums",
        board=load_board("host"),
        runtime="tflm",
        files={**own, **carried.files},
        sources=(*(name for name in own if name.endswith(".cc")), *carried.sources),
        include_dirs=("app",),
        linker_script="",
        arena_bytes=0,
        digest="0" * 64,
        library=carried,
    )


def compiler(core: str = "cortex-m4f") -> Compiler:
    return Compiler("gcc", "gcc 1.2.3", ("gcc",), gcc_flags(CORES[core]))


def test_the_librarys_sources_have_their_own_flags() -> None:
    command = compiler().compile_command("tflm/sum.cc", "x.o", ["app"], library())
    assert "-w" in command
    assert "-std=c++17" in command
    assert {"-fno-rtti", "-fno-exceptions", "-Os", "-DLEVEL=0", "-Itflm/include"} <= set(command)
    assert not {"-Werror", "-Iapp", "-O2"} & set(command)
    assert "-O2" in compiler().compile_command("tflm/table.c", "x.o", ["app"], library())


def test_the_projects_sources_see_the_library_without_its_warnings() -> None:
    command = compiler().compile_command("app/main.cc", "x.o", ["app"], library())
    assert {"-Werror", "-std=c++17", "-Iapp", "-DLEVEL=0"} <= set(command)
    assert command[command.index("tflm/include") - 1] == "-isystem"
    assert "-Itflm" not in command


def test_a_project_without_a_library_is_compiled_as_before() -> None:
    assert compiler().compile_command("a.c", "a.o", ["app"]) == [
        "gcc",
        *gcc_flags(CORES["cortex-m4f"]).compile,
        "-Iapp",
        "-c",
        "a.c",
        "-o",
        "a.o",
    ]
    assert "-lm" not in compiler().link_command(["a.o"], "", "a.elf")
    assert "-lm" in compiler().link_command(["a.o"], "", "a.elf", library())


def test_objects_of_a_library_serve_other_projects() -> None:
    one = object_keys(project(), compiler())
    other = object_keys(project({**OWN, "app/own.h": b"#define OWN 4\n", "app/more.h": b""}), compiler())
    assert one["tflm/sum.cc"] == other["tflm/sum.cc"]
    assert one["app/main.cc"] != other["app/main.cc"]


@pytest.mark.parametrize(
    "changed",
    [
        library({**SUM, "tflm/include/sum.h": b"int sum(int a, int b); //\n"}),
        library(SUM, "MORE"),
        replace(library(), sources={"tflm/sum.cc": "-O2", "tflm/table.c": "-O2"}),
    ],
)
def test_another_header_define_or_level_is_another_object(changed: Library) -> None:
    key = object_keys(project(), compiler())["tflm/sum.cc"]
    assert object_keys(project(carried=changed), compiler())["tflm/sum.cc"] != key


def test_files_of_another_version_are_removed(tmp_path: Path) -> None:
    """A header of it might be found first; what lies elsewhere is the user's."""
    (tmp_path / "tflm/include/old").mkdir(parents=True)
    (tmp_path / "tflm/include/old/sum.h").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    project().write(tmp_path)
    assert not (tmp_path / "tflm/include/old/sum.h").exists()
    assert (tmp_path / "tflm/include/sum.h").is_file()
    assert (tmp_path / "notes.txt").is_file()


def test_a_makefile_gets_the_same_flags() -> None:
    board = load_board("nrf52840dk")
    flags = make_library_flags(board)
    for name, wanted in (("zig", zig_flags(board.core)), ("gcc", gcc_flags(board.core))):
        assert flags[f"{name}_cflags"].split() == [flag for flag in wanted.compile if flag != "-Werror"]
        assert flags[f"{name}_cxxflags"].split() == [flag for flag in wanted.cxx if flag != "-Werror"]
        assert flags[f"{name}_library_cflags"].split() == list(wanted.library_c)
        assert flags[f"{name}_library_cxxflags"].split() == list(wanted.library_cxx)
        assert flags[f"{name}_libs"].split() == list(wanted.library_link)
        assert flags[f"{name}_ldflags"].split() == list(wanted.link)
    for words in flags.values():
        assert not any(word.startswith("/") or "=/" in word for word in words.split())


def test_zig_compiles_for_the_same_core_with_the_headers_of_a_c_library() -> None:
    flags = zig_flags(CORES["cortex-m4f"])
    assert flags.link[:2] == ("-target", "thumb-freestanding-eabihf")
    assert flags.library_cxx[:3] == ("-target", "thumb-linux-musleabihf", "-mcpu=cortex_m4+vfp4d16sp")
    assert zig_flags(CORES["cortex-m0plus"]).cxx[1] == "thumb-linux-musleabi"
    assert zig_flags(CORES["rv32imc"]).cxx[:3] == ("-target", "riscv32-linux-musl", "-mcpu=generic_rv32+m+c+zicsr")
    zig = select_compiler("zig", CORES["cortex-m4f"])
    assert zig.compile_command("app/a.cc", "a.o", [], library())[len(zig.driver) - 1] == "c++"
    assert zig.compile_command("app/a.c", "a.o", [], library())[len(zig.driver) - 1] == "cc"
    assert zig.link_command(["a.o"], "", "a.elf", library())[len(zig.driver) - 1] == "cc"


@pytest.mark.parametrize("name", ["zig", pytest.param("gcc", marks=[NEEDS_GCC, pytest.mark.toolchain])])
def test_enumerations_are_of_one_size_whichever_compiler(name: str, tmp_path: Path) -> None:
    """The library keeps some in its arena, whose size is told to the byte."""
    assertion = 'enum Plain { kOne };\nstatic_assert(sizeof(Plain) == 1, "an enum of one byte");\n'
    (tmp_path / "app").mkdir()
    (tmp_path / "app/main.cc").write_text(assertion)
    driver = select_compiler(name, CORES["cortex-m4f"])
    command = driver.compile_command("app/main.cc", "main.o", [], library())
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_cpp() -> None:
    check_cxx(select_compiler("zig", CORES["cortex-m4f"]))
    broken = Compiler("gcc", "", ("false",), gcc_flags(CORES["cortex-m4f"]))
    with pytest.raises(ToolError, match="cannot compile") as caught:
        check_cxx(broken)
    assert "libstdc++-arm-none-eabi" in caught.value.hint


@pytest.mark.skipif(shutil.which("c++") is None, reason="no C++ compiler: `apt-get install g++`")
def test_it_builds_and_the_image_is_checked(tmp_path: Path) -> None:
    model = b"a model file"
    values = ", ".join(map(str, model))
    array = f"te_model_data[{len(model)}]"
    files = {
        "app/data.h": f'extern "C" const unsigned char {array};\n'.encode(),
        "app/data.cc": f'#include "data.h"\nconst unsigned char {array} = {{{values}}};\n'.encode(),
        "app/main.cc": OWN["app/main.cc"].replace(b"+ LEVEL", b"+ te_model_data[0]").replace(b"own.h", b"data.h"),
    }
    image = build_image(
        project({**OWN, **files, "app/data.h": files["app/data.h"] + OWN["app/own.h"]}), tmp_path, "gcc"
    )
    check_tflm_image(image.elf, model, bare=False)
    with pytest.raises(InternalError, match="is not the model file"):
        check_tflm_image(image.elf, b"another file", bare=False)
    with pytest.raises(InternalError, match="has constructors"):
        check_tflm_image(image.elf, model, bare=True)  # a program for this computer has some
    check_cxx(select_compiler("gcc", CORES["native"]))

"""Flags: each core's code is what the core can run, and uses what it has."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import capstone
import pytest
from elftools.elf.elffile import ELFFile

from kits.tiny_firmware import make_board
from tinyedge import process
from tinyedge.boards import CORES, Core, Isa
from tinyedge.build import make_flags, select_compiler
from tinyedge.build.flags import supports_gcc
from tinyedge.errors import ToolError, UsageError

SOURCE = """\
#include <stdint.h>
float multiply(float a, float b) { return a * b; }
float multiply_add(float a, float b, float c) { return a * b + c; }
int32_t multiply_high(int32_t a, int32_t b) { return (int32_t)(((int64_t)a * b) >> 32); }
"""
CROSS = [core for core in CORES.values() if core.isa is not Isa.NATIVE]


def compile_object(core: Core, compiler: str, folder: Path, source: str = SOURCE) -> bytes:
    (folder / "a.c").write_text(source)
    driver = select_compiler(compiler, core)
    process.run(driver.compile_command("a.c", "a.o", ()), cwd=folder, timeout_s=120)
    return (folder / "a.o").read_bytes()


def instructions(data: bytes, *, armv8m: bool) -> dict[str, list[str]]:
    """Mnemonics of each function of an Arm object."""
    elf = ELFFile(BytesIO(data))
    mode = capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | (capstone.CS_MODE_V8 if armv8m else 0)
    disassembler = capstone.Cs(capstone.CS_ARCH_ARM, mode)
    return {
        section.name.removeprefix(".text."): [i.mnemonic for i in disassembler.disasm(section.data(), 0)]
        for section in elf.iter_sections()
        if section.name.startswith(".text.")
    }


@pytest.mark.parametrize("core", CROSS, ids=lambda core: core.name)
def test_float_arithmetic_is_in_hardware_where_there_is_some(core: Core, compiler: str, tmp_path: Path) -> None:
    if compiler == "gcc" and not supports_gcc(core):
        pytest.skip("gcc does not build for this core: zig does")
    data = compile_object(core, compiler, tmp_path)
    calls = [name for name in (b"__aeabi_fmul", b"__aeabi_fadd", b"__mulsf3", b"__addsf3") if name in data]
    if core.fpu:
        functions = instructions(data, armv8m=core.isa is not Isa.ARMV7EM)
        assert not calls
        assert "vmul.f32" in functions["multiply"]
        assert not any(name.startswith("vfma") for name in functions["multiply_add"])  # vmla rounds in between
    else:
        assert len(calls) == 2


@pytest.mark.parametrize("core", [CORES["cortex-m4f"], CORES["cortex-m33f"]], ids=lambda core: core.name)
def test_dsp_instructions_are_on(core: Core, compiler: str, tmp_path: Path) -> None:
    source = (
        "#include <arm_acle.h>\nint f(int a, int b, int c);\nint f(int a, int b, int c) { return __smlad(a, b, c); }"
    )
    data = compile_object(core, compiler, tmp_path, source)
    assert "smlad" in instructions(data, armv8m=False)["f"]


def test_mve_is_on(compiler: str, tmp_path: Path) -> None:
    source = "#include <arm_mve.h>\nint8x16_t f(int8x16_t a, int8x16_t b);\n"
    source += "int8x16_t f(int8x16_t a, int8x16_t b) { return vaddq_s8(a, b); }"
    assert len(compile_object(CORES["cortex-m55"], compiler, tmp_path, source)) > 0


def test_warnings_are_errors(compiler: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"a\.c:1:.*onversion"):
        compile_object(
            CORES["cortex-m4f"], compiler, tmp_path, "signed char f(int a); signed char f(int a) { return a; }"
        )


@pytest.mark.parametrize("core", CORES, ids=str)
def test_the_makefile_gets_what_a_build_uses_but_no_error_for_a_warning(core: str) -> None:
    flags = make_flags(make_board(core))
    assert list(flags) == ["zig_cflags", "zig_ldflags", "gcc_cflags", "gcc_ldflags", "small_cflags"]
    zig = select_compiler("zig", CORES[core])
    assert "-Werror" in zig.flags.compile
    assert flags["zig_cflags"].split() == [flag for flag in zig.flags.compile if flag != "-Werror"]
    assert flags["zig_ldflags"].split() == list(zig.flags.link)
    for words in flags.values():
        assert not any(word.startswith("/") or "=/" in word or word == "-Werror" for word in words.split())
    assert bool(flags["gcc_cflags"]) == supports_gcc(CORES[core])


def test_what_is_not_the_model_is_compiled_for_size(compiler: str) -> None:
    driver = select_compiler(compiler, CORES["cortex-m4f"])
    levels = {
        source: [flag for flag in driver.source_flags(source, ["app"]) if flag.startswith("-O")][-1]
        for source in ("app/main.c", "bsp/te_dwt.c", "model/te_model.c", "runtime/te_app.c")
    }
    assert list(levels.values()) == ["-Os", "-Os", "-O2", "-O2"]


def test_gcc_refuses_a_core_it_does_not_know() -> None:
    with pytest.raises(UsageError, match="`gcc` does not build for the core `rv32imc`") as caught:
        select_compiler("gcc", CORES["rv32imc"])
    assert caught.value.hint == "use `--compiler zig`"


def test_every_core_has_flags() -> None:
    for core in CORES.values():
        assert select_compiler("zig", core).flags.compile

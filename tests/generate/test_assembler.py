"""`<name>_kernels.S` and .h: their text, what the compilers make of it, and the checks of offsets."""

from __future__ import annotations

import dataclasses
import re
import shutil
from io import BytesIO
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from tinyedge import process
from tinyedge.artifacts import QuantizedModel
from tinyedge.boards import CORES, Core, Isa
from tinyedge.build.image import select_compiler
from tinyedge.errors import InternalError, ToolError
from tinyedge.generate.aot import generate_aot
from tinyedge.generate.assembler import assembler_files
from tinyedge.graph.reader import read_model
from tinyedge.kernels.armv6m.conv_pixels import GROUP
from tinyedge.kernels.armv7em.conv_4x2_row import ROW
from tinyedge.kernels.contract import AsmFunction, Offsets, word_offsets
from tinyedge.kernels.sources import runtime_files
from tinyedge.optimize import optimize_graph
from tinyedge.plan import make_plan

M4, M0, M55 = CORES["cortex-m4f"], CORES["cortex-m0plus"], CORES["cortex-m55"]
MOST_CASES = 40
MOST_LINES_OF_A_CASE = 9
MOST_LINES = 450
"""of the C of keyword spotting"""
FIRST_LAYER = 60
"""the line by which it begins"""

LAYER = word_offsets("te_f_layer", {"count": "of elements", "zero": ""})
FIRST = AsmFunction("te_f", "void te_f(te_conv_4x2_row *row)", "Does f.\n\nr0 row", ("        bx lr",), (ROW, LAYER))
SECOND = AsmFunction("te_g", "void te_g(void)", "Does g.", ("1:      b 1b",), (LAYER,))


def test_each_function_stands_there_once_in_order() -> None:
    files = assembler_files([FIRST, SECOND, FIRST], "kws", "kws", "cortex-m4f")
    text = files["kws_kernels.S"].decode()
    assert text.endswith(
        "/*\n * Does f.\n *\n * r0 row\n */\n        function te_f\n        bx lr\n        end te_f\n\n"
        "/*\n * Does g.\n */\n        function te_g\n1:      b 1b\n        end te_g\n"
    )
    assert text.count("function te_f\n") == 1
    assert files == assembler_files([FIRST, SECOND], "kws", "kws", "cortex-m4f")


def test_the_header_has_each_offset_once() -> None:
    text = assembler_files([FIRST, SECOND], "kws", "kws", "cortex-m4f")["kws_kernels.h"].decode()
    macros, c = text.split("#ifndef __ASSEMBLER__\n")
    assert macros.count("#define TE_F_LAYER_COUNT 0 /* of elements */\n#define TE_F_LAYER_ZERO 4\n") == 1
    assert '#include "te_conv_2d_4x2.h"\n' in c
    checked = re.findall(r"_has_moved\[offsetof\((\w+), (\w+)\) == (\w+) \? 1 : -1\];", c)
    assert checked == [("te_conv_4x2_row", member, ROW[member]) for member in ROW.members]
    assert "void te_f(te_conv_4x2_row *row);\nvoid te_g(void);\n" in c


def test_no_function_no_file() -> None:
    assert assembler_files([], "kws", "kws", "cortex-m4f") == {}


def test_two_functions_of_one_name_are_an_error() -> None:
    other = dataclasses.replace(FIRST, lines=("        nop",))
    with pytest.raises(InternalError, match="two functions in assembler have the name `te_f`"):
        assembler_files([FIRST, other], "kws", "kws", "cortex-m4f")
    described = dataclasses.replace(FIRST, comment="Does f for another layer.")
    assert assembler_files([FIRST, described], "kws", "kws", "cortex-m4f") == assembler_files(
        [FIRST], "kws", "kws", "cortex-m4f"
    )


def test_two_places_of_a_member_are_an_error() -> None:
    other = dataclasses.replace(SECOND, offsets=(word_offsets("te_f_layer", {"zero": "", "count": "of elements"}),))
    with pytest.raises(InternalError, match="find members of `te_f_layer` in different places"):
        assembler_files([FIRST, other], "kws", "kws", "cortex-m4f")


def compile_files(files: dict[str, bytes], source: str, core: Core, compiler: str, folder: Path) -> Path:
    """The object of one of some files."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    driver = select_compiler(compiler, core)
    process.run(driver.compile_command(source, "unit.o", ["."]), cwd=folder, timeout_s=120)
    return folder / "unit.o"


@pytest.mark.parametrize(("struct", "isa"), [(ROW, Isa.ARMV7EM), (GROUP, Isa.ARMV6M)], ids=["armv7em", "armv6m"])
def test_an_offset_that_is_wrong_does_not_compile(struct: Offsets, isa: Isa, compiler: str, tmp_path: Path) -> None:
    core = next(core for core in CORES.values() if core.isa is isa)
    runtime = runtime_files([struct.header.removesuffix(".h")], isa)

    def compile_with(members: dict[str, int]) -> None:
        offsets = dataclasses.replace(struct, members=members)
        function = AsmFunction("te_f", f"void te_f({struct.name} *it)", "Does f.", (), (offsets,))
        files = {**runtime, **assembler_files([function], "kws", "kws", core.name)}
        files["unit.c"] = b'#include "kws_kernels.h"\n'
        compile_files(files, "unit.c", core, compiler, tmp_path)

    compile_with(dict(struct.members))
    for member, offset in list(struct.members.items())[:: len(struct.members) // 3]:
        with pytest.raises(ToolError, match=f"{member}_has_moved"):
            compile_with({**struct.members, member: offset + 4})


def model_files(path: Path, core: Core, *, max_ram_bytes: int | None = None) -> dict[str, bytes]:
    """What is generated for a real model, by the names of the files alone; by rows only where so little RAM asks."""
    graph = optimize_graph(read_model(path.read_bytes(), path.stem))
    by_rows = max_ram_bytes is not None
    plan = make_plan(graph, core, "balanced", by_rows=by_rows, max_ram_bytes=max_ram_bytes)
    model = QuantizedModel(path.stem, path.read_bytes(), "")
    files = generate_aot(plan, model, core, selftest_crc=0).files
    return {name.rpartition("/")[2]: content for name, content in files.items()}


def code_of(path: Path) -> dict[str, bytes]:
    """The machine code of each function of an object, which must be Thumb in a section of its own."""
    elf = ELFFile(BytesIO(path.read_bytes()))
    found = {}
    for symbol in elf.get_section_by_name(".symtab").iter_symbols():
        if symbol["st_info"]["type"] == "STT_FUNC":
            section = elf.get_section(symbol["st_shndx"])
            assert section.name == f".text.{symbol.name}"
            assert symbol["st_value"] == 1, "the lowest bit says Thumb"
            assert symbol["st_info"]["bind"] == "STB_WEAK"
            assert symbol["st_other"]["visibility"] == "STV_HIDDEN"
            found[symbol.name] = section.data()[: symbol["st_size"]]
    return found


@pytest.mark.parametrize("core", [M4, M0, M55], ids=lambda core: core.name)
@pytest.mark.parametrize("name", ["kws_ref_model", "pretrainedResnet_quant"])
def test_functions_of_real_models_assemble(
    name: str, core: Core, shared_models: Path, compiler: str, tmp_path: Path
) -> None:
    """Under the flags of C, warnings as errors among them."""
    files = model_files(shared_models / f"{name}.tflite", core)
    declared = re.findall(r"^[a-z].*?(\w+)\(.*\);$", files[f"{name}_kernels.h"].decode(), re.MULTILINE)
    code = code_of(compile_files(files, f"{name}_kernels.S", core, compiler, tmp_path))
    assert sorted(code) == sorted(declared)
    assert len(code) >= 2
    assert all(len(content) > 20 for content in code.values())


@pytest.mark.parametrize("core", [M4, M0, M55], ids=lambda core: core.name)
def test_both_compilers_give_code_of_the_same_size(core: Core, shared_models: Path, tmp_path: Path) -> None:
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("no arm-none-eabi-gcc: `apt-get install gcc-arm-none-eabi libnewlib-arm-none-eabi`")
    files = model_files(shared_models / "kws_ref_model.tflite", core)
    zig, gcc = (
        code_of(compile_files(files, "kws_ref_model_kernels.S", core, name, tmp_path / name)) for name in ("zig", "gcc")
    )
    # Of two encodings of the same length, each has its own choice.
    assert {name: len(content) for name, content in zig.items()} == {
        name: len(content) for name, content in gcc.items()
    }


def test_the_c_of_a_model_reads_from_top_to_bottom(shared_models: Path) -> None:
    files = model_files(shared_models / "kws_ref_model.tflite", M4)
    text = files["kws_ref_model.c"].decode()
    assert "asm" not in text
    assert text.count("\n") < MOST_LINES
    assert text.split("/* Step 0: ")[0].count("\n") < FIRST_LAYER
    assert files == model_files(shared_models / "kws_ref_model.tflite", M4)


def test_the_c_of_a_stream_of_rows_is_a_short_case_for_each_kind_of_call(shared_models: Path) -> None:
    files = model_files(shared_models / "kws_ref_model.tflite", M4, max_ram_bytes=5_300)
    text = files["kws_ref_model.c"].decode()
    assert "asm" not in text
    (stream,) = re.findall(r"^static void \w+_stream\(.*?^}", text, re.MULTILINE | re.DOTALL)
    cases = re.split(r"^      case \d+: ", stream, flags=re.MULTILINE)[1:]
    assert len(cases) < MOST_CASES
    assert max(case.partition("\n      }")[0].count("\n") for case in cases) <= MOST_LINES_OF_A_CASE
    assert all(case.startswith("{ /* ") for case in cases)

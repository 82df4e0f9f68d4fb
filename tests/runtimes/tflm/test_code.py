"""The generated C++ and its companions compiled and run: with stand-in headers, and checked against the real ones."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kits.models import small_convolution
from kits.tflm_tree import real_tree
from tinyedge.artifacts import QuantizedModel
from tinyedge.boards import load_board
from tinyedge.graph.reader import read_model
from tinyedge.runtimes.tflm.operators import NEWEST
from tinyedge.runtimes.tflm.project import generate_tflm, registrations
from tinyedge.runtimes.tflm.tree import read_tree, select_library

STAND_INS = Path(__file__).resolve().parents[2] / "tflm_headers"
SHARED_MODELS = ("ad01_int8", "hello_world_int8", "kws_ref_model", "pretrainedResnet_quant", "vww_96_int8")
CXX = ("-std=c++17", "-fno-rtti", "-fno-exceptions", "-Wall", "-Wextra", "-Wconversion", "-Werror")
C = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror")


def write_part(tflite: bytes, folder: Path) -> None:
    """The generated files, flat in a folder with the headers they include."""
    part = generate_tflm(
        read_model(tflite, "small"),
        QuantizedModel("small", tflite, ""),
        load_board("host"),
        NEWEST,
        None,
        arena_bytes=64,
        arena_origin="Settled by a test.",
        selftest_crc=0,
    )
    templates = Path(__file__).resolve().parents[3] / "firmware_templates" / "project"
    for name, content in part.files.items():
        (folder / Path(name).name).write_bytes(content)
    shutil.copy(templates.parent / "library" / "te_model.h", folder / "te_model.h")
    shutil.copy(templates / "te_bsp.h", folder / "te_bsp.h")


def run(command: list[str], cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_compiles(folder: Path, includes: list[str], *sources: str) -> None:
    """With the compiler that comes with tinyedge, so that this runs everywhere."""
    pytest.importorskip("ziglang", reason="needs the compiler: pip install ziglang")
    for source in sources:
        driver, flags = ("c++", CXX) if source.endswith(".cc") else ("cc", C)
        command = [sys.executable, "-m", "ziglang", driver, *flags, "-g0", "-fno-sanitize=undefined", "-I.", *includes]
        run([*command, "-c", source, "-o", f"{source}.o"], folder)


def compile_and_run(folder: Path, main: str, sources: list[str]) -> str:
    """A program of the generated files, with ASan and UBSan."""
    compiler, cxx = shutil.which("cc"), shutil.which("c++")
    if compiler is None or cxx is None:
        pytest.skip("no compiler for this computer: `apt-get install g++`")
    (folder / "main.c").write_text(main)
    sanitize = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    objects = []
    for source in ["main.c", *sources]:
        driver, flags = (cxx, CXX) if source.endswith(".cc") else (compiler, C)
        run([driver, *flags, *sanitize, "-I.", f"-isystem{STAND_INS}", "-c", source, "-o", f"{source}.o"], folder)
        objects.append(f"{source}.o")
    run([compiler, *sanitize, *objects, "-o", "program"], folder)
    return run([str(folder / "program")], folder)


MAIN = """
#include <stdio.h>
#include <string.h>
#include "small.h"
#include "te_tflm.h"

extern const te_model_info small_info;

uint32_t te_bsp_cycles(void);
uint32_t te_bsp_cycles(void) { return 7; }

static void done(void *context, uint32_t step) { printf("%s %u\\n", (const char *)context, step); }

int main(void) {
  static uint8_t small[48] __attribute__((aligned(16)));
  printf("early %d %d\\n", te_tflm_input(0) == NULL, te_tflm_invoke(0, 0));
  printf("small %d\\n", te_tflm_prepare(small, sizeof small));
  printf("still %d\\n", te_tflm_output(0) == NULL);
  for (int i = 0; i < 2; ++i) {
    printf("init %d\\n", small_init());
    *(uint8_t *)small_input(0) = (uint8_t)(20 + i);
    printf("invoke %d", small_invoke_layers(done, "\\nlayer"));
    printf(" output %d\\n", *(const uint8_t *)small_output(0));
  }
  printf("quiet %d\\n", small_invoke());
  printf("%s %u %u\\n", small_info.runtime, small_info.arena_bytes, small_info.layer_count);
  return 0;
}
"""


def test_the_interpreter_behind_the_header_of_a_model(tmp_path: Path) -> None:
    """Starts only with enough arena, may start again, calls back once for each layer."""
    write_part(small_convolution(), tmp_path)
    output = compile_and_run(tmp_path, MAIN, ["te_tflm.cc", "small.c", "small_info.c", "te_model_data.c"])
    once = "init 0\n\nlayer 0\n\nlayer 1\ninvoke 0 output {}\n"
    assert output == ("early 1 1\nsmall 2\nstill 1\n" + once.format(40) + once.format(42) + "quiet 0\ntflm 64 2\n")


FORMATS = [
    ('"Missing: %d of %d"', "-5, 2147483647"),
    ('"%u %x %X"', "4294967295u, 255u, 16u"),
    ('"%ld %lu"', "-1L, 7UL"),
    ('"%zu bytes"', "(size_t)123456"),
    ('"%lld %llu"', "-9223372036854775807LL - 1, 18446744073709551615ULL"),
    ('"%s and %c%%"', "\"text\", 'x'"),
    ('"%f %f %f"', "1.5, -0.0000014, 2.9999999"),
    ('"%i|%%|%d"', "0, 10"),
]
PRINTER = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdarg.h>
#include "te_bsp.h"
#include "tensorflow/lite/micro/debug_log.h"

void te_bsp_init(void) {}
void te_bsp_putc(char c) { putchar(c); }
int te_bsp_getc(void) { return -1; }
_Noreturn void te_bsp_halt(int code) { fflush(stdout); _Exit(code == 1 ? 0 : 9); }

static int mine(char *buffer, size_t size, const char *format, ...) {
  va_list args;
  va_start(args, format);
  const int count = DebugVsnprintf(buffer, size, format, args);
  va_end(args);
  return count;
}

static void say(const char *format, ...) {
  va_list args;
  va_start(args, format);
  DebugLog(format, args);
  va_end(args);
}

int main(void) {
  char ours[100];
  char theirs[100];
  int wrong = 0;
#define TRY(...) \\
  do { \\
    const int counts = mine(ours, sizeof ours, __VA_ARGS__) == snprintf(theirs, sizeof theirs, __VA_ARGS__); \\
    if (!counts || strcmp(ours, theirs) != 0) { \\
      printf("%s is not %s\\n", ours, theirs); \\
      wrong = 1; \\
    } \\
  } while (0)
  TRIES
  printf("%d %d %s\\n", wrong, mine(ours, 4, "%s", "longer"), ours);
  printf("%d\\n", mine(NULL, 0, "%d", 123));
  say("Too small: %d", 5);
  say("\\r\\n");
  say("next %s\\n", "line");
  abort();
}
"""


def test_the_log_writes_what_printf_would(tmp_path: Path) -> None:
    write_part(small_convolution(), tmp_path)
    tries = "\n".join(f"  TRY({text}, {values});" for text, values in FORMATS)
    output = compile_and_run(tmp_path, PRINTER.replace("TRIES", tries), ["te_tflm_log.c"])
    assert output == "0 6 lon\n3\n\ntflm: Too small: 5\n\ntflm: next line\n\ntflm: aborted\n"


def test_compiles_with_the_stand_ins(tmp_path: Path) -> None:
    write_part(small_convolution(), tmp_path)
    check_compiles(tmp_path, [f"-isystem{STAND_INS}"], "te_tflm.cc", "small.c", "small_info.c", "te_tflm_log.c")


@pytest.mark.parametrize("name", SHARED_MODELS)
def test_real_models_compile_with_the_stand_ins(name: str, shared_models: Path, tmp_path: Path) -> None:
    write_part((shared_models / f"{name}.tflite").read_bytes(), tmp_path)
    check_compiles(tmp_path, [f"-isystem{STAND_INS}"], "te_tflm.cc")


def test_compiles_with_the_real_headers(tmp_path: Path) -> None:
    write_part(small_convolution(), tmp_path)
    tree = read_tree(real_tree())
    names = [operator.registered for operator in registrations(read_model(small_convolution(), "small"), tree.features)]
    library = select_library(tree, names, texts=True)
    folders = [f"-isystem{tree.folder / folder.removeprefix('tflm').lstrip('/')}" for folder in library.include_dirs]
    defines = [f"-D{define}" for define in library.defines]
    check_compiles(tmp_path, [*defines, *folders], "te_tflm.cc", "te_tflm_log.c")


def test_the_stand_ins_declare_what_the_real_headers_do() -> None:
    """Every name that generated code uses, with the same arguments."""
    tree = read_tree(real_tree())
    for path in sorted(STAND_INS.rglob("*.h")):
        if path.name == "common.h":
            continue
        mine = path.read_text()
        real = re.sub(r"\s+", "", tree.files[path.relative_to(STAND_INS).as_posix()].decode())
        for found in re.findall(r"  TfLiteStatus (Add\w+)\(const TFLM", mine):
            assert found == "Add" or f"TfLiteStatus{found}(constTFLMRegistration&registration=" in real, found
        for declared in re.findall(
            r"(?:int DebugVsnprintf|void DebugLog|uint32_t \w+)\([^)]*\);|initialization_status\(\) const|"
            r"TfLiteStatus (?:AllocateTensors|Invoke)\(\)|TfLiteTensor \*(?:in|out)put\(size_t",
            mine,
        ):
            assert re.sub(r"\s+", "", declared) in real, declared

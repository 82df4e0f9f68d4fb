"""A model as a C library: what compilers say of it, and programs of one's own that use it."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from kits.libraries import WARNINGS, build_program, c_array, compiler, library_of, planned, run, write_files, zig
from tinyedge.artifacts import CLibrary, QuantizedModel
from tinyedge.boards import Board, load_board
from tinyedge.build import build_image
from tinyedge.emulate.unicorn.host import UnicornEmulator
from tinyedge.generate.joint import PlannedModel
from tinyedge.measure.samples import load_inputs
from tinyedge.ops.reference import initial_state, run_graph
from tinyedge.train import load_kept, training_digest
from tinyedge.train.recipe import find_recipe

MODELS = Path(__file__).parent.parent / "cases" / "models"
HOST = load_board("host")
STATEFUL, PLAIN, REAL, MANY = (
    MODELS / f"{name}.tflite" for name in ("stream_state", "k3_cnn_flatten", "float_io", "many_in")
)
EVERY = (STATEFUL, PLAIN, REAL, MANY)


@pytest.fixture(scope="module")
def every() -> CLibrary:
    return library_of([planned(path, HOST) for path in EVERY])


# -- compilers -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("flags", [["-O0"], ["-O1"], ["-O2", "-flto"], ["-O3"]], ids=lambda flags: flags[0])
def test_plain_c99_without_a_warning(every: CLibrary, flags: list[str], tmp_path: Path) -> None:
    write_files(every, tmp_path)
    for driver in ([compiler()], zig()):
        extra = [flag for flag in flags if flag != "-flto" or driver == [compiler()]]
        run([*driver, "-std=c99", *WARNINGS, *extra, "-c", *every.sources], tmp_path)


@pytest.mark.slow
def test_cxx17_without_a_warning(every: CLibrary, tmp_path: Path) -> None:
    """The headers; the C too, for those who compile it so, but for designated initializers, which are C99's."""
    write_files(every, tmp_path)
    includes = "".join(f'#include "{model.symbol}.h"\n#include "{model.symbol}_selftest.h"\n' for model in every.models)
    (tmp_path / "headers.cc").write_text(includes)
    for driver, designators in (
        ([compiler("c++")], "-Wno-c++20-extensions"),
        (zig("c++"), "-Wno-c++20-designator"),
    ):
        run([*driver, "-std=c++17", *WARNINGS, "-c", "headers.cc"], tmp_path)
        run([*driver, "-x", "c++", "-std=c++17", *WARNINGS, designators, "-c", *every.sources], tmp_path)


@pytest.mark.slow
def test_every_symbol_has_the_name_of_the_model_or_of_the_runtime(every: CLibrary, tmp_path: Path) -> None:
    nm = shutil.which("nm")
    if nm is None:
        pytest.skip("no nm: `apt-get install binutils`")
    write_files(every, tmp_path)
    run([compiler(), "-std=c99", "-c", *every.sources], tmp_path)
    mine = tuple(f"{model.symbol}_" for model in every.models)
    seen = set()
    for path in tmp_path.glob("*.o"):
        for symbol in re.findall(r"^\w+ [A-TV-Z] (\w+)$", run([nm, path.name], tmp_path), re.MULTILINE):
            owner = path.name.startswith("te_")
            assert symbol.startswith("te_") if owner else symbol.startswith(mine), f"{path.name}: {symbol}"
            assert symbol not in seen, f"{symbol} is there twice"
            seen.add(symbol)
    assert len(seen) > 40


def test_runtime_files_are_the_same_for_every_model() -> None:
    one, two = (library_of([planned(path, HOST)]).files for path in (PLAIN, STATEFUL))
    common = set(one) & set(two)
    assert {"te_affine.h", "te_section.h", "te_selftest.c"} <= common
    assert all(one[name] == two[name] for name in common)


def test_sections_of_choice(tmp_path: Path) -> None:
    readelf = shutil.which("readelf")
    if readelf is None or sys.platform != "linux":
        pytest.skip("no readelf: `apt-get install binutils`")
    library = library_of([planned(PLAIN, HOST)])
    write_files(library, tmp_path)
    places = [
        '-DTE_SECTION_WEIGHTS=__attribute__((section(".qspi")))',
        '-DTE_SECTION_ARENA=__attribute__((section(".dtcm")))',
    ]
    run([compiler(), "-std=c99", *WARNINGS, *places, "-c", "k3_cnn_flatten.c", "k3_cnn_flatten_data.c"], tmp_path)
    for name, section in (("k3_cnn_flatten_data.o", ".qspi"), ("k3_cnn_flatten.o", ".dtcm")):
        assert section in run([readelf, "-SW", name], tmp_path)


# -- programs --------------------------------------------------------------------------------------------------------

_CXX = """
#include <cstdio>
#include <cstring>
#include "k3_cnn_flatten.h"
#include "stream_state.h"
{arrays}
int main() {{
  k3_cnn_flatten_init();
  stream_state_init();
  for (int i = 0; i < {count}; ++i) {{
    std::memcpy(k3_cnn_flatten_input(0), plain_in + i * K3_CNN_FLATTEN_INPUT_BYTES, K3_CNN_FLATTEN_INPUT_BYTES);
    std::memcpy(stream_state_input(0), state_in + i * STREAM_STATE_INPUT_BYTES, STREAM_STATE_INPUT_BYTES);
    if (k3_cnn_flatten_invoke() != 0 || stream_state_invoke() != 0) return 1;
    if (std::memcmp(k3_cnn_flatten_output(0), plain_out + i * K3_CNN_FLATTEN_OUTPUT_BYTES,
                    K3_CNN_FLATTEN_OUTPUT_BYTES) != 0) return 2;
    if (std::memcmp(stream_state_output(0), state_out + i * STREAM_STATE_OUTPUT_BYTES,
                    STREAM_STATE_OUTPUT_BYTES) != 0) return 3;
  }}
  std::puts("exact");
  return k3_cnn_flatten_input(1) == nullptr && stream_state_output(7) == nullptr ? 0 : 4;
}}
"""
_COUNT = 5


def _arrays(names: dict[str, PlannedModel], count: int = _COUNT) -> str:
    """Samples of each model, and what its reference makes of them one after the other."""
    text = ""
    for name, each in names.items():
        graph = each.plan.graph
        samples = load_inputs("random:7", graph, count)
        state = initial_state(graph)
        rows = [run_graph(graph, [array[i] for array in samples], state=state) for i in range(count)]
        text += c_array(f"{name}_in", samples[0])
        text += c_array(f"{name}_out", np.stack([values[graph.outputs[0]] for values in rows]))
    return text


def test_two_models_in_a_program_in_cxx(tmp_path: Path) -> None:
    models = {"plain": planned(PLAIN, HOST), "state": planned(STATEFUL, HOST)}
    library = library_of(list(models.values()))
    main = _CXX.format(arrays=_arrays(models), count=_COUNT)
    program = build_program(write_files(library, tmp_path), main, library, ["-fsanitize=address,undefined"], cxx=True)
    assert run([program], tmp_path) == "exact\n"


_THREADS = """
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "k3_cnn_flatten.h"
#include "stream_state.h"
{arrays}
typedef struct {{
  uint8_t arena[K3_CNN_FLATTEN_ARENA_BYTES] __attribute__((aligned(K3_CNN_FLATTEN_ARENA_ALIGNMENT)));
  uint8_t second[STREAM_STATE_ARENA_BYTES] __attribute__((aligned(STREAM_STATE_ARENA_ALIGNMENT)));
  stream_state_state state;
  int wrong;
}} task;

static void *run(void *given) {{
  task *own = (task *)given;
  for (int round = 0; round < 20; ++round) {{
    stream_state_reset(&own->state);
    for (unsigned i = 0; i < {count}; ++i) {{
      memcpy(k3_cnn_flatten_input_in(own->arena, 0), plain_in + i * K3_CNN_FLATTEN_INPUT_BYTES,
             K3_CNN_FLATTEN_INPUT_BYTES);
      own->wrong += k3_cnn_flatten_invoke_in(own->arena);
      own->wrong += memcmp(k3_cnn_flatten_output_in(own->arena, 0), plain_out + i * K3_CNN_FLATTEN_OUTPUT_BYTES,
                           K3_CNN_FLATTEN_OUTPUT_BYTES) != 0;
      memcpy(stream_state_input_in(own->second, &own->state, 0), state_in + i * STREAM_STATE_INPUT_BYTES,
             STREAM_STATE_INPUT_BYTES);
      own->wrong += stream_state_invoke_in(own->second, &own->state);
      own->wrong += memcmp(stream_state_output_in(own->second, &own->state, 0),
                           state_out + i * STREAM_STATE_OUTPUT_BYTES, STREAM_STATE_OUTPUT_BYTES) != 0;
    }}
  }}
  return 0;
}}

int main(void) {{
  static task tasks[2];
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) {{
    pthread_create(&threads[i], 0, run, &tasks[i]);
  }}
  for (int i = 0; i < 2; ++i) {{
    pthread_join(threads[i], 0);
  }}
  printf("%d %d\\n", tasks[0].wrong, tasks[1].wrong);
  printf("%d %d %d\\n", k3_cnn_flatten_invoke_in(0), k3_cnn_flatten_invoke_in(tasks[0].arena + 1),
         stream_state_invoke_in(tasks[0].second, 0));
  return 0;
}}
"""


def test_two_threads_with_an_arena_each(tmp_path: Path) -> None:
    """Under the thread sanitizer; and arenas that cannot be worked in are refused."""
    models = {"plain": planned(PLAIN, HOST), "state": planned(STATEFUL, HOST)}
    library = library_of(list(models.values()))
    main = _THREADS.format(arrays=_arrays(models), count=_COUNT)
    program = build_program(write_files(library, tmp_path), main, library, ["-fsanitize=thread"])
    assert run([program], tmp_path) == "0 0\n1 1 1\n"


_RTOS = """
#include <stdint.h>
#include "stream_state.h"

/* as FreeRTOS.h and task.h declare them */
typedef void (*TaskFunction_t)(void *);
typedef long BaseType_t;
BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint16_t depth, void *given, unsigned long priority,
                       void *handle);
void vTaskDelay(uint32_t ticks);
void vTaskStartScheduler(void);

typedef struct {
  uint8_t arena[STREAM_STATE_ARENA_BYTES] __attribute__((aligned(STREAM_STATE_ARENA_ALIGNMENT)));
  stream_state_state state;
} channel;

static void listen(void *given) {
  channel *own = (channel *)given;
  stream_state_reset(&own->state);
  for (;;) {
    stream_state_input_t *in = (stream_state_input_t *)stream_state_input_in(own->arena, &own->state, 0);
    for (uint32_t i = 0; i < STREAM_STATE_INPUT_ELEMENTS; ++i) {
      in[i] = 0;
    }
    stream_state_invoke_in(own->arena, &own->state);
    vTaskDelay(10);
  }
}

int main(void);
int main(void) {
  static channel left, right;
  xTaskCreate(listen, "left", 256, &left, 1, 0);
  xTaskCreate(listen, "right", 256, &right, 1, 0);
  vTaskStartScheduler();
  return 0;
}
"""


def test_another_core_than_it_was_made_for_is_told(tmp_path: Path) -> None:
    """By an error in words, in C and in assembler."""
    board = load_board("nrf52840dk")
    library = library_of([planned(PLAIN, board)], board.name)
    write_files(library, tmp_path)
    for source in ("k3_cnn_flatten.c", "k3_cnn_flatten_kernels.S"):
        command = [*zig(), "-target", "thumb-freestanding-eabi", "-mcpu=cortex_m0", "-c", source]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode != 0
        assert "k3_cnn_flatten was made for cortex-m4f: make it again for the core of your board" in done.stderr


def test_two_tasks_of_an_rtos_compile(tmp_path: Path) -> None:
    board = load_board("nrf52840dk")
    write_files(library_of([planned(STATEFUL, board)], board.name), tmp_path)
    (tmp_path / "main.c").write_text(_RTOS)
    target = ["-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp"]
    run([*zig(), *target, "-std=c99", *WARNINGS, "-O2", "-c", "main.c"], tmp_path)


_KEEPS = """
#include <stdio.h>
#include <string.h>
#include "k3_cnn_flatten.h"
{arrays}
int main(void) {{
  k3_cnn_flatten_init();
  memcpy(k3_cnn_flatten_input(0), plain_in, K3_CNN_FLATTEN_INPUT_BYTES);
  for (int i = 0; i < 3; ++i) {{
    k3_cnn_flatten_invoke();
    printf("%d%d", memcmp(k3_cnn_flatten_input(0), plain_in, K3_CNN_FLATTEN_INPUT_BYTES) == 0,
           memcmp(k3_cnn_flatten_output(0), plain_out, K3_CNN_FLATTEN_OUTPUT_BYTES) == 0);
  }}
  printf(" %d\\n", K3_CNN_FLATTEN_KEEPS_INPUTS);
  return 0;
}}
"""


@pytest.mark.parametrize(("keep", "printed"), [(False, "01"), (True, "111111 1\n")])
def test_whether_an_inference_keeps_its_inputs(keep: bool, printed: str, tmp_path: Path) -> None:
    """The header says it, and it is so: kept, the second inference gives what the first gave."""
    model = planned(PLAIN, HOST, keep_inputs=keep)
    library = library_of([model])
    program = build_program(write_files(library, tmp_path), _KEEPS.format(arrays=_arrays({"plain": model}, 1)), library)
    assert run([program], tmp_path).startswith(printed)
    said = library.files["k3_cnn_flatten.h"].decode()
    assert ("keeps the inputs" if keep else "overwrites the inputs") in said


_AFFINE = """
#include <stdio.h>
#include <stdlib.h>
#include "te_affine.h"
int main(void) {
  float given[4];
  while (fread(given, sizeof given, 1, stdin) == 1) {
    const int32_t zero = (int32_t)given[2];
    const int wide = given[3] != 0.0f;
    const int32_t q = te_affine_quantize(given[0], given[1], zero, wide ? -32768 : -128, wide ? 32767 : 127);
    const float back = te_affine_dequantize(q, given[1], zero);
    fwrite(&q, sizeof q, 1, stdout);
    fwrite(&back, sizeof back, 1, stdout);
  }
  return 0;
}
"""


def test_quantize_and_dequantize_are_those_of_tensorflow_lite(tmp_path: Path) -> None:
    """Round half away from zero, saturate; also at halves, and just beside them."""
    write_files({"te_affine.h": library_of([planned(PLAIN, HOST)]).files["te_affine.h"]}, tmp_path)
    (tmp_path / "main.c").write_text(_AFFINE)
    run([compiler(), "-std=c99", *WARNINGS, "-O2", "main.c", "-o", "program"], tmp_path)
    chance = np.random.default_rng(3)
    scale = np.float32(2.0) ** chance.integers(-9, 3, 4000).astype(np.float32) * chance.choice([1, 3, 0.7], 4000)
    steps = chance.integers(-140, 140, 4000) + chance.choice([0, 0.5, -0.5, 0.49999997, 0.3], 4000)
    values = (steps * scale).astype(np.float32)
    values[:4] = [np.inf, -np.inf, np.nan, 3e38]
    zero, wide = chance.integers(-128, 128, 4000), chance.integers(0, 2, 4000)
    rows = np.stack([values, scale.astype(np.float32), zero, wide], 1).astype(np.float32)
    done = subprocess.run([tmp_path / "program"], input=rows.tobytes(), capture_output=True, check=True)
    found = np.frombuffer(done.stdout, [("q", "<i4"), ("back", "<f4")])
    with np.errstate(over="ignore", invalid="ignore"):
        ratio = rows[:, 0] / rows[:, 1]
    whole = np.sign(ratio) * np.floor(np.abs(ratio.astype(np.float64)) + 0.5)
    whole[2] = 0
    limits = np.where(wide == 1, 32767, 127)
    wanted = np.clip(whole + zero, -limits - 1, limits).astype(np.int32)
    assert np.array_equal(found["q"], wanted)
    assert np.array_equal(found["back"], rows[:, 1] * (wanted - zero).astype(np.float32))


# -- a board ---------------------------------------------------------------------------------------------------------

_OWN_MAIN = """
#include <stdint.h>
#include "te_bsp.h"
#include "te_startup.h"
{includes}

static void say(const char *text) {{
  for (; *text != 0; ++text) {{
    te_bsp_putc(*text);
  }}
}}

_Noreturn void te_fault(uint32_t pc, uint32_t lr, uint32_t status) {{
  (void)pc;
  (void)lr;
  (void)status;
  say("fault\\n");
  te_bsp_halt(1);
}}

int main(void) {{
  te_bsp_init();
{tests}
  say("done\\n");
  te_bsp_halt(0);
}}
"""


def own_firmware(library: CLibrary, folder: Path, board: Board) -> list[str]:
    """What a firmware with a main of its own prints on an emulated board: no protocol, no table of models."""
    symbols = [model.symbol for model in library.models]
    main = _OWN_MAIN.format(
        includes="\n".join(f'#include "{symbol}_selftest.h"' for symbol in symbols),
        tests="\n".join(f'  say({symbol}_selftest() ? "{symbol} ok\\n" : "{symbol} FAILED\\n");' for symbol in symbols),
    )
    kept = ("bsp/", "compat/", "link.ld", "app/te_bsp.h", "app/te_startup.h", "app/te_board.h")
    files = {name: content for name, content in library.project.files.items() if name.startswith(kept)}
    files |= {f"lib/{name}": content for name, content in library.files.items()} | {"own/main.c": main.encode()}
    project = dataclasses.replace(
        library.project,
        files=files,
        sources=tuple(sorted(name for name in files if name.endswith((".c", ".S")))),
        include_dirs=("app", "bsp", "compat", "lib"),
    )
    image = build_image(project, folder, "zig")
    names = {symbol.name for symbol in image.size.symbols}
    assert not {name for name in names if name.endswith("_info") or name.startswith("te_line")}
    with UnicornEmulator(board).start(image, board) as console:
        lines: list[str] = []
        for line in console.lines(60.0):
            lines.append(line.decode())
            if lines[-1] == "done":
                break
    return lines


@pytest.mark.parametrize("shared", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_firmware_of_ones_own(shared: bool, tmp_path: Path) -> None:
    board = load_board("nrf52840dk")
    library = library_of([planned(path, board) for path in EVERY], board.name, shared_arena=shared)
    assert ("te_shared_arena.c" in library.files) == shared
    wanted = [f"{path.stem} ok" for path in EVERY]
    assert own_firmware(library, tmp_path, board) == [*wanted, "done"]


@pytest.mark.slow
@pytest.mark.train
@pytest.mark.xdist_group("digits")
def test_real_models_in_programs_of_ones_own(shared_models: Path, root: Path, tmp_path: Path) -> None:
    """On the host in C++ with sanitizers, and on an emulated board."""
    board = load_board("nrf52840dk")
    digits = find_recipe("digits")
    trained = root / "build/digits/trained" / training_digest(digits)[:16]
    if load_kept(digits, trained) is None:
        pytest.skip("digits is not trained yet: `make demo` does it")
    (tmp_path / "digits.tflite").write_bytes((trained / "model.tflite").read_bytes())
    paths = [tmp_path / "digits.tflite", shared_models / "kws_ref_model.tflite"]
    library = library_of([planned(path, board) for path in paths], board.name)
    assert own_firmware(library, tmp_path / "board", board) == ["digits ok", "kws_ref_model ok", "done"]
    native = library_of([planned(path, HOST) for path in paths])
    tests = " && ".join(f"{model.symbol}_selftest()" for model in native.models)
    includes = "\n".join(f'#include "{model.symbol}_selftest.h"' for model in native.models)
    main = f"{includes}\nint main() {{ return {tests} ? 0 : 1; }}\n"
    folder = write_files(native, tmp_path / "host")
    run([build_program(folder, main, native, ["-fsanitize=address,undefined"], cxx=True)], folder)


def test_labels_stand_in_the_header_when_they_are_known(tmp_path: Path) -> None:
    """As TensorFlow Lite's metadata packs them: a text in an archive behind the model."""
    each = planned(PLAIN, HOST)
    count = each.plan.graph.output_tensors()[0].shape[-1]
    names = ['yes "or" no??/', "nein\\", "ö", *(f"class {i}" for i in range(count))][:count]

    def labelled(labels: str) -> CLibrary:
        archive = BytesIO(PLAIN.read_bytes())
        with zipfile.ZipFile(archive, "a") as packed:
            packed.writestr("labels.txt", labels)
        path = tmp_path / "k3_cnn_flatten.tflite"
        path.write_bytes(archive.getvalue())
        return library_of([dataclasses.replace(each, model=QuantizedModel.from_file(path))])

    library = labelled("\n".join(names))
    main = """
#include <stdio.h>
#include "k3_cnn_flatten.h"
int main(void) {
  for (int i = 0; i < K3_CNN_FLATTEN_LABEL_COUNT; ++i) {
    puts(k3_cnn_flatten_labels[i]);
  }
  return 0;
}
"""
    program = build_program(write_files(library, tmp_path), main, library)
    assert run([program], tmp_path) == "\n".join(names) + "\n"
    for odd in ("one too\nfew", "\n".join([*names, "and more"]), "\x00" * count, ""):
        assert b"LABEL" not in labelled(odd).files["k3_cnn_flatten.h"]

"""Runs many planned graphs as one program, natively or on an emulated core: compiling and starting each costs more.

Each graph is its own translation unit under its own prefix. A trial is a box of bytes: four that say whether the graph
starts anew, the inputs, room for the outputs of every layer in order of execution, and for those of the model.
"""

from __future__ import annotations

import concurrent.futures
import os
import struct
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kits.core_kernels import FLASH, RAM, SIZE, Machine
from kits.host_kernels import WARNINGS, native_compiler
from tinyedge import process
from tinyedge.artifacts import Plan, QuantizedModel
from tinyedge.boards import CORES, Core, Isa
from tinyedge.build.elf import read_elf
from tinyedge.build.image import select_compiler
from tinyedge.generate.aot import generate_aot
from tinyedge.graph.ir import Tensor
from tinyedge.paths import templates_dir

Array = npt.NDArray[Any]
Sample = tuple[Array, ...]
NATIVE = CORES["native"]
_HEAD = 4
_JOBS = max(2, (os.cpu_count() or 2) // 2)

_DRIVER = r"""
#include <stdint.h>
#include "te_model.h"

enum { MOST_LAYERS = 256 };

typedef struct {
  const te_model_info *of;
  uint8_t *at;                  /* of the outputs of the first layer */
  uint32_t calls[MOST_LAYERS];  /* of layers that run row by row */
  uint32_t rows[MOST_LAYERS];
} record;

static void copy(uint8_t *to, const uint8_t *from, uint32_t bytes) {
  for (uint32_t i = 0; i < bytes; i++) {
    to[i] = from[i];
  }
}

static const te_rows *rows_of(const te_model_info *of, uint32_t step) {
  return of->rows && of->rows[step].row_bytes > 0 ? &of->rows[step] : 0;
}

static uint8_t *place_of(const record *state, uint32_t step) {
  uint8_t *at = state->at;
  for (uint32_t before = 0; before < step; before++) {
    const te_rows *rows = rows_of(state->of, before);
    const te_layer_info *layer = &state->of->layers[before];
    at += rows ? (uint32_t)rows->count * rows->row_bytes : 0u;
    for (uint32_t i = 0; i < layer->span_count; i++) {
      at += layer->spans[i].bytes;
    }
  }
  return at;
}

static void keep_rows(record *state, uint32_t step, const te_rows *rows) {
  if (state->calls[step]++ < rows->silent) {
    return;
  }
  const uint32_t done = state->rows[step], left = rows->count - done;
  const uint32_t made = done == 0 ? rows->first : rows->more;
  const uint32_t count = made < left ? made : left;
  const uint8_t *row = rows->whole ? rows->data + done * rows->pitch : rows->data - count * rows->pitch;
  uint8_t *to = place_of(state, step) + done * rows->row_bytes;
  for (uint32_t i = 0; i < count; i++) {
    copy(to + i * rows->row_bytes, row + i * rows->pitch, rows->row_bytes);
  }
  state->rows[step] = done + count;
}

static void keep_layer(void *context, uint32_t step) {
  record *state = context;
  const te_layer_info *layer = &state->of->layers[step];
  const te_rows *rows = rows_of(state->of, step);
  if (rows) {
    keep_rows(state, step, rows);
  }
  uint8_t *at = place_of(state, step);
  for (uint32_t i = 0; i < layer->span_count; i++) {
    copy(at, layer->spans[i].data, layer->spans[i].bytes);
    at += layer->spans[i].bytes;
  }
}

static void run(const te_model_info *of, uint8_t *box) {
  static record state; /* of one case at a time */
  state.of = of;
  state.at = box + 4;
  for (uint32_t step = 0; step < of->layer_count; step++) {
    state.calls[step] = state.rows[step] = 0;
  }
  if (box[0]) {
    of->init();
  }
  for (uint32_t i = 0; i < of->input_count; i++) {
    copy(of->input(i), state.at, of->inputs[i].bytes);
    state.at += of->inputs[i].bytes;
  }
  of->invoke_layers(keep_layer, &state);
  uint8_t *at = place_of(&state, of->layer_count);
  for (uint32_t i = 0; i < of->output_count; i++) {
    copy(at, of->output(i), of->outputs[i].bytes);
    at += of->outputs[i].bytes;
  }
}
"""

_CASE = """
extern const te_model_info graph{n}_info;
void te_case_{n}(uint8_t *box);
void te_case_{n}(uint8_t *box) {{
  run(&graph{n}_info, box);
}}
"""

_MAIN = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
%(prototypes)s
static void (*const cases[])(uint8_t *) = {%(names)s};

int main(void) {
  uint32_t head[2];
  while (fread(head, sizeof head, 1, stdin) == 1) {
    uint8_t *box = malloc(head[1]);
    if (fread(box, 1, head[1], stdin) != head[1]) {
      return 2;
    }
    fprintf(stderr, "case %%u\n", (unsigned)head[0]);
    cases[head[0]](box);
    fwrite(box, 1, head[1], stdout);
    fflush(stdout);
    free(box);
  }
  return 0;
}
"""

_SCRIPT = f"""\
MEMORY {{ FLASH (rx) : ORIGIN = {FLASH}, LENGTH = {SIZE} RAM (rwx) : ORIGIN = {RAM}, LENGTH = {SIZE // 2} }}
SECTIONS
{{
  .text : {{ . = . + 16; KEEP(*(.text.Reset_Handler)) *(.text .text.*) *(.rodata .rodata.*) . = ALIGN(4); }} > FLASH
  .data : {{ *(.data .data.*) }} > RAM
  .bss (NOLOAD) : {{ *(.bss .bss.*) *(COMMON) }} > RAM
  /DISCARD/ : {{ *(.ARM.exidx .ARM.exidx.* .ARM.extab.*) }}
}}
"""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What one inference left: the outputs of each layer in order of execution, and those of the model."""

    layers: tuple[tuple[Array, ...], ...]
    outputs: Sample


def layer_tensors(plan: Plan) -> list[tuple[Tensor, ...]]:
    """The tensors that each layer writes, in order of execution."""
    return [planned.layer.outputs for planned in plan.layers]


def _box(plan: Plan, sample: Sample, *, fresh: bool) -> bytes:
    given = b"".join(np.ascontiguousarray(value).tobytes() for value in sample)
    room = sum(t.bytes for layer in layer_tensors(plan) for t in layer)
    room += sum(t.bytes for t in plan.graph.output_tensors())
    return struct.pack("<I", fresh) + given + bytes(room)


def _outcome(plan: Plan, box: bytes) -> Outcome:
    at = _HEAD + sum(tensor.bytes for tensor in plan.graph.input_tensors())

    def take(tensor: Tensor) -> Array:
        nonlocal at
        array = np.frombuffer(box, tensor.dtype.numpy, tensor.elements, at)
        at += tensor.bytes
        return array.reshape(tensor.shape)

    layers = tuple(tuple(take(tensor) for tensor in written) for written in layer_tensors(plan))
    return Outcome(layers, tuple(take(tensor) for tensor in plan.graph.output_tensors()))


# -- C ---------------------------------------------------------------------------------------------------------------


def _sources(plans: Mapping[int, tuple[Plan, bytes]], core: Core) -> dict[str, bytes]:
    """The files of a program: a unit for each graph that includes its library, the runtime, and the driver."""
    files: dict[str, bytes] = {"te_model.h": (templates_dir() / "library" / "te_model.h").read_bytes()}
    cases = []
    for number, (plan, tflite) in plans.items():
        model = QuantizedModel(f"graph{number}", tflite, "")
        for name, content in generate_aot(plan, model, core, selftest_crc=0).files.items():
            leaf = name.removeprefix("runtime/")
            assert files.setdefault(leaf, content) == content, f"two files are called {leaf}"
        unit = (f'#include "model/graph{number}{part}.c"\n' for part in ("_data", "", "_info"))
        files[f"graph{number}.c"] = "".join(unit).encode()
        cases.append(_CASE.format(n=number))
    files["driver.c"] = (_DRIVER + "".join(cases)).encode()
    return files


def _write(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Write the files; gives those to compile."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return [name for name in files if name.endswith(".S") or (name.endswith(".c") and "/" not in name)]


def _compile(commands: Sequence[Sequence[str]], folder: Path) -> None:
    def one(command: Sequence[str]) -> None:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{' '.join(command)}\nfailed in {folder}:\n{done.stderr[:3000]}"

    with concurrent.futures.ThreadPoolExecutor(_JOBS) as pool:
        list(pool.map(one, commands))


# -- natively --------------------------------------------------------------------------------------------------------


class NativeBatch:
    """The graphs as a program of this machine, with sanitizers where gcc is installed."""

    def __init__(self, plans: Mapping[int, tuple[Plan, bytes]], folder: Path) -> None:
        self._plans = {number: plan for number, (plan, _) in plans.items()}
        self._program = folder / "graphs"
        names = {number: f"te_case_{number}" for number in plans}
        table = [names.get(number, "0") for number in range(max(plans) + 1)]
        main = _MAIN % {
            "prototypes": "\n".join(f"void {name}(uint8_t *box);" for name in names.values()),
            "names": ", ".join(table),
        }
        units = _write(folder, {**_sources(plans, NATIVE), "main.c": main.encode()})
        compiler = [*native_compiler(), *WARNINGS, "-ffp-contract=off", "-O1", "-g", "-I."]
        _compile([[*compiler, "-c", unit, "-o", f"{unit}.o"] for unit in units], folder)
        _compile([[*compiler, "-o", "graphs", *(f"{unit}.o" for unit in units)]], folder)

    def run(self, samples: Mapping[int, Sequence[Sample]]) -> dict[int, list[Outcome] | str]:
        """Per graph what each sample gave, or how the program ended over it."""
        results: dict[int, list[Outcome] | str] = {}
        while waiting := [number for number in samples if number not in results]:
            done = self._start(
                [(number, sample, at) for number in waiting for at, sample in enumerate(samples[number])]
            )
            at = 0
            for number in waiting:
                size = len(_box(self._plans[number], samples[number][0], fresh=True))
                boxes = [done.stdout[at + i * size : at + (i + 1) * size] for i in range(len(samples[number]))]
                if len(boxes[-1]) < size:
                    said = done.stderr.decode(errors="replace").splitlines()
                    last = max((i for i, line in enumerate(said) if line.startswith("case ")), default=-1)
                    results[number] = f"exit {done.returncode}\n" + "\n".join(said[last + 1 : last + 16])
                    break
                at += size * len(boxes)
                results[number] = [_outcome(self._plans[number], box) for box in boxes]
        return results

    def _start(self, trials: Sequence[tuple[int, Sample, int]]) -> subprocess.CompletedProcess[bytes]:
        boxes = [(number, _box(self._plans[number], sample, fresh=at == 0)) for number, sample, at in trials]
        return subprocess.run(
            [str(self._program)],
            input=b"".join(struct.pack("<II", number, len(box)) + box for number, box in boxes),
            capture_output=True, timeout=300, env=os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}, check=False,
        )  # fmt: skip


# -- on a core -------------------------------------------------------------------------------------------------------


class CoreBatch:
    """The graphs as one image of an emulated Cortex-M core."""

    def __init__(self, plans: Mapping[int, tuple[Plan, bytes]], folder: Path, core: Core) -> None:
        assert core.isa is not Isa.NATIVE
        self._plans = {number: plan for number, (plan, _) in plans.items()}
        self._core = core
        self._folder = folder
        start = (
            "#include <stdint.h>\n"
            + "".join(f"void te_case_{n}(uint8_t *box);\n" for n in plans)
            + "void Reset_Handler(void);\nvoid Reset_Handler(void) {\n  void (*const volatile all[])(uint8_t *) = {"
            + ", ".join(f"te_case_{n}" for n in plans)
            + "};\n  (void)all;\n}\n"
        )
        files = {**_sources(plans, core), "start.c": start.encode(), "link.ld": _SCRIPT.encode()}
        units = _write(folder, files)
        compiler = select_compiler("zig", core)
        includes = [".", str(templates_dir() / "project")]
        _compile([compiler.compile_command(unit, f"{unit}.o", includes) for unit in units], folder)
        link = compiler.link_command([f"{unit}.o" for unit in units], "link.ld", "graphs.elf")
        process.run(link, cwd=folder, timeout_s=300)

    def run(self, samples: Mapping[int, Sequence[Sample]]) -> dict[int, list[Outcome] | str]:
        """Per graph what each sample gave, or how the core failed over it."""
        machine = Machine(read_elf(self._folder / "graphs.elf"), self._core)
        results: dict[int, list[Outcome] | str] = {}
        for number, row in samples.items():
            plan = self._plans[number]
            try:
                boxes = [
                    machine.call(f"te_case_{number}", _box(plan, sample, fresh=at == 0))[0]
                    for at, sample in enumerate(row)
                ]
            except Exception as error:  # unicorn's own, or that the call did not return
                results[number] = f"{type(error).__name__}: {error}"
                machine = Machine(read_elf(self._folder / "graphs.elf"), self._core)
            else:
                results[number] = [_outcome(plan, box) for box in boxes]
        return results

"""Runs kernel cases natively: one program per set of cases, with address and undefined behaviour sanitizers."""

from __future__ import annotations

import hashlib
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kits.kernel_cases import Case, Trial, c_source

_MAIN = r"""
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#define FORBID(at, size) __asan_poison_memory_region(at, size)
#define ALLOW(at, size) __asan_unpoison_memory_region(at, size)
#else
#define FORBID(at, size) (void)0
#define ALLOW(at, size) (void)0
#endif

/* A trial on stdin: case, arena bytes, number of regions, (offset, size) of each, the arena. The arena comes back. */
%(prototypes)s
static void (*const cases[])(uint8_t *) = {%(names)s};

int main(void) {
  uint32_t head[3];
  while (fread(head, sizeof head, 1, stdin) == 1) {
    uint32_t regions[16][2];
    uint8_t *arena = malloc(head[1]);
    if (head[2] > 16 || fread(regions, sizeof regions[0], head[2], stdin) != head[2] ||
        fread(arena, 1, head[1], stdin) != head[1]) {
      return 2;
    }
    fprintf(stderr, "case %%u\n", (unsigned)head[0]);
    FORBID(arena, head[1]);
    for (uint32_t i = 0; i < head[2]; i++) {
      ALLOW(arena + regions[i][0], regions[i][1]);
    }
    cases[head[0]](arena);
    ALLOW(arena, head[1]);
    fwrite(arena, 1, head[1], stdout);
    free(arena);
  }
  return 0;
}
"""
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror")


def native_compiler() -> list[str]:
    """gcc with both sanitizers, or the zig of the venv with the one it has."""
    if shutil.which("gcc"):
        return ["gcc", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    return [sys.executable, "-m", "ziglang", "cc", "-fsanitize=undefined", "-fno-sanitize-recover=all"]


class HostRunner:
    """A `kernel_cases.Runner` on this machine; programs are built in `folder`, once for each set of cases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, cases: Sequence[Case], trials: Sequence[Trial]) -> list[bytes]:
        program = self._build(cases)
        stdin = b"".join(self._request(cases[number], number, arena) for number, arena in trials)
        # Leaks are not looked for: that fails where a debugger is attached, and nothing here allocates but main.
        environment = os.environ | {"ASAN_OPTIONS": "detect_leaks=0"}
        done = subprocess.run(
            [str(program)], input=stdin, capture_output=True, timeout=60, env=environment, check=False
        )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").splitlines()
            last = max((i for i, line in enumerate(said) if line.startswith("case ")), default=0)
            title = cases[int(said[last].split()[1])].title if said and said[last].startswith("case ") else "start"
            raise AssertionError(f"{title}: exit {done.returncode}\n" + "\n".join(said[last + 1 : last + 25]))
        arenas, at = [], 0
        for number, _ in trials:
            arenas.append(done.stdout[at : at + cases[number].arena_bytes])
            at += cases[number].arena_bytes
        assert at == len(done.stdout)
        return arenas

    @staticmethod
    def _request(case: Case, number: int, arena: bytes) -> bytes:
        regions = b"".join(struct.pack("<II", region.offset, region.bytes) for region in case.regions)
        return struct.pack("<III", number, case.arena_bytes, len(case.regions)) + regions + arena

    def _build(self, cases: Sequence[Case]) -> Path:
        sources = c_source(cases)
        folder = self.folder / hashlib.sha256(sources.cases).hexdigest()[:16]
        program = folder / "cases"
        if program.exists():
            return program
        folder.mkdir(parents=True)
        names = [f"te_case_{number}" for number in range(len(cases))]
        main = _MAIN % {
            "prototypes": "\n".join(f"void {name}(uint8_t *arena);" for name in names),
            "names": ", ".join(names),
        }
        files = {"cases.c": sources.cases, "main.c": main.encode(), **sources.runtime}
        for name, content in files.items():
            (folder / name).write_bytes(content)
        compiled = [name for name in files if name.endswith(".c")]
        compile_c([*native_compiler(), *WARNINGS, "-O1", "-g", f"-I{folder}", "-o", "cases", *compiled], folder)
        return program


def compile_c(argv: Sequence[str], folder: Path) -> None:
    """Run a compiler in a folder; its messages become an AssertionError."""
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{' '.join(argv[:3])} ... failed:\n{done.stderr[:4000]}"

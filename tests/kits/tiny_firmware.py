"""A firmware project of a few lines, for tests of what builds, measures and runs firmware."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from tinyedge.artifacts import FirmwareProject
from tinyedge.boards import CORES, Board, Memory
from tinyedge.digests import digest

LINKER_SCRIPT = """\
MEMORY
{
  FLASH (rx) : ORIGIN = %(flash)#x, LENGTH = %(flash_bytes)d
  RAM (rwx) : ORIGIN = %(ram)#x, LENGTH = %(ram_bytes)d
}
SECTIONS
{
  .text : { KEEP(*(.vectors)) *(.text .text.*) *(.rodata .rodata.*) . = ALIGN(4); } > FLASH
  .stack (NOLOAD) : { . = . + 1024; stack_top = .; } > RAM
  .data : ALIGN(4) { *(.data .data.*) . = ALIGN(4); } > RAM AT > FLASH
  .bss (NOLOAD) : ALIGN(4) { *(.bss .bss.*) *(COMMON) . = ALIGN(4); } > RAM
  /DISCARD/ : { *(.ARM.exidx .ARM.exidx.* .ARM.extab.*) *libcompiler_rt.a:*(.debug*) }
}
"""

STARTUP = """\
#include <stdint.h>
#include "work.h"

extern uint32_t stack_top[];
void Reset_Handler(void);

typedef union {
  uint32_t *stack;
  void (*handler)(void);
} vector;

__attribute__((section(".vectors"), used)) static const vector vectors[2] = {
    {.stack = stack_top}, {.handler = Reset_Handler}};

void Reset_Handler(void) {
  for (;;) {
    work();
  }
}
"""

WORK = """\
#include "work.h"

volatile uint8_t arena[ARENA_BYTES];
volatile float gain = 1.5f;
const uint8_t weights[WEIGHTS_BYTES] = {1, 2, 3};

void work(void) {
  const volatile uint8_t *from = weights;
  for (uint32_t i = 0; i < ARENA_BYTES; ++i) {
    arena[i] = from[i % WEIGHTS_BYTES];
  }
  gain = gain * gain;
}
"""

HEADER = """\
#ifndef WORK_H
#define WORK_H
#include <stdint.h>
#define ARENA_BYTES %(arena_bytes)du
#define WEIGHTS_BYTES %(weights_bytes)du
void work(void);
#endif
"""


def make_board(core: str = "cortex-m4f", *, flash_bytes: int = 65_536, ram_bytes: int = 16_384) -> Board:
    """A board with flash at 0x0 and RAM at 0x2000_0000, or at RISC-V's usual places; none on the host."""
    memories = (Memory("flash", 0x0, flash_bytes), Memory("ram", 0x2000_0000, ram_bytes))
    return Board(
        name="tiny" if core != "native" else "host",
        title="A board for tests",
        aliases=(),
        chip="tiny",
        family="tiny",
        core=CORES[core],
        clock_hz=64_000_000,
        memories=() if core == "native" else memories,
        flash_start=0x0,
        console={"kind": "stdio"},
        flashers=(),
        flash_options={},
        emulators=(),
        usb_ids=(),
        sources={},
    )


def make_project(
    board: Board | None = None, *, arena_bytes: int = 4096, weights_bytes: int = 3000, **changed: str
) -> FirmwareProject:
    """Startup, one function with an arena and weights, a linker script. `changed` replaces `work`, `startup`, `header`
    or `script` by other text."""
    board = board or make_board()
    sizes = {"arena_bytes": arena_bytes, "weights_bytes": weights_bytes}
    script = LINKER_SCRIPT % {
        "flash": board.flash.start,
        "flash_bytes": board.flash.size_bytes,
        "ram": board.ram.start,
        "ram_bytes": board.ram.size_bytes,
    }
    return _project(
        board,
        {
            "src/startup.c": changed.get("startup", STARTUP),
            "src/work.c": changed.get("work", WORK),
            "include/work.h": changed.get("header", HEADER % sizes),
            "link.ld": changed.get("script", script),
        },
        ("include",),
        "link.ld",
        arena_bytes,
    )


def make_host_project(main: str) -> FirmwareProject:
    """A program of this computer from one C file."""
    return _project(make_board("native"), {"main.c": main}, (), "", 0)


def with_file(project: FirmwareProject, name: str, content: str) -> FirmwareProject:
    """The project with one file replaced."""
    return dataclasses.replace(project, files={**project.files, name: content.encode()})


def _project(
    board: Board, texts: Mapping[str, str], include_dirs: tuple[str, ...], script: str, arena_bytes: int
) -> FirmwareProject:
    files = {name: text.encode() for name, text in texts.items()}
    return FirmwareProject(
        model="tiny",
        board=board,
        runtime="aot",
        files=files,
        sources=tuple(name for name in files if name.endswith(".c")),
        include_dirs=include_dirs,
        linker_script=script,
        arena_bytes=arena_bytes,
        digest=digest(*(part for name in sorted(files) for part in (name, files[name]))),
    )

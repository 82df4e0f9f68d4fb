"""Runs kernel cases on the Cortex-M55 that QEMU emulates, all trials of a batch in one start, and counts instructions.

The arenas lie in the board's DDR memory, put there by QEMU; the program walks over them, and writes that memory to a
file by semihosting when it is through. SysTick counts, as in a firmware.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest

from kits.core_kernels import Count
from kits.kernel_cases import Case, Trial, c_source
from tinyedge import process
from tinyedge.boards import load_board
from tinyedge.build.elf import read_elf
from tinyedge.build.image import select_compiler
from tinyedge.emulate.qemu import icount_shift, ticks_per_instruction
from tinyedge.paths import templates_dir

BOARD = "mps3_an547"
FLASH, FLASH_BYTES = 0x10000000, 512 << 10
RAM, RAM_BYTES = 0x30000000, 512 << 10
DDR, DDR_BYTES = 0x70000000, 64 << 20
"""its secure alias"""
HEADER = struct.Struct("<IIII")
"""of an arena: case, bytes, ticks it took, nothing"""
END = 0xFFFFFFFF

_SCRIPT = f"""\
MEMORY
{{
  FLASH (rx) : ORIGIN = {FLASH:#x}, LENGTH = {FLASH_BYTES}
  RAM (rwx) : ORIGIN = {RAM:#x}, LENGTH = {RAM_BYTES}
  DDR (rwx) : ORIGIN = {DDR + DDR_BYTES:#x}, LENGTH = {DDR_BYTES}
}}
SECTIONS
{{
  .text : {{ KEEP(*(.vectors)) *start.c.o(.text .text.* .rodata .rodata.*) }} > FLASH
  .cases : {{ *(.text .text.*) *(.rodata .rodata.*) }} > DDR
  .data : {{ *(.data .data.*) }} > DDR
  .bss (NOLOAD) : {{ *(.bss .bss.*) *(COMMON) }} > RAM
  /DISCARD/ : {{ *(.ARM.exidx .ARM.exidx.* .ARM.extab.*) }}
}}
"""

_START = """\
#include <stdint.h>

#define REG32(address) (*(volatile uint32_t *)(address))

static int semihosting(uint32_t operation, const void *argument) {
  register uint32_t r0 __asm("r0") = operation;
  register const void *r1 __asm("r1") = argument;
  __asm volatile("bkpt #0xAB" : "+r"(r0) : "r"(r1) : "memory");
  return (int)r0;
}

void Reset_Handler(void);
void Fault_Handler(void);
static void run(void);

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[] = {
    STACK, (uintptr_t)Reset_Handler, (uintptr_t)Fault_Handler, (uintptr_t)Fault_Handler,
    (uintptr_t)Fault_Handler, (uintptr_t)Fault_Handler, (uintptr_t)Fault_Handler};

static _Noreturn void halt(uint32_t code) {
  const uint32_t block[2] = {0x20026u, code};
  semihosting(0x20u, block);
  for (;;) {
  }
}

void Fault_Handler(void) { halt(99); }

void Reset_Handler(void) {
  REG32(0xE000ED88u) |= 0x00F00000u;
  __asm volatile("dsb\\n\\tisb" ::: "memory");
  run();
}

static void run(void) {
  uint8_t *at = (uint8_t *)DDR;
  REG32(0xE000E014u) = 0x00FFFFFFu;
  REG32(0xE000E018u) = 0;
  REG32(0xE000E010u) = 5;
  for (;;) {
    uint32_t *const header = (uint32_t *)(void *)at;
    if (header[0] == 0xFFFFFFFFu) {
      break;
    }
    const uint32_t begin = REG32(0xE000E018u);
    cases[header[0]](at + 16);
    const uint32_t end = REG32(0xE000E018u);
    header[2] = (begin - end) & 0x00FFFFFFu;
    at += 16 + header[1];
  }
  static const char name[] = "arenas.out";
  const uintptr_t open[3] = {(uintptr_t)name, 5, sizeof name - 1};
  const int file = semihosting(1, open);
  const uintptr_t write[3] = {(uintptr_t)file, DDR, (uintptr_t)(at - (uint8_t *)DDR)};
  halt(semihosting(5, write) == 0 ? 0u : 98u);
}
"""


class QemuRunner:
    """A `kernel_cases.Runner`; `counts` holds the instructions of each trial of the last run, its call included,
    and no cycles: QEMU models none."""

    def __init__(self, folder: Path, compiler: str = "zig") -> None:
        if not shutil.which("qemu-system-arm"):
            pytest.skip("no QEMU: apt-get install qemu-system-arm")
        self.folder = folder
        self.compiler = compiler
        self.board = load_board(BOARD)
        self.counts: list[Count] = []

    def __call__(self, cases: Sequence[Case], trials: Sequence[Trial]) -> list[bytes]:
        elf = self._build(cases)
        blob = bytearray()
        for number, before in trials:
            blob += HEADER.pack(number, len(before), 0, 0) + before
            assert len(before) % 16 == 0
        blob += HEADER.pack(END, 0, 0, 0)
        assert len(blob) < DDR_BYTES
        (self.folder / "arenas.bin").write_bytes(blob)
        command = ["qemu-system-arm", "-M", "mps3-an547", "-nodefaults", "-display", "none"]
        command += ["-icount", f"shift={icount_shift(self.board)},sleep=off"]
        command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(elf)]
        command += ["-device", f"loader,file=arenas.bin,addr={DDR:#x},force-raw=on"]
        process.run(command, cwd=self.folder, timeout_s=120)
        written = (self.folder / "arenas.out").read_bytes()
        arenas, at = [], 0
        ratio = ticks_per_instruction(self.board)
        self.counts = []
        for number, before in trials:
            done, size, ticks, _ = HEADER.unpack_from(written, at)
            assert (done, size) == (number, len(before))
            self.counts.append(Count(round(ticks / ratio), 0))
            arenas.append(written[at + HEADER.size : at + HEADER.size + size])
            at += HEADER.size + size
        return arenas

    def function_sizes(self, cases: Sequence[Case]) -> dict[str, int]:
        """Bytes of machine code by function, as the cases are linked."""
        return {symbol.name: symbol.size for symbol in read_elf(self._build(cases)).symbols}

    def _build(self, cases: Sequence[Case]) -> Path:
        sources = c_source(cases)
        names = ", ".join(f"te_case_{n}" for n in range(len(cases)))
        declared = "".join(f"void te_case_{n}(unsigned char *);\n" for n in range(len(cases)))
        table = f"{declared}static void (*const cases[])(unsigned char *) = {{{names}}};\n"
        places = f"#define STACK {RAM + RAM_BYTES:#x}u\n#define DDR {DDR:#x}u\n"
        files = {
            "cases.c": sources.cases,
            "start.c": (places + table + _START).encode(),
            "link.ld": _SCRIPT.encode(),
            **sources.runtime,
        }
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        compiler = select_compiler(self.compiler, self.board.core)
        # newlib brings its own string.h; zig brings none.
        includes = [".", str(templates_dir() / "project")] if self.compiler == "zig" else ["."]
        units = [name for name in files if name.endswith((".c", ".S"))]
        commands = [compiler.compile_command(name, f"{name}.o", includes) for name in units]
        commands.append(compiler.link_command([f"{name}.o" for name in units], "link.ld", "cases.elf"))
        for command in commands:
            process.run(command, cwd=self.folder, timeout_s=300)
        return self.folder / "cases.elf"

"""Small Cortex-M4 programs for tests of the emulators: assembler or C, a startup by hand, built with zig."""

from __future__ import annotations

import os
from pathlib import Path

from tinyedge import process
from tinyedge.artifacts import Image, SizeTable, digest
from tinyedge.boards import Board, load_board

LINKER_SCRIPT = """\
MEMORY
{
  FLASH (rx) : ORIGIN = 0x00000000, LENGTH = 256K
  RAM (rwx) : ORIGIN = 0x20000000, LENGTH = 64K
}
ENTRY(reset)
SECTIONS
{
  .text : { KEEP(*(.vectors)) *(.text .text.*) *(.rodata .rodata.*) . = ALIGN(4); } > FLASH
  .stack (NOLOAD) : { _te_stack_bottom = .; . = . + 1024; stack_top = .; } > RAM
  .bss (NOLOAD) : { *(.bss .bss.*) *(COMMON) } > RAM
  /DISCARD/ : { *(.ARM.exidx .ARM.exidx.* .ARM.extab.*) }
}
"""

VECTORS = """\
  .syntax unified
  .cpu cortex-m4
  .fpu fpv4-sp-d16
  .thumb
  .macro function name
  .global \\name
  .type \\name, %function
  .thumb_func
\\name:
  .endm
  .macro end_of name
  .size \\name, . - \\name
  .ltorg
  .endm
  .section .vectors, "a"
  .word stack_top
  .word reset
  .rept 9
  .word 0
  .endr
  .word svcall
  .word 0, 0
  .word pendsv
  .word systick
  .word 0, 0
  .word uarte0
  .rept 5
  .word 0
  .endr
  .word timer0
  .weak svcall
  .weak pendsv
  .weak systick
  .weak uarte0
  .weak timer0
  .text
"""

HEADER = """\
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
"""


def build(folder: Path, source: str, *, name: str = "program", optimize: str = "-O1") -> Image:
    """Assembler beginning with `function reset`, or C with a function `reset`, as an image."""
    folder.mkdir(parents=True, exist_ok=True)
    vectors, script, elf = folder / "vectors.S", folder / "link.ld", folder / f"{name}.elf"
    script.write_text(LINKER_SCRIPT)
    if "function reset" in source:
        vectors.write_text(VECTORS + source)
        sources = [vectors]
    else:
        vectors.write_text(VECTORS)
        program = folder / f"{name}.c"
        program.write_text(HEADER + source)
        sources = [vectors, program]
    command = process.python_module(
        "ziglang", "cc", "-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4", optimize, "-g0", "-nostdlib",
        "-ffunction-sections", "-fno-sanitize=all", "-T", os.fspath(script), "-o", os.fspath(elf),
        *map(os.fspath, sources),
    )  # fmt: skip
    process.run(command, timeout_s=120.0)
    size = SizeTable(0, 0, 0, 0, (), ())
    return Image(elf, None, None, None, size, "zig", "", digest(elf.read_bytes()))


def board() -> Board:
    """What the programs run on."""
    return load_board("nrf52840dk")

"""Small Cortex-M4 programs for tests of the emulators: assembler or C, a startup by hand, built with zig."""

from __future__ import annotations

import os
from pathlib import Path

from tinyedge import process
from tinyedge.artifacts import Image, SizeTable
from tinyedge.boards import Board, load_board
from tinyedge.digests import digest

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
  .data : { *(.data .data.*) } > RAM
  .bss (NOLOAD) : ALIGN(4) { bss_start = .; *(.bss .bss.*) *(COMMON) . = ALIGN(4); bss_end = .; } > RAM
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
  .text
"""

BEGIN = """\
  function begin
  ldr r0, =0xE000ED88
  movs r1, #0xF
  lsls r1, #20
  str r1, [r0]
  dsb
  isb
  b reset
  end_of begin
"""
"""in front of `reset` of a C program: CPACR switches the floating point unit on"""
HANDLERS = ("svcall", "pendsv", "systick", "uarte0", "timer0")
"""exception handlers that a source may define; the vectors of others are 0"""
HEADER = """\
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
"""


STACK = "  .stack (NOLOAD) : { _te_stack_bottom = .; . = . + 1024; stack_top = .; } > RAM\n"
STACK_LAST = (
    LINKER_SCRIPT.replace(STACK, "")
    .replace("  /DISCARD/", STACK + "  /DISCARD/")
    .replace("*(.data .data.*)", "KEEP(*(.data .data.*))")
)
"""a linker script with the stack above the static data"""


def build(
    folder: Path,
    source: str,
    *,
    name: str = "program",
    optimize: str = "-O1",
    script_text: str = LINKER_SCRIPT,
    flash_start: int = 0,
) -> Image:
    """Assembler beginning with `function reset`, or C with a function `reset`, as an image."""
    folder.mkdir(parents=True, exist_ok=True)
    vectors, script, elf = folder / "vectors.S", folder / "link.ld", folder / f"{name}.elf"
    script.write_text(script_text.replace("0x00000000", f"{flash_start:#010x}"))
    missing = "".join(f"  .weak {name}\n" for name in HANDLERS if f"{name}\n" not in source)
    if "function reset" in source:
        vectors.write_text(VECTORS + missing + source)
        sources = [vectors]
    else:
        vectors.write_text(VECTORS.replace(".word reset", ".word begin") + missing + BEGIN)
        program = folder / f"{name}.c"
        program.write_text(HEADER + source)
        sources = [vectors, program]
    command = process.python_module(
        "ziglang", "cc", "-target", "thumb-freestanding-eabihf", "-mcpu=cortex_m4+vfp4d16sp", optimize, "-g0",
        "-nostdlib", "-ffunction-sections", "-fno-sanitize=all", "-T", os.fspath(script), "-o", os.fspath(elf),
        *map(os.fspath, sources),
    )  # fmt: skip
    process.run(command, timeout_s=120.0)
    size = SizeTable(0, 0, 0, 0, (), ())
    return Image(elf, None, None, None, size, "zig", "", digest(elf.read_bytes()))


def board() -> Board:
    """What the programs run on."""
    return load_board("nrf52840dk")


UART = """\
extern uint32_t bss_start[], bss_end[];
static volatile uint8_t tx, rx;
#define UARTE(offset) REG(0x40002000u + (offset))
static void uart_start(void) {
  for (volatile uint32_t *word = bss_start; word < bss_end; ++word) *word = 0;
  UARTE(0x534) = (uint32_t)&rx; UARTE(0x538) = 1;
  UARTE(0x544) = (uint32_t)&tx; UARTE(0x548) = 1;
  UARTE(0x500) = 8;
  UARTE(0x000) = 1;
}
static void put(char c) { tx = (uint8_t)c; UARTE(0x120) = 0; UARTE(0x008) = 1; while (!UARTE(0x120)) {} }
static int get(void) {
  if (!UARTE(0x110)) return -1;
  uint8_t byte = rx;
  UARTE(0x110) = 0;
  UARTE(0x000) = 1;
  return byte;
}
static void print(uint32_t value) {
  for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
  put('\\n');
}
"""
"""C to put in front of a source. `uart_start` clears .bss and starts the console; `print` writes eight hex digits and a
line end."""

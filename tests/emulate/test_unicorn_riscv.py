"""The emulated RISC-V machine: counters, faults by name, flash behind two buses, and the timing model's rules."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tinyedge import process
from tinyedge.artifacts import Image, SizeTable
from tinyedge.boards import load_board
from tinyedge.digests import digest
from tinyedge.emulate.cycles import MODELS
from tinyedge.emulate.unicorn.host import UnicornConsole, UnicornEmulator
from tinyedge.errors import DeviceError
from tinyedge.timing.thumb import BlockCost

SCRIPT = """\
PHDRS { code PT_LOAD; data PT_LOAD; }
SECTIONS
{
  .text 0x80000000 : { *(.start) *(.text .text.*) *(.rodata .rodata.*) } :code
  .data 0x80800000 : { _te_stack_bottom = .; . = . + 1024; stack_top = .; *(.data .sdata .bss .sbss) } :data
  /DISCARD/ : { *(.eh_frame*) }
}
"""
PROLOGUE = """\
#include <stdint.h>
#define REG(address) (*(volatile uint32_t *)(address))
#define BYTE(address) (*(volatile uint8_t *)(address))
extern uint32_t stack_top[];
void work(void);
__attribute__((naked, section(".start"))) void reset(void) {
  __asm volatile("la sp, stack_top\\n\\ttail work");
}
static void put(char c) { while (!(BYTE(0x10000005) & 0x20)) {} BYTE(0x10000000) = (uint8_t)c; }
static void print(uint32_t value) {
  for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
  put('\\n');
}
static uint32_t cycles(void) { uint32_t value; __asm volatile("csrr %0, mcycle" : "=r"(value)); return value; }
"""
UNUSED = "void unused(void) { print(cycles()); }\n"
PLACES = {"hifive1_revb": (0x20010000, 0x80000000), "esp32c3_devkitm": (0x42000000, 0x3FC80000)}
"""board -> where code and data lie"""
Start = Callable[..., UnicornConsole]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Builds C with a function `work`, and starts it on a board, qemu_riscv32 without one."""
    with contextlib.ExitStack() as stack:

        def start(source: str, board: str = "qemu_riscv32") -> UnicornConsole:
            program, script, elf = tmp_path / "program.c", tmp_path / "link.ld", tmp_path / "program.elf"
            program.write_text(PROLOGUE + UNUSED + source)
            on = load_board(board)
            code, data = PLACES.get(board, (0x80000000, 0x80800000))
            script.write_text(SCRIPT.replace("0x80000000", hex(code)).replace("0x80800000", hex(data)))
            command = process.python_module(
                "ziglang", "cc", "-target", "riscv32-freestanding-none", "-mcpu=generic_rv32+m+c+zicsr", "-O1", "-g0",
                "-fno-sanitize=all", "-nostdlib", "-Wl,-e,reset", "-T", os.fspath(script), "-o", os.fspath(elf),
                os.fspath(program),
            )  # fmt: skip
            process.run(command, timeout_s=120.0)
            image = Image(elf, None, None, None, SizeTable(0, 0, 0, 0, (), ()), "zig", "", digest(elf.read_bytes()))
            return stack.enter_context(UnicornEmulator(on).start(image, on))

        yield start


def ending(console: UnicornConsole) -> str:
    with pytest.raises(DeviceError) as caught:
        list(console.lines(30.0))
    return str(caught.value)


def test_counter_reads_are_exact_and_recorded(start: Start) -> None:
    console = start("""
void work(void) {
  uint32_t before, after;
  __asm volatile("csrr %0, mcycle\\n\\tnop\\n\\tnop\\n\\tnop\\n\\tcsrr %1, mcycle" : "=&r"(before), "=r"(after));
  print(after - before);
  REG(0x100000) = 0x5555;
}""")
    (line, *_) = read_all(console)
    assert line == b"00000004"  # three NOPs and the second CSRR
    first, second = console.counter_readings()
    assert (second.instructions - first.instructions, second.cycles - first.cycles) == (4, 4)


def read_all(console: UnicornConsole) -> list[bytes]:
    """What it said until it ended well."""
    lines: list[bytes] = []
    with pytest.raises(DeviceError, match="ended with exit code 0"):
        lines.extend(iter(lambda: next(console.lines(30.0)), None))
    return lines


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("REG(0x60000000) = 1;", "write of 4 bytes at 0x60000000"),
        ("print(REG(0x60000000));", "read of 4 bytes at 0x60000000"),
        ("REG(0x80000000) = 1;", r"write of 4 bytes at 0x80000000 \(flash\)"),
        ('__asm volatile(".word 0");', "trap 2: undefined instruction"),
        ('__asm volatile("ebreak");', "breakpoint or undefined instruction, pc=0x8.* in work"),
        ("((void (*)(void))0x60000000)();", "jump to 0x60000000, where there is no program"),
        ('__asm volatile("wfi");', "halted: it sleeps and nothing can wake it"),
        ("REG(0x100000) = 7u << 16 | 0x3333;", "ended with exit code 7"),
    ],
)
def test_endings_are_named(start: Start, body: str, said: str) -> None:
    console = start(f"void work(void) {{ {body} for (;;) {{}} }}")
    with pytest.raises(DeviceError, match=said):
        list(console.lines(30.0))


def test_a_stack_overflow_is_one(start: Start) -> None:
    text = ending(
        start("""
static volatile uint32_t depth = 1000000;
static __attribute__((noinline)) uint32_t recurse(volatile uint32_t *above) {
  volatile uint32_t here[16];
  here[0] = *above + 1;
  return here[0] < depth ? recurse(here) + here[0] : 0;
}
void work(void) { volatile uint32_t first = 0; print(recurse(&first)); }""")
    )
    assert text.startswith("stack overflow in the emulated firmware")
    assert "in recurse+" in text


STEP = "static volatile uint32_t words[8]; static volatile uint32_t step = 2;\n"
ENDINGS = {
    "a load": ("hifive1_revb", 'at(0, "lw a0, 2(%0)");', r"trap 4: misaligned read: `lw 2\(x1?\d\)` reads at 0x8000"),
    "a store": ("hifive1_revb", 'at(step, "sw a0, 0(%0)");', "trap 6: misaligned write: `sw .* writes at 0x8000"),
    "a halfword": ("hifive1_revb", 'at(step + 1, "lhu a0, 0(%0)");', "misaligned read: .* no multiple of 2"),
    "an address that is loaded": ("hifive1_revb", 'at(0, "sw %0, 0(%0); lw a1, 0(%0); lw a0, 1(a1)");', "trap 4"),
    "aligned": ("hifive1_revb", 'at(step * 2, "lw a0, -4(%0); lhu a0, 2(%0); lb a0, 1(%0)");', "breakpoint"),
    "served": ("esp32c3_devkitm", 'at(step, "lw a0, 0(%0); sw a0, 1(%0)");', "breakpoint"),
    "an atomic instruction": ("esp32c3_devkitm", 'at(0, ".option arch, +a; amoadd.w a0, a0, (%0)");',
                              "trap 2: undefined instruction: `atomic instruction .*` is no instruction of rv32imc"),
    "the data bus": ("esp32c3_devkitm", 'at(0, "jr %0");', "jump to 0x3fc8.*, where there is no program"),
    "a frame": ("hifive1_revb", 'at(0, "li a0, 2048; sub sp, sp, a0");',
                r"stack overflow in the emulated firmware: sp moves to 0x7ffff\w+, \d+ B below the stack"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDINGS)
def test_cores_differ_in_what_they_trap(name: str, start: Start) -> None:
    """SiFive's core traps at misaligned accesses, Espressif's serves them, and has no atomics."""
    board, call, said = ENDINGS[name]
    macro = '#define at(offset, code) __asm volatile(code :: "r"((uint32_t)words + (offset)) : "a0", "a1", "memory")\n'
    console = start(STEP + macro + f'void work(void) {{ {call} __asm volatile("ebreak"); for (;;) {{}} }}', board)
    with pytest.raises(DeviceError, match=said):
        list(console.lines(30.0))


def test_received_bytes_survive_sending(start: Start) -> None:
    """The UART's registers of a byte each share words: a write of one must not read its neighbours."""
    console = start("""
static int get(void) { while (!(BYTE(0x10000005) & 1)) {} return BYTE(0x10000000); }
void work(void) {
  put('?'); put('\\n');
  for (;;) { int c = get(); put('<'); put((char)c); if (c == '.') { put('\\n'); REG(0x100000) = 0x5555; } }
}""")
    lines = console.lines(30.0)
    assert next(lines) == b"?"
    console.write(b"abc.")
    assert next(lines) == b"<a<b<c<."


def code(*words: int) -> bytes:
    return b"".join(struct.pack("<I", word) for word in words)


LW_A0, ADD_A2_A0_A0, ADD_A1, MUL_A3, ADD_A4_A3 = 0x0005A503, 0x00A50633, 0x00B585B3, 0x02C606B3, 0x00D68733
LBU_A0, DIVU_A3, BNE, JUMP = 0x0005C503, 0x02C656B3, 0x00B51463, 0x0000006F


@pytest.mark.parametrize(
    ("words", "cost"),
    [
        ((ADD_A1, ADD_A1), BlockCost(2, 2, 0)),
        ((LW_A0, ADD_A1, ADD_A2_A0_A0), BlockCost(3, 3, 0)),
        ((LW_A0, ADD_A2_A0_A0), BlockCost(2, 3, 0)),
        ((LBU_A0, ADD_A2_A0_A0), BlockCost(2, 4, 0)),
        ((MUL_A3, ADD_A4_A3), BlockCost(2, 6, 0)),
        ((DIVU_A3,), BlockCost(1, 33, 0)),
        ((ADD_A1, BNE), BlockCost(2, 2, 3)),
        ((JUMP,), BlockCost(1, 4, 0)),
    ],
)
def test_costs_follow_the_manual(words: tuple[int, ...], cost: BlockCost) -> None:
    assert MODELS["rv32imac"].block(code(*words), 0x8000_0000) == cost


def test_compressed_instructions_cost_the_same() -> None:
    load_then_use = struct.pack("<2H", 0x4188, 0x952A)  # c.lw a0, 0(a1); c.add a0, a0
    assert MODELS["rv32imc"].block(load_then_use, 0x4200_0000) == BlockCost(2, 3, 0)

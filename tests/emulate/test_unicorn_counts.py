"""Counts of the embedded emulator against programs whose instructions and cycles were counted by hand."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kits.m4_program import UART, board, build
from tinyedge import process
from tinyedge.console.contract import CounterReading
from tinyedge.emulate.unicorn.host import UnicornConsole
from tinyedge.errors import DeviceError

Start = Callable[..., UnicornConsole]

LOOP = """
  function reset
  movw r0, #:lower16:COUNT
  movt r0, #:upper16:COUNT
1: subs r0, #1
  bne 1b
2: wfi
  b 2b
  end_of reset
"""
"""2 moves, COUNT times subtract and branch, 1 wfi: COUNT * (1 + 1 + 2) + 2 + 1 cycles, less 2 for the last branch"""

READINGS = """
  function reset
  ldr r5, =0xE000EDFC
  ldr r1, [r5]
  orr r1, #0x01000000
  str r1, [r5]
  ldr r5, =0xE0001000
  movs r1, #1
  str r1, [r5]
  bl read
  movs r0, #100
1: smlad r2, r3, r4, r2
  ldr r6, [sp, #-4]
  subs r0, #1
  bne 1b
  bl read
  mov r7, r1
  bl read
2: wfi
  end_of reset
  function read
  mov r8, r1
  ldr r1, [r5, #4]
  bx lr
  end_of read
"""
BETWEEN_INSTRUCTIONS = 1 + 100 * 4 + 1 + 3
"""of the first two readings: movs, the loop, bl, and the three of `read`"""
BETWEEN_CYCLES = 1 + 100 * (1 + 2 + 1 + 1) + 99 * 2 + 3 + 1 + 2 + 3
"""with 2 for each taken branch but bx, which the block of `read` has at its end in both: 1 + 1 + 2 (+1) cycles"""


def run_to_end(console: UnicornConsole) -> dict[str, float]:
    with pytest.raises(DeviceError, match="halted"):
        list(console.lines(60.0))
    return console.statistics()


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("count", [1, 2, 10_000])
def test_a_counted_loop(start: Start, native: bool, count: int) -> None:
    statistics = run_to_end(start(LOOP.replace("COUNT", str(count)), native=native))
    assert statistics["native_hook"] == native
    assert statistics["instructions"] == 2 + 2 * count + 1
    assert statistics["cycles"] == 2 + 4 * count - 2 + 1


@pytest.mark.parametrize("native", [True, False])
def test_readings_of_the_cycle_counter(start: Start, native: bool) -> None:
    console = start(READINGS, native=native)
    run_to_end(console)
    first, second, third = console.counter_readings()
    assert second.instructions - first.instructions == BETWEEN_INSTRUCTIONS
    assert second.cycles - first.cycles == BETWEEN_CYCLES
    assert third.instructions - second.instructions == 5
    assert console.counter_readings() == []


def test_the_counter_returns_modelled_cycles(start: Start) -> None:
    console = start(
        UART
        + """
        static uint32_t cycles(void) { return REG(0xE0001004); }
        void reset(void) {
          uart_start();
          print(cycles());
          REG(0xE0001000) |= 1;
          REG(0xE0001004) = 0;
          uint32_t a = cycles();
          for (volatile int i = 0; i < 1000; ++i) {}
          uint32_t b = cycles();
          print(a); print(b);
          for (;;) __asm volatile("wfi");
        }"""
    )
    off, *values = (int(line, 16) for line in until_halted(console))
    zero, first, second = console.counter_readings()
    assert off == 0  # the counter was not enabled yet
    assert values[1] - values[0] == second.cycles - first.cycles
    assert 0 <= values[0] < 20
    assert zero.cycles > 0


def until_halted(console: UnicornConsole) -> list[bytes]:
    lines = []
    with pytest.raises(DeviceError, match="halted"):
        lines.extend(console.lines(30.0))  # pragma: no branch
    return lines


def test_native_and_python_hook_count_the_same(start: Start) -> None:
    source = (
        UART
        + """
        static float sum = 0.5f;
        static uint32_t random(uint32_t x) { return x * 1664525u + 1013904223u; }
        void reset(void) {
          uart_start();
          REG(0xE0001000) |= 1;
          uint32_t x = 1;
          for (int i = 0; i < 500; ++i) {
            x = random(x);
            if (x >> 31) sum = sum * 1.5f + (float)i; else if (x & 64) sum += (float)(x % 7u);
            if (i % 100 == 0) print(REG(0xE0001004));
          }
          print(x);
          for (;;) __asm volatile("wfi");
        }"""
    )
    seen = []
    for native in (True, False):
        console = start(source, native=native)
        lines = until_halted(console)
        statistics = console.statistics()
        seen.append((lines, console.counter_readings(), statistics["instructions"], statistics["cycles"]))
    assert seen[0] == seen[1]
    assert len(seen[0][1]) == 5


def test_speed_with_counting_on(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """Some 250 MIPS on a machine of its own; the bound leaves room for a busy one."""
    statistics = run_to_end(start(LOOP.replace("COUNT", "100000000")))
    with capsys.disabled():
        print(f"\n[unicorn: {statistics['mips']:.0f} million instructions/s with counting on]")
    assert statistics["instructions"] == 200_000_003
    assert statistics["mips"] > 30


QEMU = """
static volatile uint32_t data[64];
static void put(char c) {
  register uint32_t operation __asm("r0") = 3;
  register const char *text __asm("r1") = &c;
  __asm volatile("bkpt 0xab" : "+r"(operation) : "r"(text) : "memory");
}
static void print(uint32_t value) {
  for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[value >> shift & 15]);
  put('\\n');
}
__attribute__((noinline)) static uint32_t work(uint32_t n) {
  uint32_t x = 1;
  for (uint32_t i = 0; i < n; ++i) {
    x = x * 1664525u + 1013904223u;
    data[x >> 26] += x & 1 ? x : data[i & 63];
  }
  return x;
}
void reset(void) {
  REG(0xE000E014) = 0xFFFFFF;
  REG(0xE000E018) = 0;
  REG(0xE000E010) = 5;
  for (uint32_t n = 1000; n <= 2000; n += 1000) {
    uint32_t before = REG(0xE000E018);
    (void)REG(0xE0001004);
    work(n);
    uint32_t after = REG(0xE000E018);
    (void)REG(0xE0001004);
    print((before - after) & 0xFFFFFF);
  }
  register uint32_t operation __asm("r0") = 0x18;
  register uint32_t reason __asm("r1") = 0x20026;
  __asm volatile("bkpt 0xab" : : "r"(operation), "r"(reason));
  for (;;) {}
}
"""
ICOUNT_SHIFT = 5
"""an instruction takes 2^5 ns"""
SYSTICK_NS = 40
"""the mps2-an386 counts with 25 MHz"""


def test_counts_equal_those_of_qemu(start: Start, tmp_path: Path) -> None:
    if shutil.which("qemu-system-arm") is None:
        pytest.skip("no qemu-system-arm: `apt install qemu-system-arm` installs it")
    elf = build(tmp_path, QEMU).elf
    result = process.run(
        [
            "qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none", "-serial", "none",
            "-semihosting-config", "enable=on,target=native", "-icount", f"shift={ICOUNT_SHIFT},sleep=off",
            "-kernel", elf,
        ],
        timeout_s=60.0,
    )  # fmt: skip
    ticks = [int(line, 16) for line in re.findall(r"^[0-9a-f]{8}$", result.output, re.MULTILINE)]
    console = start(QEMU)
    with pytest.raises(DeviceError, match="exit code 0"):
        list(console.lines(30.0))
    readings: list[CounterReading] = console.counter_readings()
    counted = [b.instructions - a.instructions for a, b in zip(readings[::2], readings[1::2], strict=True)]
    assert len(ticks) == len(counted) == 2
    for of_qemu, of_unicorn in zip(ticks, counted, strict=True):
        # a tick is 1.25 instructions; a reading of ours covers its whole block, a few instructions on
        assert of_qemu * SYSTICK_NS / (1 << ICOUNT_SHIFT) == pytest.approx(of_unicorn, abs=12)
    grown = (ticks[1] - ticks[0]) * SYSTICK_NS / (1 << ICOUNT_SHIFT)
    assert grown == pytest.approx(counted[1] - counted[0], abs=3)  # what is constant falls away


def test_the_board_limits_the_program(start: Start) -> None:
    console_board = board()
    assert console_board.ram.size_bytes == 262_144
    source = UART + "void reset(void) { uart_start(); REG(0x20040000 - 4) = 1; put('\\n'); REG(0x20040000) = 1; }"
    console = start(source)
    with pytest.raises(DeviceError, match="write of 4 bytes at 0x20040000"):
        list(console.lines(10.0))

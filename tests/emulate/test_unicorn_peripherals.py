"""The core's exceptions and the chip's peripherals, seen from firmware."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kits.m4_program import UART
from tinyedge.emulate.unicorn.host import UnicornConsole
from tinyedge.errors import DeviceError

Start = Callable[..., UnicornConsole]

ECHO = UART + "void reset(void) { uart_start(); for (;;) { int c = get(); if (c >= 0) put((char)c); } }"
WAIT = '__asm volatile("wfi")'


def output(console: UnicornConsole, ends: str = "halted") -> list[int | str]:
    """Lines, as numbers where they are of `print`, until the firmware ended as said."""
    lines: list[int | str] = []
    with pytest.raises(DeviceError, match=ends):
        lines.extend(_values(console))  # pragma: no branch
    return lines


def _values(console: UnicornConsole) -> Iterator[int | str]:
    for line in console.lines(30.0):
        yield int(line, 16) if len(line) == 8 else line.decode()


def main(body: str, before: str = "") -> str:
    """A program that does `body` with the console up, then halts."""
    return f"{UART}{before}\nvoid reset(void) {{ uart_start();\n{body}\nfor (;;) {WAIT}; }}"


def test_echo(start: Start) -> None:
    console = start(ECHO)
    console.write(b"hello\nand ")
    console.write(b"again\n")
    lines = console.lines(10.0)
    assert [next(lines), next(lines)] == [b"hello", b"and again"]


def test_no_byte_is_lost_however_much_arrives_at_once(start: Start) -> None:
    console = start(ECHO)
    sent = [bytes([32 + (i + j) % 90 for j in range(150)]) for i in range(100)]
    console.write(b"".join(line + b"\n" for line in sent))
    lines = console.lines(10.0)
    assert [next(lines) for _ in sent] == sent


def test_input_of_28_kilobytes_is_quick(start: Start, capsys: pytest.CaptureFixture[str]) -> None:
    """0.15 s on a machine of its own; the bound leaves room for a busy one."""
    console = start(UART + "void reset(void) { uart_start(); for (;;) { int c = get(); if (c == '\\n') put('\\n'); } }")
    lines = console.lines(10.0)
    started = time.perf_counter()
    for _ in range(250):
        console.write(b"x" * 150 + b"\n")
        next(lines)
    seconds = time.perf_counter() - started
    with capsys.disabled():
        print(f"\n[unicorn: 250 lines of 150 bytes in {seconds:.3f} s]")
    assert seconds < 3


def test_an_idle_firmware_costs_no_time(start: Start) -> None:
    console = start(ECHO)
    console.write(b"a\n")
    assert next(console.lines(10.0)) == b"a"
    times = Path(f"/proc/{console._child.pid}/stat")
    if not times.exists():
        pytest.skip("no /proc: run it on Linux")
    time.sleep(0.2)  # until it has looked in vain for long enough
    before, counted = _ticks(times), console.statistics()["instructions"]
    time.sleep(0.5)
    assert _ticks(times) - before <= 3  # of 50
    assert console.statistics()["instructions"] == counted


def _ticks(stat: Path) -> int:
    fields = stat.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_dma_of_many_bytes(start: Start) -> None:
    console = start(
        main(
            """
            static char text[16] = "0123456789abcde";
            for (int i = 0; i < 15; ++i) text[i] = (char)('A' + i);
            text[15] = '\\n';
            UARTE(0x544) = (uint32_t)text; UARTE(0x548) = 16; UARTE(0x120) = 0; UARTE(0x008) = 1;
            while (!UARTE(0x120)) {}
            UARTE(0x534) = (uint32_t)text; UARTE(0x538) = 4; UARTE(0x110) = 0; UARTE(0x000) = 1;
            while (!UARTE(0x110)) {}
            uint32_t received = *(volatile uint32_t *)text, transmitted = UARTE(0x54C), amount = UARTE(0x53C);
            UARTE(0x544) = (uint32_t)&tx; UARTE(0x548) = 1;
            print(transmitted); print(amount); print(received);
            """
        )
    )
    console.write(b"abcd")
    assert output(console) == ["ABCDEFGHIJKLMNO", 16, 4, int.from_bytes(b"abcd", "little")]


def test_receiving_with_interrupts(start: Start) -> None:
    """The handler of UARTE0 collects; the program sleeps meanwhile, and costs no time."""
    before = """
    static volatile char text[8];
    static volatile uint32_t count;
    void uarte0(void) { text[count++] = (char)rx; UARTE(0x110) = 0; UARTE(0x000) = 1; }
    """
    console = start(
        main(
            f"""
            REG(0x40002304) = 1 << 4;
            REG(0xE000E100) = 1 << 2;
            put('g'); put('o'); put('\\n');
            while (count < 4) {WAIT};
            REG(0xE000E180) = 1 << 2;
            print(*(volatile uint32_t *)text); print(count);
            """,
            before,
        )
    )
    lines = _values(console)
    assert next(lines) == "go"
    time.sleep(0.05)
    for letter in (b"a", b"bc", b"d"):
        console.write(letter)
        time.sleep(0.01)
    assert [next(lines), next(lines)] == [int.from_bytes(b"abcd", "little"), 4]


@pytest.mark.parametrize("native", [True, False])
def test_systick_interrupts(start: Start, native: bool) -> None:
    """Ten ticks of 10,000 cycles, slept through; registers and flags of the interrupted code stay as they were."""
    before = """
    static volatile uint32_t ticks;
    static volatile float scale = 2.0f;
    void systick(void) { scale = scale * 1.0f; ++ticks; }
    """
    console = start(
        main(
            f"""
            REG(0xE0001000) |= 1;
            REG(0xE000E014) = 9999; REG(0xE000E018) = 0; REG(0xE000E010) = 7;
            uint32_t from = REG(0xE0001004);
            while (ticks < 10) {WAIT};
            uint32_t to = REG(0xE0001004);
            float sum = 0;
            uint32_t rounds = 0;
            for (; ticks < 20; ++rounds) sum += 1.5f * scale;
            REG(0xE000E010) = 0;
            print(ticks); print(to - from); print(sum == 3.0f * (float)rounds);
            """,
            before,
        ),
        native=native,
    )
    ticks, elapsed, right = output(console)
    assert ticks == 20
    assert isinstance(elapsed, int)
    assert elapsed == pytest.approx(100_000, abs=100)
    assert right == 1


def test_systick_polled(start: Start) -> None:
    console = start(
        main(
            """
            REG(0xE000E014) = 999; REG(0xE000E018) = 0; REG(0xE000E010) = 5;
            uint32_t flags = 0;
            for (int i = 0; i < 3; ++i) { while (!(REG(0xE000E010) & 0x10000)) {} ++flags; }
            uint32_t again = REG(0xE000E010) & 0x10000;
            uint32_t value = REG(0xE000E018);
            print(flags); print(again); print(value > 900 && value < 1000);
            """
        )
    )
    assert output(console) == [3, 0, 1]


@pytest.mark.parametrize("native", [True, False])
def test_systick_made_wider_loses_no_turn(start: Start, native: bool, root: Path) -> None:
    """te_bsp_cycles with turns of 1,024 cycles, called at all phases of a turn: two calls are never a turn apart."""
    counter = (root / "firmware_templates/bsp/te_systick.c").read_text()
    for wide, narrow in (("0x00FFFFFFu", "0x000003FFu"), ("PERIOD_BITS 24", "PERIOD_BITS 10")):
        assert wide in counter
        counter = counter.replace(wide, narrow)
    before = "#define REG32 REG\n#define SysTick_Handler systick\n" + re.sub('#include ".*"', "", counter)
    console = start(
        main(
            """
            te_systick_start();
            uint32_t last = te_bsp_cycles(), first = last, wrong = 0;
            for (uint32_t i = 0; i < 2500; ++i) {
              for (uint32_t j = 0; j < i % 7; ++j) __asm volatile("nop");
              uint32_t now = te_bsp_cycles();
              wrong += now - last == 0 || now - last > 512;
              last = now;
            }
            REG(0xE000E010) = 0;
            print(wrong); print((last - first) >> 10); print(turns);
            """,
            before,
        ),
        native=native,
    )
    wrong, counted, turns = output(console)
    assert wrong == 0
    assert isinstance(counted, int)
    assert isinstance(turns, int)
    assert 60 < counted <= turns


def test_supervisor_calls_and_priorities(start: Start) -> None:
    """SVC runs at once, PendSV after it; a masked exception waits until it is unmasked."""
    before = """
    static volatile uint32_t trace;
    static uint32_t ipsr(void) { uint32_t n; __asm volatile("mrs %0, ipsr" : "=r"(n)); return n; }
    void pendsv(void) { trace = trace << 8 | ipsr(); }
    void svcall(void) { REG(0xE000ED04) = 1 << 28; trace = trace << 8 | ipsr(); }
    """
    console = start(
        main(
            """
            ((volatile uint8_t *)0xE000ED20)[2] = 0xFF;
            __asm volatile("svc #7" ::: "memory");
            uint32_t both = trace;
            trace = 1;
            __asm volatile("cpsid i" ::: "memory");
            REG(0xE000ED04) = 1 << 28;
            for (volatile int i = 0; i < 100; ++i) {}
            uint32_t masked = trace;
            __asm volatile("cpsie i" ::: "memory");
            for (volatile int i = 0; i < 100; ++i) {}
            print(both); print(masked); print(trace); print(ipsr()); print(REG(0xE000ED20));
            """,
            before,
        )
    )
    assert output(console) == [0x0B0E, 1, 0x010E, 0, 0xFF0000]


def test_the_process_stack(start: Start) -> None:
    """A handler runs on the main stack, and returns to the process stack."""
    source = """
  function reset
  ldr r0, =0x20001000
  msr psp, r0
  movs r0, #2
  msr control, r0
  isb
  movs r1, #1
  movs r2, #2
  movs r3, #3
  svc #0
  add r0, r1, r2
  add r0, r3
  mov r1, sp
  ldr r4, =0x20001000
  subs r1, r4
  adds r0, r1
  ldr r1, =ended
  str r0, [r1, #4]
  movs r0, #0x20
  bkpt #0xab
  end_of reset
  function svcall
  mrs r1, msp
  movs r2, #9
  mov r3, sp
  cmp r1, r3
  bne svcall
  bx lr
  end_of svcall
  .bss
ended: .space 8
  .text
"""
    with pytest.raises(
        DeviceError, match="exit code 1"
    ):  # not ADP_Stopped_ApplicationExit: the block's first word is 0
        list(start(source).lines(10.0))
    with pytest.raises(DeviceError, match="exit code 6"):
        list(start(source.replace("str r0, [r1, #4]", "str r0, [r1, #4]; ldr r2, =0x20026; str r2, [r1]")).lines(10.0))


def test_timer_measures_and_compares(start: Start) -> None:
    """TIMER0 at 1 MHz: 64 cycles a tick."""
    before = "static volatile uint32_t hits; void timer0(void) { REG(0x40008140) = 0; ++hits; }"
    console = start(
        main(
            f"""
            REG(0x40008508) = 3; REG(0x40008510) = 4; REG(0xE0001000) |= 1;
            REG(0x40008000) = 1;
            uint32_t from = REG(0xE0001004);
            for (volatile int i = 0; i < 5000; ++i) {{}}
            REG(0x40008044) = 1;
            uint32_t cycles = REG(0xE0001004) - from;
            print(REG(0x40008544)); print(cycles / 64);
            REG(0x40008004) = 1; REG(0x4000800C) = 1;
            REG(0x40008540) = 1000; REG(0x40008200) = 1; REG(0x40008304) = 1 << 16; REG(0xE000E100) = 1 << 8;
            from = REG(0xE0001004);
            REG(0x40008000) = 1;
            while (hits < 5) {WAIT};
            REG(0xE000E180) = 1 << 8;
            REG(0x40008004) = 1;
            print((REG(0xE0001004) - from) / 64);
            """,
            before,
        )
    )
    captured, counted, five = output(console)
    assert isinstance(captured, int)
    assert isinstance(five, int)
    assert captured == pytest.approx(counted, abs=1)
    assert five == pytest.approx(5000, abs=3)


def test_a_timer_without_its_interrupt_wakes_nobody(start: Start) -> None:
    assert output(start(main("REG(0x40008000) = 1; put('t'); put('\\n');"))) == ["t"]


def test_watchdog(start: Start) -> None:
    body = """
    REG(0x40010504) = 327; REG(0x40010000) = 1;
    for (int i = 0; i < 3; ++i) {
      for (volatile int j = 0; j < 20000; ++j) {}
      REG(0x40010600) = 0x6E524635; put('f'); put('\\n');
    }
    for (;;) {}
    """
    assert output(start(main(body)), ends=r"watchdog of the emulated chip was not fed for 0\.0100098 s") == ["f"] * 3


def test_clocks_pins_and_information(start: Start) -> None:
    console = start(
        main(
            """
            REG(0x40000100) = 0; REG(0x40000000) = 1; while (!REG(0x40000100)) {}
            REG(0x40000104) = 0; REG(0x40000008) = 1; while (!REG(0x40000104)) {}
            print(REG(0x4000040C)); print(REG(0x40000418));
            REG(0x50000508) = 0x50; REG(0x50000518) = 0x70; REG(0x5000050C) = 0x10;
            print(REG(0x50000504)); print(REG(0x50000510)); print(REG(0x50000814));
            print(REG(0x10000100)); print(REG(0x1000010C)); print(REG(0x10000110)); print(REG(0x10001208));
            print(REG(0x4001E400)); print(REG(0xE000ED00));
            """
        )
    )
    assert output(console) == [0x10001, 0x10001, 0x40, 0x40, 0, 0x52840, 256, 1024, 0xFFFFFFFF, 1, 0x410FC241]
    assert console.notes() == ()


def test_what_is_not_modelled_is_said_once(start: Start) -> None:
    console = start(main("REG(0x4000D000) = 5; print(REG(0x4000D000)); print(REG(0x4000D004));"))
    assert output(console) == [5, 0]
    assert console.notes() == ("the peripheral at 0x4000d000 is not modelled: its registers only keep what is written",)


def test_ram_is_not_zero_at_reset(start: Start) -> None:
    assert output(start(main("print(REG(0x20030000));"))) == [0xA5A5A5A5]


def test_semihosting_prints(start: Start) -> None:
    source = """
  function reset
  movs r0, #4
  ldr r1, =text
  bkpt #0xab
  movs r0, #0x77
  bkpt #0xab
  adds r0, #1
  bne reset
  wfi
  end_of reset
  .section .rodata
text: .asciz "printed\\n"
  .text
"""
    assert output(start(source)) == ["printed"]

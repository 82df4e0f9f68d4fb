"""Reads of flash of the embedded emulator: by hand, and natively against Unicorn's own hook of every load."""

from __future__ import annotations

import dataclasses

import pytest

from kits.m4_program import board, build
from tinyedge.artifacts import Image
from tinyedge.boards import Board
from tinyedge.chip import Cache, Calibration
from tinyedge.console.contract import CounterReading
from tinyedge.emulate.unicorn.host import UnicornEmulator
from tinyedge.emulate.unicorn.loads import LoadFinder
from tinyedge.emulate.unicorn.strict.preconditions import Value
from tinyedge.emulate.unicorn.strict.thumb import ThumbRules
from tinyedge.errors import DeviceError

SMALL = {
    "code": Cache(size_bytes=128, ways=2, line_bytes=16, sector_bytes=8),
    "data": Cache(size_bytes=64, ways=4, line_bytes=16),
}


def on(caches: dict[str, Cache], **stalls: float) -> Board:
    calibration = Calibration(error_percent=1, conditions="", source="", **stalls)
    return dataclasses.replace(board(), caches=caches, calibration=calibration)


COUNTED = """
  function reset
  ldr r5, =0xE000ED88          @ CPACR: the floating point unit on
  movs r1, #0xF
  lsls r1, #20
  str r1, [r5]
  dsb
  isb
  ldr r5, =0xE000EDFC
  ldr r1, [r5]
  orr r1, #0x01000000
  str r1, [r5]
  ldr r5, =0xE0001000
  movs r1, #1
  str r1, [r5]
CODE
2: wfi
  end_of reset
"""

BY_HAND = COUNTED.replace(
    "CODE",
    """
  adr r7, 5f
  .balign 32
  movs r0, #10
  ldr r1, [r5, #4]       @ read the counter of cycles
  b 1f
  .balign 32
1: ldr r3, [r7]          @ a line of data that stays
  ldr r3, [r7, #4]
  ldmia r7, {r2, r3, r4, r6}
  subs r0, #1
  bne 1b
  nop
  ldr r1, [r5, #4]
  b 2f
  .balign 32
5: .word 1, 2, 3, 4
  .balign 32
""",
)
"""a loop of 10 rounds over 12 B of code, and 6 B behind it, with 16 B of data"""

AGREEMENT = COUNTED.replace(
    "CODE",
    """
  ldr r4, =table
  ldr r8, =0x20000100
  movs r0, #50
  ldr r1, [r5, #4]
  b 1f
1: ldrb r1, [r4, r0]           @ an index
  str r4, [r8]
  ldr r2, [r8]                 @ a pointer out of RAM, in the same block
  ldrh r3, [r2, #6]!
  ldr r6, [r2, r1, lsl #2]
  ands r9, r0, #3
  itte eq
  ldreq r6, [r4, #64]          @ skipped three times of four
  addeq r4, #0
  ldrne r6, [r4, #128]
  ldr r2, [r8]
  movs r10, #3
7: ldrb r3, [r2], #5           @ told from what is left of the pointer behind the block
  ldr r6, [r2, r10, lsl #2]
  ldrh r3, [r2, #2]!
  subs r10, #1
  bne 7b
  cmp r0, #20
  it lo
  ldrlo r7, [r4], #4           @ moves its base when it is done
  ldmdb r4, {r10, r11}
  ldrd r10, r11, [r4, #16]
  vldr s0, [r4, #32]
  vldmia r4, {s0-s5}
  ldr r7, =0x12345678
  tbb [pc, r9]
5: .byte 2, 3, 4, 5
  .balign 2
  b 6f
  b 6f
  nop
6: push {r0, r4}
  pop {r0, r4}
  subs r0, #1
  bne 1b
  ldr r1, [r5, #4]
  b 2f
  .ltorg
  .word 0, 0
table:
  .rept 40
  .word 0x01020304, 0x03010200, 0x00010203
  .endr
""",
)


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return build(tmp_path_factory.mktemp("by_hand"), BY_HAND)


@pytest.fixture(scope="module")
def agreement(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return build(tmp_path_factory.mktemp("agreement"), AGREEMENT)


def between(image: Image, where: Board, *, native: bool) -> CounterReading:
    """What lies between the last two readings of a program that halts."""
    with (
        UnicornEmulator(where, native=native).start(image, where) as console,
        pytest.raises(DeviceError, match="halted"),
    ):
        list(console.lines(60.0))
    first, second = console.counter_readings()[-2:]
    return CounterReading(
        *(b - a for a, b in zip(dataclasses.astuple(first), dataclasses.astuple(second), strict=True))
    )


@pytest.mark.parametrize("native", [True, False])
def test_misses_by_hand(by_hand: Image, native: bool) -> None:
    still = between(by_hand, on({}), native=native)
    assert (still.code_misses, still.data_misses, still.code_lines, still.stall_cycles) == (0, 0, 0, 0)
    stalled = on(SMALL, code_miss_cycles=4.5, data_miss_cycles=20)
    counted = between(by_hand, stalled, native=native)
    assert counted.code_misses == 3  # the loop lies in two sectors, what reads the counter ends in a third
    assert counted.code_lines == 10 * 2 + 1
    assert counted.data_misses == 1
    assert counted.stall_cycles in (33, 34)  # 3 times 4.5 and 20, with half a cycle of before or without
    assert (counted.instructions, counted.cycles) == (still.instructions, still.cycles + counted.stall_cycles)


@pytest.mark.parametrize("native", [True, False])
def test_without_a_cache_of_data_each_word_is_read(by_hand: Image, native: bool) -> None:
    counted = between(by_hand, on({"code": SMALL["code"]}), native=native)
    assert counted.data_misses == 10 * (1 + 1 + 4)


@pytest.mark.parametrize(
    "caches",
    [
        SMALL,
        {"code": SMALL["code"]},
        {"shared": Cache(size_bytes=128, ways=2, line_bytes=8)},
        {"code": Cache(size_bytes=1024, ways=32, line_bytes=32, sector_bytes=8), "data": SMALL["data"]},
    ],
    ids=["code and data", "code", "shared", "large"],
)
def test_registers_tell_what_a_hook_of_each_load_sees(agreement: Image, caches: dict[str, Cache]) -> None:
    where = on(caches, code_miss_cycles=3.3, data_miss_cycles=7.7)
    native, hooked = (between(agreement, where, native=native) for native in (True, False))
    assert native == hooked
    assert native.data_misses > 50


def test_loads_are_told_behind_a_block_where_registers_are_left() -> None:
    """`ldr r2, [r8]` makes a pointer of memory; the loads by it need no hook."""
    finder = LoadFinder(ThumbRules("cortex-m4f", 0, lambda _: None), (0, 1 << 20))
    code = bytes.fromhex("d8f8002012f8013b52f82560013cfad1")  # ldrb r3, [r2], #1; ldr r6, [r2, r5, lsl #2]
    groups = finder.groups(code, 0x100)
    assert [(group.address, group.is_behind, len(group.loads)) for group in groups] == [
        (0x100, False, 1),
        (0x104, True, 2),
    ]
    by_pointer, by_index = groups[1].loads
    assert by_pointer.address == Value(((2, 1),), 0xFFFF_FFFF)
    assert by_index.address == Value(((2, 1), (5, 4)), 0)
    _, overwritten = finder.groups(code.replace(b"\x25\x60", b"\x25\x20"), 0x100)  # ldr r2, [r2, r5, lsl #2]
    assert not overwritten.is_behind
    _, returned = finder.groups(code[:-2] + bytes.fromhex("7047"), 0x100)  # bx lr: an exception may end here
    assert not returned.is_behind

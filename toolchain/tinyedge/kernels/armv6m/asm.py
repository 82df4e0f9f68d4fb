"""What functions for Cortex-M0+ are written with: Thumb-1 code, its cycles, and the way from sums to int8.

The functions have the form of those for the larger cores (see `thumb.assembly`). Every instruction has two bytes;
r0-r7 compute, r8-r12 and lr can only be moved, added and compared.
"""

from __future__ import annotations

from tinyedge.boards import Core, Isa
from tinyedge.kernels.armv6m.requantize import LineForm
from tinyedge.kernels.contract import Offsets
from tinyedge.kernels.thumb import assembly as thumb2
from tinyedge.kernels.thumb.assembly import Ticks
from tinyedge.timing.cortex_m0plus import CortexM0Plus


class Assembly(thumb2.Assembly):
    """Collects the lines of one function, in named blocks, and counts as a Cortex-M0+ does."""

    timing = CortexM0Plus()

    def __init__(self, *offsets: Offsets) -> None:
        super().__init__({}, *offsets)

    def ticks(self, block: str) -> Ticks:
        """What one execution of a block takes, nothing for one that the function does not have."""
        return super().ticks(block) if self.has(block) else Ticks()

    @property
    def code_bytes(self) -> int:
        """Bytes of machine code."""
        return 2 * sum(self.instructions(block) for block in self._blocks)

    def restore(self) -> None:
        """The end of a function that began with `save`."""
        self("pop {r4-r7}", "mov r8, r4", "mov r9, r5", "mov r10, r6", "mov r11, r7", "pop {r4-r7, pc}")

    def save(self) -> None:
        """Keep what a function must not change."""
        self("push {r4-r7, lr}", "mov r4, r8", "mov r5, r9", "mov r6, r10", "mov r7, r11", "push {r4-r7}")


def core_reason(core: Core) -> str:
    """Why such functions are not for a core; empty when they are."""
    return "" if core.isa is Isa.ARMV6M else f"made for Armv6-M, `{core.name}` has better"


# -- requantization --------------------------------------------------------------------------------------------------


def load_line(asm: Assembly, form: LineForm, pointer: str) -> None:
    """Read the constants of a channel, in the order of `Line.words`; the pointer is left behind them.

    r2, r3 the first two digits; r4 the offset; r5 the third digit if there is one; r7 the bend if there is one
    """
    loaded = ["r2", "r4", *["r5"] * (form.digits == 3), *["r7"] * form.bent]
    assert pointer not in loaded
    asm(f"ldm {pointer}!, {{{', '.join(loaded)}}}", "uxth r3, r2", "lsrs r2, r2, #16")


def emit_line(asm: Assembly, form: LineForm, source: str) -> None:
    """The sum in `source` becomes int8 in r0. Changes r1 and, with three digits, r6; constants are as loaded."""
    asm(f"mov r0, {source}")
    if form.digits == 3:
        asm("movs r1, r0", "muls r1, r5, r1", f"asrs r1, r1, #{form.digit_bits}", "movs r6, r0", "muls r6, r3, r6")
        asm("adds r1, r1, r6")
    else:
        asm("movs r1, r0", "muls r1, r3, r1")
    asm(f"asrs r1, r1, #{form.digit_bits}", "muls r0, r2, r0", "adds r0, r0, r1")
    if form.bent:
        asm(f"mov r1, {source}", "asrs r1, r1, #31", "ands r1, r1, r7", "adds r0, r0, r1")
    asm("adds r0, r0, r4", f"asrs r0, r0, #{form.fraction}")
    emit_clamp(asm, form.low, form.high)


def emit_clamp(asm: Assembly, low: int, high: int, value: str = "r0", other: str = "r1") -> None:
    """Bring the register `value` into [low, high]; `other` is used."""
    if (low, high) == (-128, 127):
        inside = asm.label()
        asm(f"sxtb {other}, {value}", f"cmp {other}, {value}", f"beq {inside}f")
        asm(f"asrs {value}, {value}, #31", f"movs {other}, #127", f"eors {value}, {value}, {other}", f"{inside}:")
        return
    for limit, is_inside in ((low, "bge"), (high, "ble")):
        inside = asm.label()
        asm(f"movs {other}, #{abs(limit)}")
        if limit < 0:
            asm(f"rsbs {other}, {other}, #0")
        asm(f"cmp {value}, {other}", f"{is_inside} {inside}f", f"movs {value}, {other}", f"{inside}:")

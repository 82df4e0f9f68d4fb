"""What is done with a word of four int8 channels: the larger of each, or their sums in halves of two words.

Sums are kept as int16 pairs by SXTAB16, so a window has at most 256 cells. They are divided by the number of cells
with one SMMUL: floor(4 s * m / 2**32) with m = 2**30 / n + 1 is floor(s / n) for |s| < 2**16 and n <= 256, since
4 s (m - 2**30 / n) stays below 2**32 / n.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyedge.kernels.armv7em.pool_windows import Reduction, window_offsets
from tinyedge.kernels.thumb.assembly import Assembly, clamp, round_sums

MOST_CELLS = 256
"""whose sum of int8 fits int16"""

LARGER_WINDOW = window_offsets(
    "te_max_window", low="the smallest output, in each byte", high="the largest output, in each byte"
)
AVERAGE_WINDOW = window_offsets(
    "te_average_window", half="half the number of cells", inverse="2**30 / the number of cells + 1"
)
RESCALED_WINDOW = window_offsets(
    "te_mean_window", offset="added to sums", multiplier="", divisor="negated", zero_point="of the output"
)


class Larger(Reduction):
    """r4-r7 the largest values so far."""

    window = LARGER_WINDOW
    cells16 = "r8-r11"
    end = "r12"

    def clear(self, asm: Assembly, words: int) -> None:
        asm("mov r4, #0x80808080", *(f"mov r{4 + word}, r4" for word in range(1, words)))

    def take16(self, asm: Assembly) -> None:
        for word in range(4):
            asm(f"ssub8 r12, r{4 + word}, r{8 + word}", f"sel r{4 + word}, r{4 + word}, r{8 + word}")

    def take4(self, asm: Assembly) -> None:
        asm("ssub8 r12, r4, r2", "sel r4, r4, r2")

    def _clamp(self, asm: Assembly, words: int) -> None:
        asm(f"ldrd r2, r3, [r0, #{self.window['low']}]")
        for word in range(words):
            asm(f"ssub8 r12, r{4 + word}, r2", f"sel r{4 + word}, r{4 + word}, r2")
            asm(f"ssub8 r12, r{4 + word}, r3", f"sel r{4 + word}, r3, r{4 + word}")

    def finish16(self, asm: Assembly) -> None:
        self._clamp(asm, 4)
        asm("stm r1, {r4-r7}")

    def finish4(self, asm: Assembly) -> None:
        self._clamp(asm, 1)
        asm("add r1, r1, r8", "lsl r9, r8, #3", "lsr r4, r4, r9", "rsb r9, r8, #4")
        asm("6: strb r4, [r1], #1", "lsr r4, r4, #8", "subs r9, r9, #1", "bne 6b")


class _Sums(Reduction):
    """Sums of channels 0 and 2, 1 and 3 of each word in two registers from r4 on."""

    cells16 = "r2, r3, r12, lr"
    end = "r2"

    def clear(self, asm: Assembly, words: int) -> None:
        asm(*(f"mov r{4 + register}, #0" for register in range(2 * words)))

    def take16(self, asm: Assembly) -> None:
        for word, cells in enumerate(("r2", "r3", "r12", "lr")):
            self._take(asm, word, cells)

    def take4(self, asm: Assembly) -> None:
        self._take(asm, 0, "r2")

    def _take(self, asm: Assembly, word: int, cells: str) -> None:
        even, odd = f"r{4 + 2 * word}", f"r{5 + 2 * word}"
        asm(f"sxtab16 {even}, {even}, {cells}", f"sxtab16 {odd}, {odd}, {cells}, ror #8")

    def finish16(self, asm: Assembly) -> None:
        self.load(asm)
        for register in range(8):
            sums, channel = f"r{4 + register}", 4 * (register // 2) + register % 2
            asm(f"sxth r0, {sums}")
            self.finish(asm, "r0")
            asm(f"strb r0, [r1, #{channel}]", f"asr {sums}, {sums}, #16")
            self.finish(asm, sums)
            asm(f"strb {sums}, [r1, #{channel + 2}]")

    def finish4(self, asm: Assembly) -> None:
        self.load(asm)
        channels = ("r6", "r7", "r4", "r5")
        asm("sxth r6, r4", "sxth r7, r5", "asr r4, r4, #16", "asr r5, r5, #16")
        for sums in channels:
            self.finish(asm, sums)
        asm("strb r5, [r1, #3]")
        for channel in range(3):
            asm(f"cmp r8, #{channel}", "it ls", f"strbls {channels[channel]}, [r1, #{channel}]")

    def load(self, asm: Assembly) -> None:
        """Load the words of the reduction, whose address is in r0; r4-r11 and r1 are taken."""
        raise NotImplementedError

    def finish(self, asm: Assembly, sums: str) -> None:
        """Turn the sum of one channel into its output."""
        raise NotImplementedError


@dataclass(frozen=True)
class Average(_Sums):
    """Sums divided by the number of cells, halves away from zero."""

    low: int
    high: int
    window = AVERAGE_WINDOW

    def load(self, asm: Assembly) -> None:
        asm(f"ldrd r2, r3, [r0, #{self.window['half']}]")

    def finish(self, asm: Assembly, sums: str) -> None:
        # Towards zero: -1 of the sign mends the floor of negative quotients, and gives half the number its sign.
        asm(f"asr lr, {sums}, #31", "eor r12, r2, lr", "sub r12, r12, lr", f"add {sums}, {sums}, r12")
        asm(f"lsl {sums}, {sums}, #2", f"smmul {sums}, {sums}, r3", f"sub {sums}, {sums}, lr")
        clamp(asm, [sums], self.low, self.high)


@dataclass(frozen=True)
class Rescaled(_Sums):
    """Sums plus an offset, rescaled.

    doubled  the multiplier is `asm.doubled_multiplier`; otherwise, below 2**30, simply twice its value
    """

    doubled: bool
    window = RESCALED_WINDOW

    def load(self, asm: Assembly) -> None:
        asm(f"add r0, r0, #{self.window['offset']}", "ldm r0, {r2, r3, r12, lr}")

    def finish(self, asm: Assembly, sums: str) -> None:
        asm(f"add {sums}, {sums}, r2")
        asm(f"smmlar {sums}, {sums}, r3, {sums}" if self.doubled else f"smmulr {sums}, {sums}, r3")
        asm(f"add {sums}, {sums}, {sums}, asr #31")
        round_sums(asm, [sums], "r12", "lr")

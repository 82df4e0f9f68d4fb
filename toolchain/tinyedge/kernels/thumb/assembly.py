"""Emits functions in Thumb-2 assembler, and counts what their blocks cost.

A function goes to <name>_kernels.S as it stands here: no compiler in between, so that registers are what the emitter
says and gcc and clang give the same code at every optimisation level.

    asm = Assembly({"sum": "r4", "x": "r2", "w": "r3"})
    asm.block("loop", "one product a turn")
    asm("1: ldr %x, [r0], #4", "ldr %w, [r1], #4", "smlad %sum, %w, %x, %sum", "subs r12, r12, #1", "bne 1b")
    function = asm.function("te_dot", "int32_t te_dot(const int16_t *x, const int16_t *w)", "What it does.")

Registers are named by `%name`, what lies in memory by the macros of `Offsets` (`#TE_ROW_PANEL`, `#(TE_ROW_PANEL + 4)`);
labels are numeric (`1:`, `1b`, `1f`), so that blocks can be emitted several times.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyedge.boards import Core
from tinyedge.kernels.contract import AsmFunction, Offsets
from tinyedge.kernels.thumb.instructions import (
    basic_blocks,
    goes_back,
    is_instruction,
    parse_instruction,
    size_bytes,
    without_label,
)
from tinyedge.timing.cortex_m4 import CortexM4
from tinyedge.timing.thumb import ThumbTiming

_NAME = re.compile(r"%([A-Za-z_]\w*)")
_MACRO = re.compile(r"\bTE_[A-Z]\w*")
_SUM = re.compile(r"#\((\d+) ([+-]) (\d+)\)")
_LABEL = re.compile(r"^\d+:\s*")
_DIGEST_DIGITS = 8
"""of names: enough that no two functions of all models in a product have the same by chance"""
_INDENT = 8
"""columns in front of an instruction, where its label stands"""


@dataclass(frozen=True)
class Ticks:
    """What a piece of code takes when executed once; adds up, and multiplies by a count.

    >>> 2 * Ticks(3, 4) + Ticks(1, 1)
    Ticks(instructions=7, cycles=9)
    """

    instructions: int = 0
    cycles: int = 0
    """by the timing rules of a core, without wait states"""

    def __add__(self, other: Ticks) -> Ticks:
        return Ticks(self.instructions + other.instructions, self.cycles + other.cycles)

    def __mul__(self, count: int) -> Ticks:
        return Ticks(self.instructions * count, self.cycles * count)

    __rmul__ = __mul__


def issues_pairs(core: Core) -> bool:
    """The core starts two instructions in one cycle where they are independent, in their order: a Cortex-M7."""
    return core.name == "cortex-m7f"


class Assembly:
    """Collects the lines of one function, in named blocks."""

    timing: ClassVar[ThumbTiming] = CortexM4()
    """the rules by which blocks are counted; a Cortex-M4 stands for all cores with DSP extension"""

    def __init__(self, registers: Mapping[str, str], *offsets: Offsets) -> None:
        self._registers = dict(registers)
        self._offsets = offsets
        self._macros = {macro: offset for each in offsets for macro, offset in each.macros.items()}
        self._text: list[str] = []
        self._block = "start"
        self._blocks: dict[str, list[str]] = {}
        self._labels = 0
        self._known: dict[str, tuple[str, str]] = {}
        """line as it was given -> as it is written, and with numbers: code made of weights repeats itself"""

    def __call__(self, *lines: str) -> None:
        """Append instructions, one a line, each with an optional label in front."""
        block = self._blocks.setdefault(self._block, []) if lines else []
        for line in lines:
            if line not in self._known:
                self._known[line] = self._written(line)
            text, numbered = self._known[line]
            self._text.append(text)
            block.append(numbered)

    def _written(self, line: str) -> tuple[str, str]:
        instruction = _NAME.sub(lambda match: self._registers[match[1]], line)
        label = _LABEL.match(instruction)
        front = label[0].rstrip() if label else ""
        text = f"{front:{_INDENT}}{instruction[label.end() if label else 0 :]}".rstrip()
        return text, self._numbered(instruction)

    def block(self, name: str, comment: str = "") -> None:
        """What follows belongs to the block `name`; the comment goes into the emitted text."""
        self._block = name
        if comment:
            self._text.append(f"{'':{_INDENT}}/* {comment} */")

    def _numbered(self, line: str) -> str:
        """A line with numbers for macros, and for what is added to them."""
        numbered = _MACRO.sub(lambda match: str(self._macros[match[0]]), line)
        return _SUM.sub(lambda match: f"#{int(match[1]) + int(match[2] + match[3])}", numbered)

    def label(self) -> str:
        """A number no other label of this function has."""
        self._labels += 1
        return str(100 + self._labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all blocks that hold anything."""
        return tuple(self._blocks)

    def lines(self, block: str) -> list[str]:
        """The lines of a block, with their labels."""
        return list(self._blocks[block])

    def has(self, block: str) -> bool:
        """Whether there is anything in a block."""
        return block in self._blocks

    def ticks(self, block: str) -> Ticks:
        """What one execution of a block takes; branches back are counted as taken, those ahead as not."""
        return count_ticks(self._blocks[block], self.timing)

    def instructions(self, block: str) -> int:
        """How many instructions one execution of a block takes."""
        return len([line for line in self._blocks[block] if is_instruction(without_label(line))])

    @property
    def code_bytes(self) -> int:
        """Bytes of machine code, to a few percent."""
        return sum(size_bytes(without_label(line)) for lines in self._blocks.values() for line in lines)

    def function(self, name: str, prototype: str, comment: str) -> AsmFunction:
        """The function. `comment` says what it does, registers, cost; lines are separated by newlines."""
        assert name in prototype
        return AsmFunction(name, prototype, comment.strip(), tuple(self._text), self._offsets)

    def shared(self, stem: str, prototype: str, comment: str) -> AsmFunction:
        """The function under a name made of `stem` and its content; `NAME` in the prototype stands for that name."""
        text = "\n".join((prototype, *map(self._numbered, self._text)))
        name = f"{stem}_{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]}"
        return self.function(name, prototype.replace("NAME", name), comment)


def count_ticks(lines: Iterable[str], timing: ThumbTiming) -> Ticks:
    """Instructions and cycles of a straight piece of code; branches back are counted as taken, those ahead as not.

    >>> count_ticks(["1: ldr r2, [r0], #4", "ldr r3, [r1], #4", "smlad r4, r2, r3, r4", "bne 1b"], CortexM4())
    Ticks(instructions=4, cycles=7)
    """
    total = Ticks()
    for block in basic_blocks(lines):
        cost = timing.block(map(parse_instruction, block))
        taken = cost.taken_cycles if goes_back(block[-1]) else 0
        total += Ticks(cost.instructions, cost.cycles + taken)
    return total


# -- constants -------------------------------------------------------------------------------------------------------


def load_constant(asm: Assembly, register: str, value: int) -> None:
    """A 32-bit constant in one or two instructions."""
    value &= 0xFFFFFFFF
    if value <= 0xFFFF:
        asm(f"movw {register}, #{value}")
    elif value >= 0xFFFFFF00:
        asm(f"mvn {register}, #{~value & 0xFFFFFFFF}")
    else:
        asm(f"movw {register}, #{value & 0xFFFF}", f"movt {register}, #{value >> 16}")


# -- requantization --------------------------------------------------------------------------------------------------


def doubled_multiplier(multiplier: int) -> int:
    """The second factor of `requantize`, as an int32: SMMLAR q, acc, 2m - 2**32, acc.

    That is (2 acc m + 2**31) >> 32, gemmlowp's SaturatingRoundingDoublingHighMul for every acc.

    Range:  multiplier in [2**30, 2**31)
    """
    assert 1 << 30 <= multiplier < 1 << 31, multiplier
    return 2 * multiplier - (1 << 32)


def negated_divisor(exponent: int) -> int:
    """The third factor of `requantize`, as an int32: SMMLSR r, q, -2**(32 - e), zero_point, that is
    floor(q / 2**e + 1/2) + zero_point.

    Range:  exponent, TFLite's shift to the right, in [1, 31]
    """
    assert 1 <= exponent <= 31, exponent
    return -(1 << (32 - exponent))


def requantize(
    asm: Assembly, accumulators: Iterable[str], multiplier: str, divisor: str, zero_point: str, *, rectified: bool
) -> None:
    """Bring accumulators of one channel to int8 in place, as TensorFlow Lite Micro does, in 4 instructions each.

    RoundingDivideByPOT rounds ties away from zero, SMMLSR rounds them up: q + (q >> 31) mends that for negative
    values. When no value below the zero point survives the clamp (`rectified`) that instruction is not needed.

    multiplier, divisor, zero_point  registers with doubled_multiplier, negated_divisor, and the zero point
    """
    names = list(accumulators)
    scale_sums(asm, names, multiplier, rectified=rectified)
    round_sums(asm, names, divisor, zero_point)


def scale_sums(asm: Assembly, accumulators: Iterable[str], multiplier: str, *, rectified: bool) -> None:
    """The first half of `requantize`, for code that has no register for the other two constants meanwhile."""
    names = list(accumulators)
    asm(*(f"smmlar {a}, {a}, {multiplier}, {a}" for a in names))
    if not rectified:
        asm(*(f"add {a}, {a}, {a}, asr #31" for a in names))


def round_sums(asm: Assembly, accumulators: Iterable[str], divisor: str, zero_point: str) -> None:
    """The second half of `requantize`."""
    names = list(accumulators)
    asm(*(f"smmlsr {a}, {a}, {divisor}, {zero_point}" for a in names))
    asm(*(f"ssat {a}, #8, {a}" for a in names))


def clamp(asm: Assembly, accumulators: Iterable[str], low: int, high: int) -> None:
    """Clamp int8 values to less than their type's range; nothing for ends that are the type's own."""
    for a in accumulators:
        if low > -128:
            asm(f"cmp {a}, #{low}", "it lt", f"movlt {a}, #{low}")
        if high < 127:
            asm(f"cmp {a}, #{high}", "it gt", f"movgt {a}, #{high}")


# -- widening --------------------------------------------------------------------------------------------------------


def widen(asm: Assembly, source: str, odd: str) -> None:
    """Four int8 (0, 1, 2, 3) in `source` become int16 pairs: (0, 2) in `source`, (1, 3) in `odd`."""
    asm(f"sxtb16 {odd}, {source}, ror #8", f"sxtb16 {source}, {source}")

"""Cortex-M7: an estimate of its dual issue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from tinyedge.timing.cortex_m4 import FLOAT, SYSTEM
from tinyedge.timing.instruction import FLOAT_SINGLE, LOADS, MULTIPLE, STORES, Instruction
from tinyedge.timing.thumb import BlockCost, ThumbTiming

_MULTIPLIERS = (
    "mul",
    "mla",
    "mls",
    "smla",
    "smul",
    "smlal",
    "smull",
    "umul",
    "umlal",
    "umull",
    "smmul",
    "smmla",
    "smua",
)


class CortexM7(ThumbTiming):
    """Two instructions issue together when the second needs no result of the first and they share neither the
    multiplier nor the store unit. Arm publishes no table; that rule and the single-cycle caches are assumed.

    Error: 60 %. The real pairing rules are finer, the six-stage pipeline stalls on loads used at once, branch
    prediction is taken as right except for a cycle per taken branch, and caches as hit always.
    """

    core = "cortex-m7f"
    error_percent = 60.0
    exception_entry_cycles = 12
    exception_return_cycles = 10
    refill_cycles = 1
    table: ClassVar[Mapping[str, int]] = {**SYSTEM, **FLOAT, "sdiv": 6, "udiv": 6}

    def block(self, instructions: Iterable[Instruction]) -> BlockCost:
        count = cycles = taken = 0
        first: Instruction | None = None  # an instruction that still has an issue slot beside it
        for instruction in instructions:
            count += 1
            cost = self.cycles(instruction, None)
            if first is not None and cost == 1 and _pair(first, instruction):
                first = None
            else:
                cycles += cost
                first = instruction if cost == 1 else None
            if instruction.branches:
                taken = self.refill_cycles if instruction.conditional else 0
                cycles += 0 if instruction.conditional else self.refill_cycles
        return BlockCost(count, cycles, taken)

    def cycles(self, current: Instruction, previous: Instruction | None) -> int:
        if current.name in MULTIPLE:  # a bus of 64 bits
            return 1 + (current.words + 1) // 2
        if current.name in LOADS or current.name in STORES or current.name in FLOAT_SINGLE:
            return 1
        return self.table.get(current.name, 1)


def _pair(first: Instruction, second: Instruction) -> bool:
    if first.written & second.read or first.written & second.written:
        return False
    if first.branches or first.name == "it":
        return False
    both_multiply = first.name.startswith(_MULTIPLIERS) and second.name.startswith(_MULTIPLIERS)
    return not both_multiply and not (first.name in STORES and second.name in STORES)

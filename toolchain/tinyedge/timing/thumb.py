"""Thumb timing: the walk over a basic block, which adds up what a core's rules say of each instruction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from tinyedge.timing.instruction import Instruction


@dataclass(frozen=True)
class BlockCost:
    """The cost of one execution of a basic block."""

    instructions: int
    """in the block, those of an IT block whose condition fails included, as the core fetches them too"""
    cycles: int
    """when execution goes on right behind the block"""
    taken_cycles: int
    """on top when it goes on elsewhere: the pipeline refill of a taken conditional branch"""


class ThumbTiming(ABC):
    """The published timing rules of one core, for memory without wait states."""

    core: ClassVar[str]
    """key of tinyedge.boards.CORES"""
    error_percent: ClassVar[float]
    """how far silicon may be off; the class says why"""
    exception_entry_cycles: ClassVar[int]
    exception_return_cycles: ClassVar[int]
    refill_cycles: ClassVar[int]
    """the pipeline refill of a taken branch (P in Arm's tables)"""
    table: ClassVar[Mapping[str, int]]
    """name -> cycles, without the refill; what is not listed takes one"""

    def block(self, instructions: Iterable[Instruction]) -> BlockCost:
        """The cost of a basic block: what each instruction takes, and the refill of the branch at its end."""
        count = cycles = taken = 0
        previous: Instruction | None = None
        for instruction in instructions:
            count += 1
            cycles += self.cycles(instruction, previous)
            if instruction.branches:
                if instruction.conditional:
                    taken = self.refill_cycles
                else:
                    cycles += self.refill_cycles
            previous = instruction
        return BlockCost(count, cycles, taken)

    @abstractmethod
    def cycles(self, current: Instruction, previous: Instruction | None) -> int:
        """Cycles of an instruction behind `previous` of the same block, without the refill of a taken branch."""

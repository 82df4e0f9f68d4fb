"""What a timing model is: it costs a basic block once, and an emulator adds the costs up as blocks are executed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol


@dataclass(frozen=True)
class BlockCost:
    """The cost of one execution of a basic block."""

    instructions: int
    """in the block, those of an IT block whose condition fails included, as the core fetches them too"""
    cycles: int
    """when execution goes on right behind the block"""
    taken_cycles: int
    """on top when it goes on elsewhere: the pipeline refill of a taken conditional branch"""


class TimingModel(Protocol):
    """The published timing rules of one core, for memory without wait states."""

    core: ClassVar[str]
    """key of tinyedge.boards.CORES"""
    error_percent: ClassVar[float]
    """how far silicon may be off; the class says why"""
    exception_entry_cycles: ClassVar[int]
    exception_return_cycles: ClassVar[int]

    def block(self, code: bytes, address: int) -> BlockCost:
        """The cost of the basic block `code` that lies at `address`."""
        ...

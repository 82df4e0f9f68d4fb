"""What a timing model is: it costs a basic block once, and an emulator adds the costs up as blocks are executed."""

from __future__ import annotations

from typing import Protocol

from tinyedge.timing.thumb import BlockCost


class TimingModel(Protocol):
    """The published timing rules of one core, for memory without wait states, asked about machine code."""

    core: str
    """key of tinyedge.boards.CORES"""
    error_percent: float
    """how far silicon may be off; the rules say why"""
    exception_entry_cycles: int
    exception_return_cycles: int

    def block(self, code: bytes, address: int) -> BlockCost:
        """The cost of the basic block `code` that lies at `address`."""
        ...

"""Cortex-M0+ with the single-cycle multiplier."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tinyedge.timing.instruction import LOADS, MULTIPLE, STORES, Instruction
from tinyedge.timing.thumb import ThumbTiming


class CortexM0Plus(ThumbTiming):
    """Costs of ARM DDI 0484, table 3-1. A taken branch is 2 cycles in all, `bl` 3, a return by POP 3 + N.

    Error: the pipeline has two stages and no cases that depend on data, so the table is exact without wait states
    (1.4005 cycles per instruction of a whole network against 1.3990 of another emulator). Boards with a wait state in
    flash take up to 30 % more. An I/O port of one cycle is charged as two.
    """

    core = "cortex-m0plus"
    error_percent = 30.0
    exception_entry_cycles = 15
    exception_return_cycles = 13
    refill_cycles = 1
    table: ClassVar[Mapping[str, int]] = {"bl": 2, "mrs": 3, "msr": 3, "dsb": 3, "dmb": 3, "isb": 3, "wfi": 2, "wfe": 2}

    def cycles(self, current: Instruction, previous: Instruction | None) -> int:
        if current.name in MULTIPLE:  # the return by POP costs 3 + N, refill included
            return (2 if current.branches else 1) + current.words
        if current.name in LOADS or current.name in STORES:
            return 2
        return self.table.get(current.name, 1)

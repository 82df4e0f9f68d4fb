"""Cortex-M4 with its single precision floating point unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tinyedge.timing.instruction import FLOAT_SINGLE, LOADS, MULTIPLE, STORES, Instruction
from tinyedge.timing.thumb import ThumbTiming

SYSTEM = {"mrs": 2, "msr": 2, "cps": 2, "isb": 3, "tbb": 2, "tbh": 2}
"""MRS, MSR and CPS take 1 or 2; a barrier without waiting takes 1, ISB refills the pipeline"""
DIVISION = {"sdiv": 7, "udiv": 7}
"""2 to 12 cycles, depending on the operands: the middle"""
FLOAT = {
    "vdiv": 14,
    "vsqrt": 14,
    **dict.fromkeys(("vmla", "vmls", "vnmla", "vnmls", "vfma", "vfms", "vfnma", "vfnms"), 3),
}


class CortexM4(ThumbTiming):
    """Costs of ARM DDI 0439D, tables 3-1 (core), 3-2 (DSP, one cycle each) and 7-1 (floating point), and of its
    section 3.3.2 (how loads and stores pipeline).

    Error: the tables hold for memory without wait states. The refill of a taken branch is 1 to 3 cycles there, taken
    as 2; each cycle of it moves a network's total by 3 to 9 %. Flash has wait states on nearly all boards, and
    boards take 20 to 45 % more cycles than counted here, depending on clock, cache and prefetch; the stated error
    covers that. Skipped instructions of an IT block are charged as if executed, divisions by the middle of their
    range, misaligned accesses as aligned.
    """

    core = "cortex-m4f"
    error_percent = 45.0
    exception_entry_cycles = 12
    exception_return_cycles = 10
    refill_cycles = 2
    table: ClassVar[Mapping[str, int]] = {**SYSTEM, **DIVISION, **FLOAT}

    def cycles(self, current: Instruction, previous: Instruction | None) -> int:
        if current.name in MULTIPLE or current.name in FLOAT_SINGLE:
            return 1 + current.words + _address_stall(current, previous)
        if current.name in LOADS:
            return (1 if _pipelined(current, previous) else 2) + _address_stall(current, previous)
        if current.name in STORES:  # the write buffer hides the second cycle, unless the store needs three registers
            two = current.indexed and not _pipelined(current, previous)
            return (2 if two else 1) + _address_stall(current, previous)
        if current.name == "it":  # folded into a 16-bit instruction in front of it
            return 0 if previous is not None and previous.size_bytes == 2 else 1
        if current.name == "vmov" and len(current.written | current.read) == 4:  # two core registers and two of the FPU
            return 2
        return self.table.get(current.name, 1)


def _pipelined(current: Instruction, previous: Instruction | None) -> bool:
    """The address phase overlaps the data phase of a single load in front that does not feed the address."""
    if previous is None or previous.name not in LOADS or previous.branches:
        return False
    return not current.branches and not previous.written & current.address


def _address_stall(current: Instruction, previous: Instruction | None) -> int:
    """A data processing result used in the address of the next instruction is not forwarded: one cycle."""
    return int(previous is not None and previous.is_data_processing and bool(previous.written & current.address))

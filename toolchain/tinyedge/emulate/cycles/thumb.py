"""Thumb code as timing rules see it: machine code, decoded by capstone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import capstone
from capstone import arm

from tinyedge.timing.instruction import BRANCHES, FLOAT_SINGLE, MULTIPLE, Instruction
from tinyedge.timing.thumb import BlockCost, ThumbTiming

_WITH_BASE_OPERAND = ("ldm", "stm", "vldm", "vstm")
"""their first operand is the base register of the address"""
_NAMES = {"sb": "r9", "sl": "r10", "fp": "r11", "ip": "r12"}
"""capstone's other names of registers"""


def _decode(raw: Any) -> Instruction:
    if raw.id == 0:  # bytes capstone does not know: one instruction nobody can say more of
        return Instruction("unknown", raw.size, *(frozenset(),) * 3, False, 0, False, False)
    name = raw.insn_name()
    if name == "hint":  # nop, wfi, wfe, sev, yield
        name = raw.mnemonic.split(".")[0]
    operands = raw.operands
    read, written = (_names(raw, group) for group in raw.regs_access())
    memory = [o.mem for o in operands if o.type == arm.ARM_OP_MEM]
    address = _names(raw, (register for m in memory for register in (m.base, m.index) if register))
    if name.startswith(_WITH_BASE_OPERAND):
        address = _names(raw, (operands[0].reg,))
    branches = name in BRANCHES or "pc" in written
    return Instruction(
        name=name,
        size_bytes=raw.size,
        written=written,
        read=read | address,
        address=address,
        indexed=any(m.index for m in memory),
        words=words_transferred(raw, name),
        branches=branches,
        conditional=branches and (name in ("cbz", "cbnz") or raw.cc not in (arm.ARM_CC_INVALID, arm.ARM_CC_AL)),
    )


def _names(raw: Any, registers: Iterable[int]) -> frozenset[str]:
    names = (str(raw.reg_name(register)) for register in registers)
    return frozenset(_NAMES.get(name, name) for name in names)


def words_transferred(raw: Any, name: str) -> int:
    """Words that a transfer of several registers or of floating point registers moves."""
    if name not in MULTIPLE and name not in FLOAT_SINGLE:
        return 0
    listed = [o.reg for o in raw.operands if o.type == arm.ARM_OP_REG]
    if name.startswith(_WITH_BASE_OPERAND):
        del listed[0]
    return sum(2 if arm.ARM_REG_D0 <= register <= arm.ARM_REG_D31 else 1 for register in listed)


class ThumbModel:
    """A core's timing rules, asked about machine code."""

    def __init__(self, timing: ThumbTiming) -> None:
        self.timing = timing
        self.core = timing.core
        self.error_percent = timing.error_percent
        self.exception_entry_cycles = timing.exception_entry_cycles
        self.exception_return_cycles = timing.exception_return_cycles
        self._disassembler = capstone.Cs(
            capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
        )
        self._disassembler.detail = True
        self._disassembler.skipdata = True

    def decode(self, code: bytes, address: int) -> Iterator[Instruction]:
        """The instructions of a piece of code that lies at `address`."""
        return map(_decode, self._disassembler.disasm(code, address))

    def block(self, code: bytes, address: int) -> BlockCost:
        """The cost of the basic block `code` that lies at `address`."""
        return self.timing.block(self.decode(code, address))

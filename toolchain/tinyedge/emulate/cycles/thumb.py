"""Thumb code as timing models see it: decoded instructions, and the walk over a basic block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import capstone
from capstone import arm

from tinyedge.emulate.cycles.contract import BlockCost

LOADS = frozenset(
    (
        "ldr",
        "ldrb",
        "ldrh",
        "ldrsb",
        "ldrsh",
        "ldrt",
        "ldrbt",
        "ldrht",
        "ldrsbt",
        "ldrsht",
        "ldrex",
        "ldrexb",
        "ldrexh",
        "lda",
        "ldab",
        "ldah",
        "ldaex",
    )
)
"""single loads"""
STORES = frozenset(
    ("str", "strb", "strh", "strt", "strbt", "strht", "strex", "strexb", "strexh", "stl", "stlb", "stlh", "stlex")
)
"""single stores"""
MULTIPLE = frozenset(
    (
        "ldm",
        "ldmdb",
        "stm",
        "stmdb",
        "push",
        "pop",
        "ldrd",
        "strd",
        "vldmia",
        "vldmdb",
        "vstmia",
        "vstmdb",
        "vpush",
        "vpop",
    )
)
"""transfers of several registers; `Instruction.words` says how many words"""
FLOAT_SINGLE = frozenset(("vldr", "vstr"))
_WITH_BASE_OPERAND = ("ldm", "stm", "vldm", "vstm")
"""their first operand is the base register of the address"""
_COMPARES = frozenset(("cmp", "cmn", "tst", "teq"))
_TABLE_BRANCHES = frozenset(("tbb", "tbh"))
_BRANCHES = frozenset(("b", "bl", "bx", "blx", "bxns", "blxns", "cbz", "cbnz")) | _TABLE_BRANCHES


@dataclass(frozen=True)
class Instruction:
    """What a timing rule may ask of an instruction. Registers are capstone's numbers."""

    name: str
    """without condition, width and data type: `ldr`, `smlad`, `vfma`"""
    size_bytes: int
    written: frozenset[int]
    read: frozenset[int]
    """registers of the operands read, those of an address included"""
    address: frozenset[int]
    """registers a memory address is computed of"""
    indexed: bool
    """the address has an index register"""
    words: int
    """words transferred by a load or store of several registers or of a double"""
    branches: bool
    """it may go on elsewhere"""
    conditional: bool
    """... or behind itself: a conditional branch, also one within an IT block"""

    @property
    def is_data_processing(self) -> bool:
        """Computes a core register from registers (loads, stores, branches and floating point do not)."""
        return not (
            self.branches
            or self.name in LOADS
            or self.name in STORES
            or self.name in MULTIPLE
            or self.name in _COMPARES
            or self.name.startswith(("v", "it"))
        )


def _decode(raw: Any) -> Instruction:
    if raw.id == 0:  # bytes capstone does not know: one instruction nobody can say more of
        return Instruction("unknown", raw.size, *(frozenset(),) * 3, False, 0, False, False)
    name = raw.insn_name()
    if name == "hint":  # nop, wfi, wfe, sev, yield
        name = raw.mnemonic.split(".")[0]
    operands = raw.operands
    read, written = (frozenset(group) for group in raw.regs_access())
    memory = [o.mem for o in operands if o.type == arm.ARM_OP_MEM]
    address = frozenset(register for m in memory for register in (m.base, m.index) if register)
    if name.startswith(_WITH_BASE_OPERAND):
        address = frozenset((operands[0].reg,))
    branches = name in _BRANCHES or arm.ARM_REG_PC in written
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


def words_transferred(raw: Any, name: str) -> int:
    """Words that a transfer of several registers or of floating point registers moves."""
    if name not in MULTIPLE and name not in FLOAT_SINGLE:
        return 0
    listed = [o.reg for o in raw.operands if o.type == arm.ARM_OP_REG]
    if name.startswith(_WITH_BASE_OPERAND):
        del listed[0]
    return sum(2 if arm.ARM_REG_D0 <= register <= arm.ARM_REG_D31 else 1 for register in listed)


class ThumbTimingModel(ABC):
    """Walks a basic block and adds up `cycles` of each instruction and the refill of its branch."""

    core: ClassVar[str]
    error_percent: ClassVar[float]
    exception_entry_cycles: ClassVar[int]
    exception_return_cycles: ClassVar[int]
    refill_cycles: ClassVar[int]
    """the pipeline refill of a taken branch (P in Arm's tables)"""
    table: ClassVar[Mapping[str, int]]
    """name -> cycles, without the refill; what is not listed takes one"""

    def __init__(self) -> None:
        self._disassembler = capstone.Cs(
            capstone.CS_ARCH_ARM, capstone.CS_MODE_THUMB | capstone.CS_MODE_MCLASS | capstone.CS_MODE_V8
        )
        self._disassembler.detail = True
        self._disassembler.skipdata = True

    def decode(self, code: bytes, address: int) -> Iterator[Instruction]:
        return map(_decode, self._disassembler.disasm(code, address))

    def block(self, code: bytes, address: int) -> BlockCost:
        """The cost of the basic block `code` that lies at `address`."""
        count = cycles = taken = 0
        previous: Instruction | None = None
        for instruction in self.decode(code, address):
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

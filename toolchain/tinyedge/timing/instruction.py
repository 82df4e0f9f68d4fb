"""What a timing rule may ask of a Thumb instruction."""

from __future__ import annotations

from dataclasses import dataclass

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
COMPARES = frozenset(("cmp", "cmn", "tst", "teq"))
BRANCHES = frozenset(("b", "bl", "bx", "blx", "bxns", "blxns", "cbz", "cbnz", "tbb", "tbh"))


@dataclass(frozen=True)
class Instruction:
    """An instruction. Registers by name: r0 to r12, sp, lr, pc, s0, d0, cpsr."""

    name: str
    """without condition, width and data type: `ldr`, `smlad`, `vfma`"""
    size_bytes: int
    written: frozenset[str]
    read: frozenset[str]
    """registers of the operands read, those of an address included"""
    address: frozenset[str]
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
            or self.name in COMPARES
            or self.name.startswith(("v", "it"))
        )

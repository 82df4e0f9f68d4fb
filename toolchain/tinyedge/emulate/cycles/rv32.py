"""RV32 cores with one issue in order: those of FE310 and ESP32-C3."""

from __future__ import annotations

from typing import Any, ClassVar

import capstone
from capstone import riscv

from tinyedge.timing.thumb import BlockCost

_BRANCHES = frozenset(("beq", "bne", "blt", "bge", "bltu", "bgeu", "beqz", "bnez", "blez", "bgez", "bltz", "bgtz"))
_JUMPS = frozenset(("jal", "jalr", "j", "jr", "ret", "mret"))
_WORD_LOADS = frozenset(("lw", "lwsp"))
_SMALL_LOADS = frozenset(("lb", "lbu", "lh", "lhu"))
_MULTIPLIES = frozenset(("mul", "mulh", "mulhu", "mulhsu"))
_DIVIDES = frozenset(("div", "divu", "rem", "remu"))


class Rv32imc:
    """One cycle an instruction, and what the pipeline of SiFive's E31 waits for on top.

    A result is there after so many cycles: loads of words 2, of less 3, products 5; an instruction that follows at once
    and needs it waits for the rest. A division takes 33. A taken branch or jump costs 3, as if none was predicted.
    Source: SiFive FE310-G002 Manual v1p5, 3.1 (pipeline and latencies), 3.2 branch prediction.

    Error: branch prediction hides part of the refills and caches of flash add to it; Espressif publishes no table for
    the ESP32-C3, whose multiplier takes one cycle: within half of the figure.
    """

    core: str = "rv32imc"
    error_percent: float = 50.0
    exception_entry_cycles: int = 5
    exception_return_cycles: int = 5
    refill_cycles: ClassVar[int] = 3

    def __init__(self) -> None:
        self._disassembler = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV32 | capstone.CS_MODE_RISCVC)
        self._disassembler.detail = True
        self._disassembler.skipdata = True

    def block(self, code: bytes, address: int) -> BlockCost:
        """The cost of the basic block `code` that lies at `address`."""
        count = cycles = taken = 0
        waits: dict[int, int] = {}  # register -> cycle at which it can be used
        for raw in self._disassembler.disasm(code, address):
            count += 1
            name = raw.mnemonic.removeprefix("c.") if raw.id else ""
            read, written = _registers(raw)
            cycles = max([cycles, *(waits.get(register, 0) for register in read)])
            if name in _DIVIDES:
                cycles += 32
            cycles += 1
            for register in written:
                waits[register] = cycles + _latency(name) - 1
            if name in _BRANCHES:
                taken = self.refill_cycles
            elif name in _JUMPS:
                cycles += self.refill_cycles
        return BlockCost(count, cycles, taken)


class Rv32imac(Rv32imc):
    """The same with atomic instructions. Error: as without them."""

    core = "rv32imac"


def _latency(name: str) -> int:
    """Cycles until a result can be used, 1 for the next cycle."""
    if name in _WORD_LOADS:
        return 2
    if name in _SMALL_LOADS:
        return 3
    return 5 if name in _MULTIPLIES else 1


def _registers(raw: Any) -> tuple[list[int], list[int]]:
    """Registers read and written: the first operand of what is no store or branch is written."""
    if not raw.id:
        return [], []
    name = raw.mnemonic.removeprefix("c.")
    plain = [o.reg for o in raw.operands if o.type == riscv.RISCV_OP_REG]
    bases = [o.mem.base for o in raw.operands if o.type == riscv.RISCV_OP_MEM]
    if name in _BRANCHES or name in ("sb", "sh", "sw", "swsp") or not plain:
        return plain + bases, []
    compressed = raw.mnemonic.startswith("c.")
    return (plain if compressed else plain[1:]) + bases, plain[:1]

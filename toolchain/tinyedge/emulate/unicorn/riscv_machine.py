"""A board with a RISC-V core in machine mode: no interrupts, cycle counters in CSRs, every trap is the end."""

from __future__ import annotations

import time
from typing import Any

from unicorn import riscv_const
from unicorn import unicorn_const as const

from tinyedge.emulate.unicorn.board_machine import BoardMachine
from tinyedge.emulate.unicorn.bus import Window, add_family
from tinyedge.emulate.unicorn.config import MachineConfig
from tinyedge.emulate.unicorn.counting import NEVER
from tinyedge.emulate.unicorn.engine import UcError
from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.serial_line import Link
from tinyedge.emulate.unicorn.strict.guard import describe
from tinyedge.emulate.unicorn.strict.preconditions import Kind, Precondition
from tinyedge.emulate.unicorn.symbols import Program

_NO_END_ADDRESS = 0xFFFF_FFFE
_SYSTEM, _OPCODE_MASK = 0x73, 0x7F
_MCYCLE, _CYCLE = 0xB00, 0xC00
_MPCER, _MPCMR, _MPCCR = 0x7E0, 0x7E1, 0x7E2
_COUNTERS = (_MCYCLE, _CYCLE, _MPCCR)
"""CSRs that read the cycle counter; the last one is the ESP32-C3's"""
_COUNTER_SETTINGS = (_MPCER, _MPCMR)
_TRAPS = {
    0: "jump to an odd address",
    1: "instruction fetch failed",
    2: "undefined instruction",
    4: "misaligned read",
    5: "read where nothing is",
    6: "misaligned write",
    7: "write where nothing is",
    11: "environment call, which nobody serves",
}
_READS = (const.UC_MEM_READ_UNMAPPED, const.UC_MEM_READ_PROT)
_FETCHES = (const.UC_MEM_FETCH_UNMAPPED, const.UC_MEM_FETCH_PROT)
_OVERFLOW = "stack overflow in the emulated firmware"
_LARGER = "the firmware needs a larger stack, or calls itself without end"
_MASK = 0xFFFF_FFFF


def _trap(precondition: Precondition) -> str:
    cause = 2 if precondition.kind != Kind.ALIGNMENT else 6 if precondition.writes else 4
    return f"trap {cause}: {_TRAPS[cause]}"


class RiscvMachine(BoardMachine):
    """Execution starts at the program's entry: what a boot ROM does before is not emulated.

    Reads of the cycle counter give modelled cycles and are recorded. Unicorn ends a basic block at each access to a
    CSR, so the counts there are exact.
    Source: RISC-V Instruction Set Manual, volume II, 3.1.10 mcycle; ESP32-C3 Technical Reference Manual, 1.4.1 CSRs
    """

    def __init__(self, config: MachineConfig, program: Program, link: Link) -> None:
        """Raises: MachineError when the program does not fit the board's memories"""
        super().__init__(config, program, link)
        self._program = program
        self._counted_from = 0
        pages: dict[int, RegisterPage] = {}
        for start, size in add_family(pages, self):
            Window(start, size, pages, link.note).map(self._engine, self._native)
        self._engine.add_hook(const.UC_HOOK_INTR, self._on_trap)
        self._engine.add_hook(const.UC_HOOK_MEM_UNMAPPED | const.UC_HOOK_MEM_PROT, self._on_bad_memory)
        for address, data in program.segments:
            self._watch_counters(address, data)

    def _watch_counters(self, start: int, code: bytes) -> None:
        """Serve each access to a counter's CSR; the same bits among constants are never executed."""
        for offset in range(0, len(code) - 3, 2):
            word = int.from_bytes(code[offset : offset + 4], "little")
            if word & _OPCODE_MASK == _SYSTEM and word >> 12 & 3 and word >> 20 in (*_COUNTERS, *_COUNTER_SETTINGS):
                self._engine.add_instruction_hook(start + offset, self._access_counter)

    def _access_counter(self, _: Any, address: int, __: int, ___: Any) -> None:
        word = int.from_bytes(self._engine.read_memory(address, 4), "little")
        target, source, immediate = word >> 7 & 31, word >> 15 & 31, word >> 14 & 1
        value = 0
        if word >> 20 in _COUNTERS:
            if target:
                self.record_reading()
            value = (self._counter.cycles - self._counted_from) & _MASK
            if word >> 12 & 3 == 1:  # CSRRW and CSRRWI set it
                written = source if immediate else self._engine.read_register(riscv_const.UC_RISCV_REG_X0 + source)
                self._counted_from = self._counter.cycles - written
        if target:
            self._engine.write_register(riscv_const.UC_RISCV_REG_X0 + target, value)
        self._engine.write_register(riscv_const.UC_RISCV_REG_PC, address + 4)

    # Preconditions of silicon

    def _program_counter(self) -> int:
        return self._engine.read_register(riscv_const.UC_RISCV_REG_PC)

    def _resume(self, address: int, until: int) -> None:
        self._engine.start(address, until)

    def _break(self, precondition: Precondition, value: int) -> Ending:
        if precondition.kind == Kind.STACK:
            below = self._stack_bottom - value
            return Ending(
                f"{_OVERFLOW}: sp moves to {value:#010x}, {below} B below the stack, {self._where()}", _LARGER
            )
        what, hint = describe(precondition, value, self.config.core, _trap)
        return Ending(f"{what}, {self._where()}", hint)

    # Services of the peripherals

    def pend(self, exception: int) -> None:
        self.end(self._fault(f"a peripheral raised exception {exception}, which this machine does not have"))

    def set_interrupt(self, number: int, asserted: bool) -> None:
        if asserted:
            self.end(self._fault(f"a peripheral raised interrupt {number}, which this machine does not have"))

    # The run

    def run(self) -> Ending:
        self._started = time.perf_counter()
        address = self._program.entry
        while self._ending is None:
            self._scheduler.run_until(self._counter.cycles)
            self._lighten()
            due = self._scheduler.next_cycles
            self._counter.deadline = NEVER if due is None else due
            if self._ending is None:
                address = self._execute(address)
        self._elapsed = self._seconds()
        self._started = None
        return self._ending

    def _execute(self, address: int) -> int:
        error = None
        try:
            self._engine.start(address, _NO_END_ADDRESS)
        except UcError as raised:
            error = raised
        if self._counter.failure is not None:
            raise self._counter.failure
        address = self._engine.read_register(riscv_const.UC_RISCV_REG_PC)
        if self._ending is not None:
            return address
        if self._counter.suspect_size:
            self._examine()
        elif self._counter.stopped:
            self._counter.stopped = 0
            self._counter.watch()
        elif error is not None:
            invalid = error.errno == const.UC_ERR_INSN_INVALID  # how Unicorn reports EBREAK
            self.end(self._fault("breakpoint or undefined instruction" if invalid else str(error)))
        else:  # WFI is the only instruction that stops the core
            self.end(Ending(f"the emulated firmware halted: it sleeps and nothing can wake it, {self._where()}"))
        return address

    # What Unicorn reports from within a run

    def _on_trap(self, _: Any, cause: int, __: Any) -> None:
        self.end(self._fault(f"trap {cause}: {_TRAPS.get(cause, 'unknown cause')}"))
        self._engine.stop()

    def _on_bad_memory(self, _: Any, access: int, address: int, size: int, value: int, __: Any) -> bool:
        if access in _FETCHES:
            what = f"jump to {address:#010x}, where there is no program"
        else:
            what = f"{'read' if access in _READS else 'write'} of {size} bytes at {address:#010x}"
            if access == const.UC_MEM_WRITE_PROT:
                what += " (flash)"
        below = self._stack_bottom - self._engine.read_register(riscv_const.UC_RISCV_REG_SP)
        if below > 0:
            what = f"{_OVERFLOW}: {what}, the stack pointer is {below} B below the stack"
        self.end(self._fault(what))
        self._engine.stop()
        return False

    def _fault(self, what: str) -> Ending:
        memories = ", ".join(f"{m.name} [{m.start:#x}, {m.end:#x})" for m in self.config.memories)
        return Ending(f"{what}, {self._where()}", f"board `{self.config.board}` has {memories}")

    def _where(self) -> str:
        address = self._engine.read_register(riscv_const.UC_RISCV_REG_PC)
        caller = self._engine.read_register(riscv_const.UC_RISCV_REG_RA)
        called = f", called from {self._program.describe(caller)}" if self._program.function_at(caller) else ""
        return f"pc={address:#x} in {self._program.describe(address)}{called}"

"""Says what went wrong in the firmware: the kind of fault, the address, and the functions by name."""

from __future__ import annotations

from unicorn import arm_const
from unicorn import unicorn_const as const

from tinyedge.emulate.unicorn.config import MachineConfig
from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.strict.guard import describe
from tinyedge.emulate.unicorn.strict.preconditions import Kind, Precondition
from tinyedge.emulate.unicorn.symbols import THUMB_BIT, Program

_READS = (const.UC_MEM_READ_UNMAPPED, const.UC_MEM_READ_PROT)
_FETCHES = (const.UC_MEM_FETCH_UNMAPPED, const.UC_MEM_FETCH_PROT)
_XPSR_THUMB = 1 << 24
_STACK_SCAN_WORDS = 64
_NEAR_STACK_BYTES = 4096
_LONG_CALL = 0xF000_D000, 0xF800_D000
"""BL, and the mask of its fixed bits, first halfword high"""
_SHORT_CALL = 0x4780, 0xFF87
"""BLX of a register, and the mask of its fixed bits"""
_FETCH_FAILED = 3
EXCEPTIONS = {
    1: "UsageFault: undefined instruction",
    4: "UsageFault: misaligned or failed data access",
    17: "UsageFault: floating point instruction, but the core has no such unit",
    18: "UsageFault: jump to an even address (the Thumb bit is clear)",
    19: "UsageFault: stack limit",
    22: "UsageFault: misaligned access",
    23: "UsageFault: division by zero",
}
"""Unicorn's numbers of exceptions that end the run"""


class FaultReporter:
    """Turns what Unicorn reports into an Ending."""

    def __init__(self, engine: Engine, config: MachineConfig, program: Program, stack_bottom: int) -> None:
        self._engine, self._config, self._program = engine, config, program
        self.stack_bottom = stack_bottom

    def memory(self, access: int, address: int, size: int) -> Ending:
        """An access that the board's memories do not allow."""
        if access in _FETCHES:
            return self._no_program(address)
        verb = "read" if access in _READS else "write"
        place = f"{verb} of {size} byte{'s' if size != 1 else ''} at {address:#010x}"
        below_bottom = self.stack_bottom - address
        room = self._register(arm_const.UC_ARM_REG_SP) - self.stack_bottom
        if 0 < below_bottom <= _NEAR_STACK_BYTES and room < _NEAR_STACK_BYTES:
            return self.stack(f"{place}, {below_bottom} B below the stack")
        if access == const.UC_MEM_WRITE_PROT:
            place += " (flash)"
        return self._ending(f"BusFault: {place}, {self.where()}")

    def precondition(self, precondition: Precondition, value: int) -> Ending:
        """A precondition of an instruction that is not met; nothing but this notices."""
        if precondition.kind == Kind.STACK:
            return self.stack(
                f"`{precondition.text}` moves sp to {value:#010x}, {self.stack_bottom - value} B below the stack"
            )
        what, hint = describe(precondition, value, self._config.core, lambda _: self._usage_fault)
        return Ending(f"{what}, {self.where(precondition.address)}", hint)

    @property
    def _usage_fault(self) -> str:
        return "HardFault" if self._config.core == "cortex-m0plus" else "UsageFault"

    def stack(self, what: str) -> Ending:
        pointer = self._register(arm_const.UC_ARM_REG_SP)
        return Ending(
            f"stack overflow in the emulated firmware: {what}, sp={pointer:#x}, {self.where()}",
            "the firmware needs a larger stack, or calls itself without end",
        )

    def invalid_instruction(self) -> Ending:
        address = self._register(arm_const.UC_ARM_REG_PC)
        if not self._register(arm_const.UC_ARM_REG_XPSR) & _XPSR_THUMB:
            called = self._caller(address, self._register(arm_const.UC_ARM_REG_LR))
            return self._ending(f"UsageFault: jump to the even address {address:#x} (the Thumb bit is clear){called}")
        code = self._engine.peek(address, 4) or self._engine.peek(address, 2)
        return self._ending(f"UsageFault: undefined instruction {code.hex()}, {self.where()}")

    def _no_program(self, address: int) -> Ending:
        called = self._caller(address, self._register(arm_const.UC_ARM_REG_LR))
        return self._ending(f"BusFault: jump to {address:#010x}, where there is no program{called}")

    def exception(self, number: int) -> Ending:
        if number == _FETCH_FAILED:  # of registers, which nobody can execute
            return self._no_program(self._register(arm_const.UC_ARM_REG_PC))
        return self._ending(f"{EXCEPTIONS.get(number, f'exception {number} of Unicorn')}, {self.where()}")

    def other(self, what: str) -> Ending:
        return self._ending(f"{what}, {self.where()}")

    def where(self, at: int | None = None) -> str:
        """`pc=0x9e4 in main+0x1c0, called from start+0x12`; `at` is for when execution went on already"""
        address = self._register(arm_const.UC_ARM_REG_PC) if at is None else at
        called = self._caller(address, self._register(arm_const.UC_ARM_REG_LR))
        return f"pc={address:#x} in {self._program.describe(address)}{called}"

    def _ending(self, what: str) -> Ending:
        memories = ", ".join(f"{m.name} [{m.start:#x}, {m.end:#x})" for m in self._config.memories)
        return Ending(what, f"board `{self._config.board}` has {memories}")

    def _caller(self, address: int, link: int) -> str:
        """Where the call came from: the link register, or, once it was reused, the nearest return address stacked."""
        current = self._program.function_at(address)
        for word in (link, *self._stack_words()):
            if not self._returns_from_call(word):
                continue
            caller = self._program.function_at(word & ~THUMB_BIT)
            if caller is not None and caller != current:
                return f", called from {self._program.describe(word & ~THUMB_BIT)}"
        return ""

    def _stack_words(self) -> list[int]:
        pointer = self._register(arm_const.UC_ARM_REG_SP)
        words = []
        for index in range(_STACK_SCAN_WORDS):
            data = self._engine.peek(pointer + 4 * index, 4)
            if not data:
                break
            words.append(int.from_bytes(data, "little"))
        return words

    def _returns_from_call(self, word: int) -> bool:
        """The word is an address right behind a BL or BLX."""
        if not word & THUMB_BIT:
            return False
        code = self._engine.peek((word & ~THUMB_BIT) - 4, 4)
        if not code:
            return False
        high, low = int.from_bytes(code[:2], "little"), int.from_bytes(code[2:], "little")
        return (high << 16 | low) & _LONG_CALL[1] == _LONG_CALL[0] or low & _SHORT_CALL[1] == _SHORT_CALL[0]

    def _register(self, number: int) -> int:
        return self._engine.read_register(number)

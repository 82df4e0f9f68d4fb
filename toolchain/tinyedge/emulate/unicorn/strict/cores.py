"""The guard of each core."""

from __future__ import annotations

from unicorn import arm_const, riscv_const

from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.strict.guard import Guard
from tinyedge.emulate.unicorn.strict.riscv import RiscvRules
from tinyedge.emulate.unicorn.strict.thumb import ThumbRules

_ARM_REGISTERS = (
    *range(arm_const.UC_ARM_REG_R0, arm_const.UC_ARM_REG_R0 + 13),
    arm_const.UC_ARM_REG_SP,
    arm_const.UC_ARM_REG_LR,
    arm_const.UC_ARM_REG_PC,
)
_RISCV_REGISTERS = tuple(range(riscv_const.UC_RISCV_REG_X0, riscv_const.UC_RISCV_REG_X0 + 32))


def make_guard(engine: Engine, core: str, family: str, stack_bottom: int, flash: tuple[int, int]) -> Guard:
    """For a chip of `family` with `core`; `flash` is its (start, end), where constants stay what they are."""
    if core.startswith("rv32"):
        return Guard(engine, RiscvRules(core, family, stack_bottom), _RISCV_REGISTERS)

    def constant_at(address: int) -> int | None:
        word = engine.peek(address, 4) if flash[0] <= address <= flash[1] - 4 else b""
        return int.from_bytes(word, "little") if word else None

    return Guard(engine, ThumbRules(core, stack_bottom, constant_at), _ARM_REGISTERS)

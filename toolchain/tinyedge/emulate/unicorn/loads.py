"""Loads of a basic block, their addresses told from registers, so that native code counts them without hooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from capstone import arm

from tinyedge.emulate.cycles.thumb import words_transferred
from tinyedge.emulate.unicorn.strict.preconditions import TERMS_MAX, Value
from tinyedge.emulate.unicorn.strict.thumb import NUMBERS, SP, ThumbRules, Values, access_address, is_conditional
from tinyedge.timing.instruction import FLOAT_SINGLE, LOADS, MULTIPLE

ALWAYS = 14
"""Arm's number of the condition that holds always"""
_BYTES, _HALFWORDS = (
    ("ldrb", "ldrsb", "ldrbt", "ldrsbt", "ldrexb", "ldab"),
    ("ldrh", "ldrsh", "ldrht", "ldrsht", "ldah"),
)
_DIRECT_BRANCHES = frozenset(("b", "bl", "cbz", "cbnz"))
"""behind other ends of blocks an exception may have changed registers"""
_TABLES = {"tbb": 1, "tbh": 2}
_SEVERAL = frozenset(name for name in MULTIPLE | FLOAT_SINGLE if name.startswith(("ldm", "ldrd", "vld")))
"""POP and VPOP read the stack, which is never in flash"""


@dataclass(frozen=True)
class Load:
    """One load: `count` reads of `width_bytes`, one behind the other."""

    address: Value
    """of the registers in front of the first instruction of its group"""
    width_bytes: int
    count: int
    condition: int = ALWAYS


@dataclass
class LoadGroup:
    """Loads whose addresses the registers tell, in front of the instruction at `address` or behind its block."""

    address: int
    loads: list[Load] = field(default_factory=list)
    is_behind: bool = False
    """the registers behind the block tell the addresses: no need to stop at the instruction"""

    @property
    def registers(self) -> int:
        """Bit for bit those that are needed."""
        return sum({1 << number for load in self.loads for number, _ in load.address.terms})


class LoadFinder:
    """Finds the loads of blocks that may read flash."""

    def __init__(self, rules: ThumbRules, flash: tuple[int, int]) -> None:
        self._rules, self._flash = rules, flash

    def groups(self, code: bytes, address: int) -> list[LoadGroup]:
        """Loads in the order of execution. A group that is not at `address` has to be looked at when its instruction is
        reached, as an address comes from memory or the load may be skipped, or behind the block."""
        group, values = LoadGroup(address), _registers()
        found = [(group, values)]
        raw, name = None, ""
        for raw in self._rules.instructions(code, address):
            name = raw.insn_name() if raw.id else ""
            reads = _reads(raw, name)
            if reads:
                skipped = is_conditional(raw, name)
                where = _address(raw, name, values)
                if where is None or len(where.terms) > TERMS_MAX or (skipped and raw.address != group.address):
                    group, values = LoadGroup(raw.address), _registers()
                    where = _address(raw, name, values)
                    found.append((group, values))
                if where is not None and self._may_be_flash(where):
                    condition = raw.cc - arm.ARM_CC_EQ if skipped else ALWAYS
                    group.loads.append(Load(where, *reads, condition))
            for _, followed in found:
                self._rules.advance(raw, followed)
        groups = [each for each in found if each[0].loads]
        if raw is not None and name in _DIRECT_BRANCHES:
            _move_behind([each for each in groups if each[0].address != address])
        return [each for each, _ in groups]

    def _may_be_flash(self, where: Value) -> bool:
        if not where.terms:
            return self._flash[0] <= where.constant < self._flash[1]
        return where.terms != ((SP, 1),)


def _move_behind(groups: list[tuple[LoadGroup, Values]]) -> None:
    """Tell the loads of the last groups from the registers behind the block, as far as these do."""
    for group, values in reversed(groups):
        kept = {
            value.terms[0][0]: Value(((number, 1),), -value.constant & 0xFFFF_FFFF)
            for number, value in enumerate(values)
            if value is not None and len(value.terms) == 1 and value.terms[0][1] == 1
        }
        moved = [_substituted(load, kept) for load in group.loads]
        if not all(moved):
            return
        group.loads[:] = [load for load in moved if load is not None]
        group.is_behind = True


def _substituted(load: Load, kept: Mapping[int, Value]) -> Load | None:
    """The load by other registers; None where `kept` lacks one, or the load may be skipped."""
    if load.condition != ALWAYS or not all(number in kept for number, _ in load.address.terms):
        return None
    address = Value.of(load.address.constant)
    for number, factor in load.address.terms:
        address = address.plus(kept[number].times(factor))
    return replace(load, address=address)


def _registers() -> Values:
    return [Value.register(number) for number in range(16)]


def _reads(raw: Any, name: str) -> tuple[int, int] | None:
    """(bytes of each, number) of the reads of an instruction; None when it reads nothing but the stack."""
    if name in _SEVERAL:
        return 4, words_transferred(raw, name)
    if name in _TABLES:
        return _TABLES[name], 1
    if name not in LOADS:
        return None
    return (1 if name in _BYTES else 2 if name in _HALFWORDS else 4), 1


def _address(raw: Any, name: str, values: Values) -> Value | None:
    if name in _TABLES:  # it lies right behind the instruction, or where a register says
        memory = raw.operands[0].mem
        index = values[NUMBERS[memory.index]]
        base = Value.of(raw.address + 4) if memory.base == arm.ARM_REG_PC else values[NUMBERS[memory.base]]
        return None if index is None or base is None else base.plus(index.times(_TABLES[name]))
    where = access_address(raw, values)
    if where is not None and name.startswith(("ldmdb", "vldmdb")):
        return where.plus_constant(-4 * words_transferred(raw, name))
    return where

"""Holds a machine to what silicon requires: asked once a block, it names the instruction when something is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.strict.preconditions import Condition, Kind, Precondition, conditions, is_met


class Rules(Protocol):
    """The preconditions of a core's instructions."""

    stack_pointer: int
    """number of a register that is a multiple of 4 always"""

    def of_block(self, code: bytes, address: int) -> list[Precondition]:
        """In the order of execution."""
        ...

    def of_instruction(self, code: bytes, address: int) -> list[Precondition]:
        """Of the first instruction, with those that Unicorn sees to."""
        ...


class Guard:
    """The preconditions of the program's blocks.

    Nearly all of them can be told from the registers at the start of the block: conditions for the counting hook,
    which stops in front of a block that would break one. The others are watched at their instruction.
    """

    def __init__(self, engine: Engine, rules: Rules, registers: Sequence[int]) -> None:
        """`registers`: Unicorn's number of each"""
        self._engine, self._rules, self._aligned = engine, rules, (rules.stack_pointer,)
        self.registers = registers
        self.float_on = False
        self.fresh: dict[int, tuple[Condition, ...]] = {}
        """instructions to be watched from now on, and their conditions"""
        self._watched: dict[int, list[Precondition]] = {}

    def conditions(self, code: bytes, address: int) -> tuple[Condition, ...]:
        """Of a block that is executed for the first time; `fresh` has those of its instructions to be watched."""
        told: list[Precondition] = []
        for precondition in self._rules.of_block(code, address):
            if not precondition.is_watched:
                told.append(precondition)
            elif precondition.address not in self._watched or precondition not in self._watched[precondition.address]:
                self._watched.setdefault(precondition.address, []).append(precondition)
                pairs = ((each, each.here) for each in self._watched[precondition.address])
                if wanted := conditions(pairs, self._aligned):
                    self.fresh[precondition.address] = wanted
        return conditions(((each, each.at_start) for each in told if each.at_start is not None), self._aligned)

    def broken(self, address: int, size: int) -> Precondition | None:
        """The first precondition of the block there that the registers at its start do not meet."""
        for precondition in self._rules.of_block(self._engine.read_memory(address, size), address):
            if precondition.at_start is None or precondition.is_watched:
                continue
            if not precondition.is_met(precondition.at_start.evaluate(self.read), self.float_on):
                return precondition
        return None

    def broken_here(self, address: int) -> Precondition | None:
        """The precondition of a watched instruction that the registers in front of it do not meet."""
        preconditions = self._watched.get(address, [])
        unmet = (
            precondition
            for precondition in preconditions
            if not precondition.is_met(precondition.here.evaluate(self.read), self.float_on)
        )
        return next(
            unmet, preconditions[0] if preconditions else None
        )  # behind an IT block the registers may be others already

    def misaligned(self, address: int) -> Precondition | None:
        """The alignment that the instruction there requires, which Unicorn itself has seen broken."""
        code = self._engine.peek(address, 4) or self._engine.peek(address, 2)
        found = self._rules.of_instruction(code, address)
        return next((precondition for precondition in found if precondition.kind == Kind.ALIGNMENT), None)

    @property
    def rules(self) -> Rules:
        return self._rules

    def holds(self, wanted: Condition) -> bool:
        """A condition is met by the registers as they are now: what native/counter.c does."""
        return is_met(wanted.kind, wanted.bound, wanted.value.evaluate(self.read), self.float_on)

    def read(self, number: int) -> int:
        return self._engine.read_register(self.registers[number])


def describe(
    precondition: Precondition, value: int, core: str, fault: Callable[[Precondition], str]
) -> tuple[str, str]:
    """What is broken, without the place, and a hint. `fault` names what silicon raises."""
    what = f"{fault(precondition)}: `{precondition.text}`"
    if precondition.kind == Kind.ALIGNMENT:
        verb = "writes" if precondition.writes else "reads"
        return (
            f"{what} {verb} at {value:#010x}, which is no multiple of {precondition.bound}",
            "align the data, or read and write it by `memcpy`: silicon faults here too",
        )
    if precondition.kind == Kind.FLOAT:
        return (
            f"{what} while the floating point unit is off (CPACR)",
            "set CP10 and CP11 of CPACR before, then DSB and ISB: silicon faults here too",
        )
    return f"{what} is no instruction of {core}", f"compile and assemble for {core}"

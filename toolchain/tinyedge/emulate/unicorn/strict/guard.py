"""Holds a machine to what silicon demands: asked once a block, it names the instruction when something is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.strict.demands import Condition, Demand, Kind, conditions, is_met


class Demander(Protocol):
    """The demands of a core's instructions."""

    stack_pointer: int
    """number of a register that is a multiple of 4 always"""

    def of_block(self, code: bytes, address: int) -> list[Demand]:
        """In the order of execution."""
        ...

    def of_instruction(self, code: bytes, address: int) -> list[Demand]:
        """Of the first instruction, with those that Unicorn sees to."""
        ...


class Guard:
    """The demands of the program's blocks.

    Nearly all of them can be told from the registers at the start of the block: conditions for the counting hook,
    which stops in front of a block that would break one. The others are watched at their instruction.
    """

    def __init__(self, engine: Engine, demander: Demander, registers: Sequence[int]) -> None:
        """`registers`: Unicorn's number of each"""
        self._engine, self._demander, self._aligned = engine, demander, (demander.stack_pointer,)
        self.registers = registers
        self.float_on = False
        self.fresh: dict[int, tuple[Condition, ...]] = {}
        """instructions to be watched from now on, and their conditions"""
        self._watched: dict[int, list[Demand]] = {}

    def conditions(self, code: bytes, address: int) -> tuple[Condition, ...]:
        """Of a block that is executed for the first time; `fresh` has those of its instructions to be watched."""
        told: list[Demand] = []
        for demand in self._demander.of_block(code, address):
            if not demand.is_watched:
                told.append(demand)
            elif demand.address not in self._watched or demand not in self._watched[demand.address]:
                self._watched.setdefault(demand.address, []).append(demand)
                pairs = ((each, each.here) for each in self._watched[demand.address])
                if wanted := conditions(pairs, self._aligned):
                    self.fresh[demand.address] = wanted
        return conditions(((each, each.at_start) for each in told if each.at_start is not None), self._aligned)

    def broken(self, address: int, size: int) -> Demand | None:
        """The first demand of the block there that the registers at its start do not meet."""
        for demand in self._demander.of_block(self._engine.read_memory(address, size), address):
            if demand.at_start is None or demand.is_watched:
                continue
            if not demand.is_met(demand.at_start.evaluate(self.read), self.float_on):
                return demand
        return None

    def broken_here(self, address: int) -> Demand | None:
        """The demand of a watched instruction that the registers in front of it do not meet."""
        demands = self._watched.get(address, [])
        unmet = (demand for demand in demands if not demand.is_met(demand.here.evaluate(self.read), self.float_on))
        return next(unmet, demands[0] if demands else None)  # behind an IT block the registers may be others already

    def misaligned(self, address: int) -> Demand | None:
        """The alignment that the instruction there demands, which Unicorn itself has seen broken."""
        code = self._engine.peek(address, 4) or self._engine.peek(address, 2)
        found = self._demander.of_instruction(code, address)
        return next((demand for demand in found if demand.kind == Kind.ALIGNMENT), None)

    def holds(self, wanted: Condition) -> bool:
        """A condition is met by the registers as they are now: what native/counter.c does."""
        return is_met(wanted.kind, wanted.bound, wanted.value.evaluate(self.read), self.float_on)

    def read(self, number: int) -> int:
        return self._engine.read_register(self.registers[number])


def describe(demand: Demand, value: int, core: str, fault: Callable[[Demand], str]) -> tuple[str, str]:
    """What is broken, without the place, and a hint. `fault` names what silicon raises."""
    what = f"{fault(demand)}: `{demand.text}`"
    if demand.kind == Kind.ALIGNMENT:
        verb = "writes" if demand.writes else "reads"
        return (
            f"{what} {verb} at {value:#010x}, which is no multiple of {demand.bound}",
            "align the data, or read and write it by `memcpy`: silicon faults here too",
        )
    if demand.kind == Kind.FLOAT:
        return (
            f"{what} while the floating point unit is off (CPACR)",
            "set CP10 and CP11 of CPACR before, then DSB and ISB: silicon faults here too",
        )
    return f"{what} is no instruction of {core}", f"compile and assemble for {core}"

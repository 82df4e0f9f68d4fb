"""Counts instructions and cycles block by block: natively, or, where the helper is missing, in Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

from unicorn import unicorn_const as const

from tinyedge.boards import Memory
from tinyedge.emulate.cycles.contract import TimingModel
from tinyedge.emulate.memories.cache import FlashPath, MemoryEvents
from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.memory_counting import NativeFlashPath, follow_reads
from tinyedge.emulate.unicorn.native_library import RESOLVE, ConditionEntry, address_of
from tinyedge.emulate.unicorn.strict.guard import Guard
from tinyedge.emulate.unicorn.strict.preconditions import Condition
from tinyedge.timing.thumb import BlockCost

NEVER = (1 << 64) - 1
"""a deadline that is not met"""
WATCHED_SIZE_BYTES = 1
"""`suspect_size` of an instruction that is watched"""


class Counter(Protocol):
    """Counts since reset, and a deadline: the engine stops before the first block at or behind it."""

    native: bool
    instructions: int
    cycles: int
    """modelled; time asleep included"""
    deadline: int
    stopped: int
    """1 after the deadline was met, or for `watch`; whoever sees it sets it back"""
    suspect: int
    suspect_size: int
    """not 0 in front of a block of that size at `suspect`, or an instruction, that breaks a precondition of silicon"""
    unchecked: int
    """1: preconditions do not matter any more"""
    failure: BaseException | None
    """what went wrong while a block was costed"""

    @property
    def events(self) -> MemoryEvents:
        """What was read from flash; nothing where it has no caches that are modelled."""
        ...

    def watch(self) -> None:
        """Watch instructions that the guard found since; the engine does not run."""
        ...

    def leave_reads_out(self) -> None:
        """Follow reads of flash no longer, which is faster: cycles lack their stalls. The engine does not run."""
        ...

    def set_float(self, on: bool) -> None: ...


def _field(name: str) -> Any:
    def read(self: NativeCounter) -> int:
        return int(getattr(self._state, name))

    def write(self: NativeCounter, value: int) -> None:
        setattr(self._state, name, value)

    return property(read, write)


class NativeCounter:
    """The block hook of native/counter.c: some 400 million instructions a second."""

    native = True
    instructions = _field("instructions")
    cycles = _field("cycles")
    deadline = _field("deadline")
    stopped = _field("stopped")
    suspect = _field("suspect")
    suspect_size = _field("suspect_size")
    unchecked = _field("unchecked")

    def __init__(
        self,
        engine: Engine,
        model: TimingModel,
        guard: Guard,
        memories: tuple[Memory, ...],
        library: Any,
        path: NativeFlashPath | None = None,
    ) -> None:
        """`library` is what load_native gave. Without `path`, reads of flash are not counted.

        Raises: MemoryError, OSError when Unicorn refuses the hook
        """
        self.failure: BaseException | None = None
        self._engine, self._model, self._guard, self._library = engine, model, guard, library
        self._resolve = RESOLVE(self._cost_block)  # kept alive for as long as the hook may call it
        pointer = library.te_counter_new(self._resolve, engine.native_stop(), engine.native_read_register())
        if not pointer:
            raise MemoryError
        for memory in memories:
            if library.te_counter_add_region(pointer, memory.start, memory.size_bytes) != 0:
                raise MemoryError
        self._pointer, self._state = pointer, pointer.contents
        self._path = path
        self._load_hooks: list[int] = []
        if path is not None:
            path.count_for(pointer)
        engine.add_native_block_hook(address_of(library.te_block_hook), address_of(pointer))

    def _cost_block(self, address: int, size: int, cost: Any) -> None:
        try:
            code = self._engine.read_memory(address, size)
            block = self._model.block(code, address)
            conditions = self._add_conditions(self._guard.conditions(code, address))
            loads = self._path.add_loads(code, address) if self._path is not None else 0
        except BaseException as error:  # an exception cannot cross the C code that called
            self.failure = error
            return
        entry = cost.contents
        entry.instructions, entry.cycles, entry.taken_cycles = block.instructions, block.cycles, block.taken_cycles
        entry.conditions, entry.loads = conditions, loads
        self._state.again = bool(self._guard.fresh or (self._path is not None and self._path.fresh))

    @property
    def events(self) -> MemoryEvents:
        return MemoryEvents() if self._path is None else self._path.events

    def _add_conditions(self, wanted: tuple[Condition, ...]) -> int:
        """The number of the first, 0 when there are none. Raises: MemoryError"""
        if not wanted:
            return 0
        entries = (ConditionEntry * len(wanted))()
        for entry, each in zip(entries, wanted, strict=True):
            entry.kind, entry.bound, entry.constant = each.kind, each.bound, each.value.constant
            entry.term_count = len(each.value.terms)
            for term, (number, factor) in zip(entry.terms, each.value.terms, strict=False):
                term.id, term.factor = self._guard.registers[number], factor
        entries[-1].last = 1
        first = int(self._library.te_counter_add_conditions(self._pointer, entries, len(wanted)))
        if not first:
            raise MemoryError
        return first

    def watch(self) -> None:
        for address, wanted in self._guard.fresh.items():
            self._library.te_counter_watch(self._pointer, address, self._add_conditions(wanted))
            hook, user = address_of(self._library.te_watch_hook), address_of(self._pointer)
            self._engine.add_native_instruction_hook(address, hook, user)
        reached = self._path.fresh if self._path is not None else []
        for address in reached:
            hook, user = address_of(self._library.te_loads_hook), address_of(self._pointer)
            self._load_hooks.append(self._engine.add_native_instruction_hook(address, hook, user))
        if self._guard.fresh or reached:
            self._guard.fresh.clear()
            reached.clear()
            self._engine.forget_translations()

    def leave_reads_out(self) -> None:
        if self._path is None:
            return
        self._library.te_counter_set_memory(self._pointer, None)
        self._path = None
        for handle in self._load_hooks:
            self._engine.remove_native_hook(handle)
        self._load_hooks.clear()
        self._engine.forget_translations()

    def set_float(self, on: bool) -> None:
        self._state.float_on = self._guard.float_on = on


class PythonCounter:
    """The same in Python: some 10 million instructions a second."""

    native = False

    def __init__(self, engine: Engine, model: TimingModel, guard: Guard, path: FlashPath | None = None) -> None:
        self._engine, self._guard, self._path = engine, guard, path
        self.instructions = 0
        self.cycles = 0
        self.deadline = NEVER
        self.stopped = 0
        self.suspect = self.suspect_size = self.unchecked = 0
        self.failure: BaseException | None = None
        engine.add_hook(const.UC_HOOK_BLOCK, self._make_hook(engine, model))
        if path is not None:
            follow_reads(engine, self._load)

    @property
    def events(self) -> MemoryEvents:
        return MemoryEvents() if self._path is None else dataclasses.replace(self._path.events)

    def _load(self, address: int, size: int) -> None:
        if self._path is not None:
            self.cycles += self._path.load(address, size)

    def watch(self) -> None:
        for address, wanted in self._guard.fresh.items():
            self._engine.add_instruction_hook(address, self._make_watch(wanted))
        if self._guard.fresh:
            self._guard.fresh.clear()
            self._engine.forget_translations()

    def _make_watch(self, wanted: tuple[Condition, ...]) -> Callable[[Any, int, int, Any], None]:
        return lambda _, address, __, ___: self._check(wanted, address, WATCHED_SIZE_BYTES)

    def leave_reads_out(self) -> None:
        self._path = None

    def set_float(self, on: bool) -> None:
        self._guard.float_on = on

    def _check(self, wanted: tuple[Condition, ...], address: int, size: int) -> None:
        if not self.unchecked and not all(map(self._guard.holds, wanted)):
            self.suspect, self.suspect_size = address, size
            self._engine.stop()

    def _make_hook(self, engine: Engine, model: TimingModel) -> Callable[[Any, int, int, Any], None]:
        costs: dict[tuple[int, int], tuple[BlockCost, tuple[Condition, ...]]] = {}
        block_end = 0
        taken_cycles = 0

        def hook(_: Any, address: int, size: int, __: Any) -> None:
            nonlocal block_end, taken_cycles
            if self.cycles >= self.deadline:
                self.deadline = NEVER
                self.stopped = 1
                engine.stop()
                return
            known = costs.get((address, size))
            if known is None:
                code = engine.read_memory(address, size)
                known = costs[address, size] = model.block(code, address), self._guard.conditions(code, address)
                if self._guard.fresh:
                    self.stopped = 1
                    engine.stop()
                    return
            cost, wanted = known
            if wanted:
                self._check(wanted, address, size)
                if self.suspect_size:
                    return
            self.instructions += cost.instructions
            self.cycles += cost.cycles + (taken_cycles if address != block_end else 0)
            block_end = address + size
            taken_cycles = cost.taken_cycles
            if self._path is not None:
                self.cycles += self._path.fetch(address, size)

        return hook

"""Counts instructions and cycles block by block: natively, or, where the helper is missing, in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from unicorn import unicorn_const as const

from tinyedge.boards import Memory
from tinyedge.emulate.cycles.contract import BlockCost, TimingModel
from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.native_library import RESOLVE, address_of

NEVER = (1 << 64) - 1
"""a deadline that is not met"""


class Counter(Protocol):
    """Counts since reset, and a deadline: the engine stops before the first block at or behind it."""

    native: bool
    instructions: int
    cycles: int
    """modelled; time asleep included"""
    deadline: int
    stopped: int
    """1 after the deadline was met; whoever sees it sets it back"""
    failure: BaseException | None
    """what went wrong while a block was costed"""


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

    def __init__(self, engine: Engine, model: TimingModel, memories: tuple[Memory, ...], library: Any) -> None:
        """`library` is what load_native gave. Raises: MemoryError, OSError when Unicorn refuses the hook"""
        self.failure: BaseException | None = None
        self._engine, self._model = engine, model
        self._resolve = RESOLVE(self._cost_block)  # kept alive for as long as the hook may call it
        pointer = library.te_counter_new(self._resolve, engine.native_stop())
        if not pointer:
            raise MemoryError
        for memory in memories:
            if library.te_counter_add_region(pointer, memory.start, memory.size_bytes) != 0:
                raise MemoryError
        self._state = pointer.contents
        engine.add_native_block_hook(address_of(library.te_block_hook), address_of(pointer))

    def _cost_block(self, address: int, size: int, cost: Any) -> None:
        try:
            block = self._model.block(self._engine.read_memory(address, size), address)
        except BaseException as error:  # an exception cannot cross the C code that called
            self.failure = error
            return
        entry = cost.contents
        entry.instructions, entry.cycles, entry.taken_cycles = block.instructions, block.cycles, block.taken_cycles


class PythonCounter:
    """The same in Python: some 10 million instructions a second."""

    native = False

    def __init__(self, engine: Engine, model: TimingModel) -> None:
        self.instructions = 0
        self.cycles = 0
        self.deadline = NEVER
        self.stopped = 0
        self.failure: BaseException | None = None
        engine.add_hook(const.UC_HOOK_BLOCK, self._make_hook(engine, model))

    def _make_hook(self, engine: Engine, model: TimingModel) -> Callable[[Any, int, int, Any], None]:
        costs: dict[tuple[int, int], BlockCost] = {}
        block_end = 0
        taken_cycles = 0

        def hook(_: Any, address: int, size: int, __: Any) -> None:
            nonlocal block_end, taken_cycles
            if self.cycles >= self.deadline:
                self.deadline = NEVER
                self.stopped = 1
                engine.stop()
                return
            cost = costs.get((address, size))
            if cost is None:
                cost = costs[address, size] = model.block(engine.read_memory(address, size), address)
            self.instructions += cost.instructions
            self.cycles += cost.cycles + (taken_cycles if address != block_end else 0)
            block_end = address + size
            taken_cycles = cost.taken_cycles

        return hook

"""Counts reads of flash: natively by the registers of each block, or, where the helper is missing, read by read."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

from unicorn import arm_const
from unicorn import unicorn_const as const

from tinyedge.chip import Cache
from tinyedge.emulate.memories.cache import MemoryEvents
from tinyedge.emulate.unicorn.config import MachineConfig
from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.loads import LoadFinder, LoadGroup
from tinyedge.emulate.unicorn.native_library import LoadEntry, LoadGroupEntry
from tinyedge.emulate.unicorn.strict.guard import Guard
from tinyedge.emulate.unicorn.strict.thumb import ThumbRules

_CODE, _DATA = 1, 2
_KINDS = {"code": _CODE, "data": _DATA, "shared": _CODE | _DATA}
_IT_STATE = 0x0600_FC00
"""bits of XPSR"""


class NativeFlashPath:
    """The way to flash of native/memory.c."""

    def __init__(
        self, config: MachineConfig, engine: Engine, guard: Guard, flash: tuple[int, int], library: Any
    ) -> None:
        """`library` is what load_native gave. Raises: MemoryError"""
        assert isinstance(guard.rules, ThumbRules)
        self._library, self._finder = library, LoadFinder(guard.rules, flash)
        self.fresh: list[int] = []
        """instructions whose loads are to be looked at when they are reached, from now on"""
        self._reached: set[int] = set()
        registers = (ctypes.c_uint32 * len(guard.registers))(*guard.registers)
        self._path = library.te_memory_new(
            flash[0], flash[1] - flash[0], registers, arm_const.UC_ARM_REG_APSR, engine.native_read_register()
        )
        if not self._path:
            raise MemoryError
        for name, cache in config.caches.items():
            self._add_cache(_KINDS[name], cache)
        library.te_memory_set_stalls(self._path, config.code_stall, config.data_stall)
        self._events = library.te_memory_events(self._path).contents

    def _add_cache(self, kinds: int, cache: Cache) -> None:
        shape = (cache.lines, cache.ways, cache.line_bytes, cache.fetched_bytes)
        if self._library.te_memory_add_cache(self._path, kinds, *shape) != 0:
            raise MemoryError

    def count_for(self, counter: Any) -> None:
        """From now on the cycles of `counter`, of te_counter_new, have the stalls in them."""
        self._library.te_counter_set_memory(counter, self._path)

    @property
    def events(self) -> MemoryEvents:
        events = self._events
        return MemoryEvents(
            code_misses=events.code_misses,
            data_misses=events.data_misses,
            code_lines=events.code_lines,
            stall_cycles=events.stall_cycles,
        )

    def add_loads(self, code: bytes, address: int) -> int:
        """The number of a block's first group of loads, 0 when it has none. Raises: MemoryError"""
        groups = self._finder.groups(code, address)
        if not groups:
            return 0
        for group in groups:
            if group.address != address and not group.is_behind and group.address not in self._reached:
                self._reached.add(group.address)
                self.fresh.append(group.address)
        first = int(self._library.te_memory_add_groups(self._path, *_entries(groups)))
        if not first:
            raise MemoryError
        return first


def _entries(groups: list[LoadGroup]) -> tuple[Any, int, Any, int]:
    loads = [load for group in groups for load in group.loads]
    of_groups, of_loads = (LoadGroupEntry * len(groups))(), (LoadEntry * len(loads))()
    first = 0
    for entry, group in zip(of_groups, groups, strict=True):
        entry.address, entry.registers = group.address, group.registers
        entry.first, entry.count, entry.behind = first, len(group.loads), group.is_behind
        first += len(group.loads)
    of_groups[-1].last = 1
    for each, load in zip(of_loads, loads, strict=True):
        each.constant, each.term_count = load.address.constant, len(load.address.terms)
        for term, (number, factor) in zip(each.terms, load.address.terms, strict=False):
            term.id, term.factor = number, factor
        each.width, each.count, each.condition = load.width_bytes, load.count, load.condition
    return of_groups, len(groups), of_loads, len(loads)


def follow_reads(engine: Engine, read: Callable[[int, int], None]) -> None:
    """Call `read(address, size)` for each load that is done.

    Unicorn leaves the state of an IT block behind a hook of a load in it, and decodes what follows wrongly: it is
    taken away.
    """

    def hook(_: Any, __: int, address: int, size: int, ___: int, ____: Any) -> None:
        status = engine.read_register(arm_const.UC_ARM_REG_XPSR)
        if status & _IT_STATE:
            engine.write_register(arm_const.UC_ARM_REG_XPSR, status & ~_IT_STATE)
        read(address, size)

    engine.add_hook(const.UC_HOOK_MEM_READ, hook)

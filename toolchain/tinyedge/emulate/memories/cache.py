"""Caches in front of flash, as native/memory.c of the embedded emulator has them; for counting without it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from tinyedge.chip import Cache


class CacheModel:
    """A cache whose line used longest ago is replaced, read sector by sector.

    >>> cache = CacheModel(Cache(size_bytes=64, ways=2, line_bytes=32, sector_bytes=8))
    >>> [cache.misses(0, 4), cache.misses(4, 8), cache.misses(8, 24), cache.misses(0, 32), cache.misses(96, 97)]
    [1, 0, 2, 1, 1]
    """

    def __init__(self, cache: Cache) -> None:
        self._line, self._sector, self._ways = cache.line_bytes, cache.fetched_bytes, cache.ways
        self._sets: list[OrderedDict[int, set[int]]] = [OrderedDict() for _ in range(cache.lines // cache.ways)]

    def misses(self, start: int, end: int) -> int:
        """Sectors that bytes [start, end) of flash read."""
        count = 0
        for line in range(start // self._line, (end - 1) // self._line + 1):
            held = self._sets[line % len(self._sets)]
            if line not in held and len(held) == self._ways:
                held.popitem(last=False)
            sectors = held.setdefault(line, set())
            held.move_to_end(line)
            first, last = max(start, line * self._line), min(end, (line + 1) * self._line) - 1
            wanted = set(range(first // self._sector, last // self._sector + 1))
            count += len(wanted - sectors)
            sectors |= wanted
        return count


@dataclass(kw_only=True)
class MemoryEvents:
    """What was read from flash since reset."""

    code_misses: int = 0
    """sectors read into the cache of code, or into one that code and data share"""
    data_misses: int = 0
    """sectors read into the cache of data; without one, loads from flash"""
    code_lines: int = 0
    """sectors of code that would be fetched without a cache"""
    stall_cycles: int = 0
    """cycles that the core waited for all that"""


class FlashPath:
    """A board's way to its flash: counts what blocks fetch and loads read, and the cycles of both.

    Without calibration (`code_stall`, `data_stall`: cycles for 256 misses each) nothing takes time.
    """

    def __init__(
        self, flash: tuple[int, int], caches: Mapping[str, Cache], code_stall: int = 0, data_stall: int = 0
    ) -> None:
        self._start, self._end = flash
        made = {name: CacheModel(cache) for name, cache in caches.items()}
        self._code = made.get("code") or made["shared"]
        self._data = made.get("data") or made.get("shared")
        self._sector = (caches.get("code") or caches["shared"]).fetched_bytes
        self._stalls = code_stall, data_stall
        self._last_sector = -1
        self._fraction = 0
        self.events = MemoryEvents()

    def fetch(self, address: int, size: int) -> int:
        """A basic block is executed. Returns the cycles of its misses."""
        if not self._start <= address < self._end:
            self._last_sector = -1
            return 0
        begin, end = address - self._start, address - self._start + size
        first, last = begin // self._sector, (end - 1) // self._sector
        if first == self._last_sector:  # the core holds what it fetched last
            first += 1
            begin = first * self._sector
        self._last_sector = last
        if first > last:
            return 0
        self.events.code_lines += last - first + 1
        misses = self._code.misses(begin, end)
        self.events.code_misses += misses
        return self._stall(self._stalls[0], misses)

    def load(self, address: int, size: int) -> int:
        """One load. Returns the cycles of its misses."""
        if not self._start <= address < self._end:
            return 0
        offset = address - self._start
        misses = self._data.misses(offset, offset + size) if self._data is not None else 1
        self.events.data_misses += misses
        return self._stall(self._stalls[1], misses)

    def _stall(self, cycles_of_256: int, misses: int) -> int:
        cycles, self._fraction = divmod(cycles_of_256 * misses + self._fraction, 256)
        self.events.stall_cycles += cycles
        return cycles

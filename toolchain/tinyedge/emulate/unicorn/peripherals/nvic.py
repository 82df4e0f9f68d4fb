"""The interrupt controller: which exception is due, and which are active."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tinyedge.emulate.unicorn.peripherals.page import RegisterPage

HARD_FAULT, SV_CALL, PEND_SV, SYS_TICK, FIRST_INTERRUPT = 3, 11, 14, 15, 16
INTERRUPTS = 240
THREAD_PRIORITY = 256
"""of code outside all handlers: below every exception"""
_FIXED_PRIORITIES = {1: -3, 2: -2, HARD_FAULT: -1}
_BITS = 32
_ISER, _ICER, _ISPR, _ICPR, _IABR, _IPR = 0x100, 0x180, 0x200, 0x280, 0x300, 0x400
_SHPR1, _ICSR, _AIRCR = 0xD18, 0xD04, 0xD0C
_STIR = 0xF00
_PRIGROUP_SHIFT, _PRIGROUP_MASK = 8, 7


@dataclass(frozen=True)
class Masks:
    """The registers that hold exceptions off."""

    primask: int
    faultmask: int
    basepri: int


class Nvic:
    """Pending, enabled and active exceptions and their priorities, and the registers to them.

    `attention` is called when an exception becomes due.
    Source: Armv7-M Architecture Reference Manual (DDI 0403), B1.5 and B3.4; priorities have all eight bits.
    """

    def __init__(self, page: RegisterPage, attention: Callable[[], None]) -> None:
        self._page, self._attention = page, attention
        self._pending: set[int] = set()
        self._asserted: set[int] = set()  # exceptions whose peripheral holds its line up
        self._enabled: set[int] = {HARD_FAULT, SV_CALL, PEND_SV, SYS_TICK}
        self.active: list[int] = []
        """the innermost last"""
        self._map_bits(_ISER, lambda: self._enabled, self._enable)
        self._map_bits(_ICER, lambda: self._enabled, self._enabled.discard)
        self._map_bits(_ISPR, lambda: self._pending, self.pend)
        self._map_bits(_ICPR, lambda: self._pending, self._pending.discard)
        self._map_bits(_IABR, lambda: set(self.active), lambda _: None)
        page.on_read(_ICSR, self._read_icsr)
        page.on_write(_ICSR, self._write_icsr)
        page.on_write(_STIR, lambda value: self.pend(FIRST_INTERRUPT + (value & 0x1FF)))

    def _map_bits(self, base: int, members: Callable[[], set[int]], apply: Callable[[int], None]) -> None:
        """One bit for each interrupt: reads show `members`, each 1 written is applied."""
        for word in range((INTERRUPTS + _BITS - 1) // _BITS):
            first = FIRST_INTERRUPT + word * _BITS

            def read(first: int = first) -> int:
                return sum(1 << (n - first) for n in members() if first <= n < first + _BITS)

            def write(value: int, first: int = first) -> None:
                for bit in range(_BITS):
                    if value >> bit & 1:
                        apply(first + bit)

            self._page.on_read(base + 4 * word, read)
            self._page.on_write(base + 4 * word, write)

    def _enable(self, exception: int) -> None:
        self._enabled.add(exception)
        self._attention()

    def pend(self, exception: int) -> None:
        self._pending.add(exception)
        self._attention()

    def set_line(self, interrupt: int, asserted: bool) -> None:
        """A peripheral holds its interrupt line up or lets it go."""
        exception = FIRST_INTERRUPT + interrupt
        if asserted:
            self._asserted.add(exception)
            self._attention()
        else:
            self._asserted.discard(exception)

    def _due(self) -> Iterator[int]:
        active = set(self.active)
        for exception in (self._pending | self._asserted) & self._enabled:
            if exception not in active:
                yield exception

    def priority(self, exception: int) -> int:
        """Its preemption priority: the lower, the more urgent."""
        if exception in _FIXED_PRIORITIES:
            return _FIXED_PRIORITIES[exception]
        if exception >= FIRST_INTERRUPT:
            raw = self._page.read(_IPR + exception - FIRST_INTERRUPT, 1)
        else:
            raw = self._page.read(_SHPR1 + exception - 4, 1)
        return self._group(raw)

    def _group(self, raw: int) -> int:
        """The part of a priority that decides on preemption, by AIRCR.PRIGROUP."""
        bits = (self._page.values[_AIRCR] >> _PRIGROUP_SHIFT & _PRIGROUP_MASK) + 1
        return raw >> bits << bits

    def execution_priority(self, masks: Masks) -> int:
        """What an exception must undercut to be taken now."""
        level = min((self.priority(exception) for exception in self.active), default=THREAD_PRIORITY)
        if masks.basepri:
            level = min(level, self._group(masks.basepri))
        if masks.primask & 1:
            level = min(level, 0)
        if masks.faultmask & 1:
            level = min(level, -1)
        return level

    def next_exception(self, masks: Masks) -> int | None:
        """The exception to take now, if any: the most urgent, of these the one with the lowest number."""
        level = self.execution_priority(masks)
        best = min(self._due(), key=lambda exception: (self.priority(exception), exception), default=None)
        return best if best is not None and self.priority(best) < level else None

    @property
    def has_due(self) -> bool:
        """An enabled exception waits, though it may be masked."""
        return next(self._due(), None) is not None

    def wakes(self, masks: Masks) -> bool:
        """WFI ends: an exception would be taken if PRIMASK were clear."""
        return self.next_exception(Masks(0, masks.faultmask, masks.basepri)) is not None

    def enter(self, exception: int) -> None:
        self._pending.discard(exception)
        self.active.append(exception)

    def leave(self) -> None:
        self.active.pop()

    def _read_icsr(self) -> int:
        pending = min(self._due(), key=self.priority, default=0)
        active = self.active[-1] if self.active else 0
        bits = (1 << 28) * (PEND_SV in self._pending) | (1 << 26) * (SYS_TICK in self._pending)
        return bits | (1 << 22) * (pending >= FIRST_INTERRUPT) | pending << 12 | active

    def _write_icsr(self, value: int) -> None:
        for bit, exception in ((28, PEND_SV), (26, SYS_TICK)):
            if value >> bit & 1:
                self.pend(exception)
            elif value >> (bit - 1) & 1:
                self._pending.discard(exception)

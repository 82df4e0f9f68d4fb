"""What all of Nordic's peripherals have in common: tasks, events, shortcuts and an interrupt."""

from __future__ import annotations

from collections.abc import Callable

from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services

SHORTS = 0x200
_INTEN, _INTENSET, _INTENCLR = 0x300, 0x304, 0x308
_EVENTS = 0x100
_EVENT_COUNT = 32


class NordicPeripheral:
    """A peripheral at `base`. Its interrupt has the number of its identifier, and is up while an enabled event is.

    Source: nRF52840 Product Specification v1.7, 6.1 Peripheral interface
    """

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        self.page, self.services = page, services
        self._interrupt = base >> 12 & 0xFF
        self.interrupts_enabled = 0
        """bit n: the event at 0x100 + 4 n"""
        for offset in (_INTEN, _INTENSET, _INTENCLR):
            page.on_read(offset, lambda: self.interrupts_enabled)
        page.on_write(_INTEN, self.enable_interrupts)
        page.on_write(_INTENSET, lambda value: self.enable_interrupts(self.interrupts_enabled | value))
        page.on_write(_INTENCLR, lambda value: self.enable_interrupts(self.interrupts_enabled & ~value))

    def enable_interrupts(self, value: int) -> None:
        self.interrupts_enabled = value
        for index in range(_EVENT_COUNT):  # only then must a write that clears the event be seen
            if value >> index & 1:
                self.page.on_write(_EVENTS + 4 * index, self._event_writer(_EVENTS + 4 * index))
        self.update_interrupt()

    def _event_writer(self, offset: int) -> Callable[[int], None]:
        def write(value: int) -> None:
            self.page.values[offset] = value & 1
            self.update_interrupt()

        return write

    def task(self, offset: int, action: Callable[[], None]) -> None:
        """Writing 1 to the task register does `action`."""

        def write(value: int) -> None:
            if value & 1:
                action()

        self.page.on_write(offset, write)

    def event(self, offset: int) -> bool:
        return bool(self.page.values[offset])

    def raise_event(self, offset: int) -> None:
        self.page.values[offset] = 1
        if self.interrupts_enabled:
            self.update_interrupt()

    def update_interrupt(self) -> None:
        asserted = any(
            self.interrupts_enabled >> index & 1 and self.event(_EVENTS + 4 * index) for index in range(_EVENT_COUNT)
        )
        self.services.set_interrupt(self._interrupt, asserted)

    def shortcut(self, bit: int) -> bool:
        return bool(self.page.values[SHORTS] >> bit & 1)

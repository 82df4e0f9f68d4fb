"""The watchdog."""

from __future__ import annotations

from functools import partial

from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.peripherals.nrf52.nordic import NordicPeripheral
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services
from tinyedge.emulate.unicorn.scheduler import Event

_START, _TIMEOUT, _RUNSTATUS, _REQSTATUS, _CRV, _RREN, _RR = 0x000, 0x100, 0x400, 0x404, 0x504, 0x508, 0x600
_CHANNELS = 8
_RELOAD = 0x6E52_4635
_CLOCK_HZ = 32_768


class Wdt(NordicPeripheral):
    """Ends the run where it would reset the chip. Source: nRF52840 PS v1.7, 6.36 WDT"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        super().__init__(page, services, base)
        self._event: Event | None = None
        self._waiting = 0  # channels that must be fed yet
        page.values.update({_CRV: 0xFFFF_FFFF, _RREN: 1})
        page.on_read(_REQSTATUS, lambda: self._waiting)
        self.task(_START, self._start)
        for channel in range(_CHANNELS):
            page.on_write(_RR + 4 * channel, partial(self._feed, channel))

    @property
    def _seconds(self) -> float:
        return (self.page.values[_CRV] + 1) / _CLOCK_HZ

    def _start(self) -> None:
        if self._event is None:
            self.page.values[_RUNSTATUS] = 1
            self._reload()

    def _reload(self) -> None:
        if self._event is not None:
            self._event.cancel()
        self._waiting = self.page.values[_RREN]
        due = self.services.now() + int(self._seconds * self.services.config.clock_hz)
        self._event = self.services.schedule(due, self._expire)

    def _feed(self, channel: int, value: int) -> None:
        if value != _RELOAD or self._event is None:
            return
        self._waiting &= ~(1 << channel)
        if not self._waiting:
            self._reload()

    def _expire(self) -> None:
        self.raise_event(_TIMEOUT)
        self.services.end(Ending(f"the watchdog of the emulated chip was not fed for {self._seconds:g} s"))

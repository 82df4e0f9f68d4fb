"""CLOCK and POWER, which share a page."""

from __future__ import annotations

from functools import partial

from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.peripherals.nrf52.nordic import NordicPeripheral
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services

_HFCLKSTART, _HFCLKSTOP, _LFCLKSTART, _LFCLKSTOP = 0x000, 0x004, 0x008, 0x00C
_HFCLKSTARTED, _LFCLKSTARTED = 0x100, 0x104
_HFCLKRUN, _HFCLKSTAT, _LFCLKRUN, _LFCLKSTAT = 0x408, 0x40C, 0x414, 0x418
_SYSTEMOFF = 0x500
_STATE_RUNNING = 1 << 16
_SOURCE_CRYSTAL = 1


class ClockPower(NordicPeripheral):
    """Oscillators start at once. Source: nRF52840 Product Specification v1.7, 5.3 POWER and 5.4 CLOCK"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        super().__init__(page, services, base)
        self.task(_HFCLKSTART, partial(self._start, _HFCLKSTARTED, _HFCLKRUN, _HFCLKSTAT))
        self.task(_LFCLKSTART, partial(self._start, _LFCLKSTARTED, _LFCLKRUN, _LFCLKSTAT))
        self.task(_HFCLKSTOP, partial(self._stop, _HFCLKRUN, _HFCLKSTAT, _STATE_RUNNING))  # the RC oscillator runs on
        self.task(_LFCLKSTOP, partial(self._stop, _LFCLKRUN, _LFCLKSTAT, 0))
        self.task(_SYSTEMOFF, self._system_off)
        page.values[_HFCLKSTAT] = _STATE_RUNNING

    def _start(self, event: int, run: int, status: int) -> None:
        self.page.values[run] = 1
        self.page.values[status] = _STATE_RUNNING | _SOURCE_CRYSTAL
        self.raise_event(event)

    def _stop(self, run: int, status: int, state: int) -> None:
        self.page.values[run] = 0
        self.page.values[status] = state

    def _system_off(self) -> None:
        self.services.end(Ending("the emulated firmware switched its chip off (POWER SYSTEMOFF)"))

"""TIMER0 to TIMER4."""

from __future__ import annotations

from functools import partial

from tinyedge.emulate.unicorn.peripherals.nrf52.nordic import NordicPeripheral
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services
from tinyedge.emulate.unicorn.scheduler import Event

_START, _STOP, _COUNT, _CLEAR, _SHUTDOWN, _CAPTURE = 0x000, 0x004, 0x008, 0x00C, 0x010, 0x040
_COMPARE = 0x140
_MODE, _BITMODE, _PRESCALER, _CC = 0x504, 0x508, 0x510, 0x540
_MODE_TIMER = 0
_WIDTHS = {0: 16, 1: 8, 2: 24, 3: 32}
_DEFAULT_PRESCALER = 4
_INPUT_HZ = 16_000_000
_CHANNELS = 6
_SHORT_STOP = 8
"""bit of SHORTS that stops at COMPARE[0]; those that clear begin at bit 0"""


class Timer(NordicPeripheral):
    """A counter of 16 MHz divided by a power of two, or of COUNT tasks, with capture, compare and shortcuts.

    Source: nRF52840 Product Specification v1.7, 6.30 TIMER
    """

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        super().__init__(page, services, base)
        self._count = 0
        self._since: int | None = None  # time in cycles at which `_count` was right; None while it stands
        self._events: list[Event] = []
        page.values[_PRESCALER] = _DEFAULT_PRESCALER
        self.task(_START, self._start)
        self.task(_STOP, self._stop)
        self.task(_SHUTDOWN, self._stop)
        self.task(_CLEAR, self._clear)
        self.task(_COUNT, self._step)
        for channel in range(_CHANNELS):
            self.task(_CAPTURE + 4 * channel, partial(self._capture, channel))
            page.on_write(_CC + 4 * channel, partial(self._write_cc, channel))

    @property
    def _period(self) -> int:
        return 1 << _WIDTHS[self.page.values[_BITMODE] & 3]

    @property
    def _ticks_to_cycles(self) -> tuple[int, int]:
        """Cycles of the core for a number of ticks, as a fraction."""
        return self.services.config.clock_hz << self.page.values[_PRESCALER], _INPUT_HZ

    def _value(self) -> int:
        if self._since is None:
            return self._count
        cycles, ticks = self._ticks_to_cycles
        return (self._count + (self.services.now() - self._since) * ticks // cycles) % self._period

    def _settle(self, value: int) -> None:
        """The counter has that value now."""
        self._count = value % self._period
        if self._since is not None:
            self._since = self.services.now()
        self._arm()

    def _start(self) -> None:
        if self.page.values[_MODE] == _MODE_TIMER and self._since is None:
            self._since = self.services.now()
            self._arm()

    def _stop(self) -> None:
        self._count = self._value()
        self._since = None
        self._arm()

    def _clear(self) -> None:
        self._settle(0)

    def _step(self) -> None:
        if self.page.values[_MODE] != _MODE_TIMER:
            self._settle(self._count + 1)
            for channel in range(_CHANNELS):
                if self.page.values[_CC + 4 * channel] == self._count:
                    self._matched(channel)

    def _capture(self, channel: int) -> None:
        self.page.values[_CC + 4 * channel] = self._value()
        self._arm()

    def _write_cc(self, channel: int, value: int) -> None:
        self.page.values[_CC + 4 * channel] = value
        self._arm()

    def _arm(self) -> None:
        """Schedule the next match of every compare register."""
        for event in self._events:
            event.cancel()
        self._events.clear()
        if self._since is None:
            return
        cycles, ticks = self._ticks_to_cycles
        elapsed = (self.services.now() - self._since) * ticks // cycles
        for channel in range(_CHANNELS):
            ahead = (self.page.values[_CC + 4 * channel] - self._value()) % self._period or self._period
            at = self._since + -(-(elapsed + ahead) * cycles // ticks)
            self._events.append(self.services.schedule(at, partial(self._reached, channel)))

    def _reached(self, channel: int) -> None:
        self._matched(channel)
        self._arm()

    def _matched(self, channel: int) -> None:
        self.raise_event(_COMPARE + 4 * channel)
        if self.shortcut(channel):
            self._clear()
        if self.shortcut(_SHORT_STOP + channel):
            self._stop()

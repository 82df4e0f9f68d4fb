"""The SysTick timer of all Cortex-M cores."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services
from tinyedge.emulate.unicorn.scheduler import Event

_CSR, _RVR, _CVR, _CALIB = 0x010, 0x014, 0x018, 0x01C
_ENABLE, _TICKINT, _CLKSOURCE, _COUNTFLAG = 1, 1 << 1, 1 << 2, 1 << 16
_MASK = 0xFF_FFFF
_EXCEPTION = 15
_CALIB_NOREF = 1 << 31
_CORES_WITHOUT_DWT = ("cortex-m0plus",)


class SysTick:
    """Counts the core's cycles down from RVR. On a core without DWT it is the cycle counter, whose reads are recorded.

    Time goes on by whole blocks of code, so a read may come before the event of a zero that lies behind it. Whoever
    sees the zero first makes the exception pending: a count that began anew is never seen without it.

    Source: Armv7-M Architecture Reference Manual (DDI 0403), B3.3
    """

    def __init__(self, page: RegisterPage, services: Services) -> None:
        self._services = services
        self._control = 0
        self._reload = 0
        self._stood_at = 0  # the value while it stands
        self._zero_at = 0  # when it is next 0, while it runs
        self._passed_zero = False
        self._event: Event | None = None
        self._recorded = services.config.core in _CORES_WITHOUT_DWT
        page.on_read(_CSR, self._read_csr)
        page.on_read(_RVR, lambda: self._reload)
        page.on_read(_CVR, self._read_cvr)
        page.on_write(_CSR, self._write_csr)
        page.on_write(_RVR, self._write_rvr)
        page.on_write(_CVR, self._write_cvr)
        page.values[_CALIB] = _CALIB_NOREF

    @property
    def _period(self) -> int:
        return self._reload + 1

    def _advance(self) -> None:
        now = self._services.now()
        if self._control & _ENABLE and self._reload and now >= self._zero_at:
            self._passed_zero = True
            if self._control & _TICKINT:
                self._services.pend(_EXCEPTION)
            self._zero_at += ((now - self._zero_at) // self._period + 1) * self._period

    def _value(self) -> int:
        self._advance()
        if not self._control & _ENABLE or not self._reload:
            return self._stood_at
        return (self._zero_at - self._services.now()) % self._period

    def _read_csr(self) -> int:
        self._advance()
        value = self._control | _CLKSOURCE | (_COUNTFLAG if self._passed_zero else 0)
        self._passed_zero = False
        return value

    def _read_cvr(self) -> int:
        if self._recorded:
            self._services.record_reading()
        return self._value()

    def _write_csr(self, value: int) -> None:
        self._stood_at = self._value()
        started = value & _ENABLE and not self._control & _ENABLE
        self._control = value & (_ENABLE | _TICKINT)
        if started:
            self._zero_at = self._services.now() + (self._stood_at or self._period)
        self._arm()

    def _write_rvr(self, value: int) -> None:
        self._advance()
        self._reload = value & _MASK
        self._arm()

    def _write_cvr(self, _: int) -> None:
        self._advance()
        self._stood_at = 0
        self._passed_zero = False
        self._zero_at = self._services.now() + self._period
        self._arm()

    def _arm(self) -> None:
        if self._event is not None:
            self._event.cancel()
            self._event = None
        if self._control == _ENABLE | _TICKINT and self._reload:
            self._event = self._services.schedule(self._zero_at, self._tick)

    def _tick(self) -> None:
        self._advance()
        self._arm()

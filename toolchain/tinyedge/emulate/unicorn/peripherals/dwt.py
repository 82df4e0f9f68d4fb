"""The Data Watchpoint and Trace unit of Armv7-M, of which only the cycle counter is used."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services

_CTRL, _CYCCNT = 0x000, 0x004
_CYCCNTENA = 1
_MASK = 0xFFFF_FFFF


class Dwt:
    """CYCCNT counts modelled cycles while CTRL.CYCCNTENA is set. Every read of it is recorded for the host.

    Source: Armv7-M Architecture Reference Manual (DDI 0403), C1.8
    """

    def __init__(self, page: RegisterPage, services: Services) -> None:
        self._page, self._services = page, services
        self._count = 0
        self._since: int | None = None  # when it was started; None while it stands
        page.on_read(_CYCCNT, self._read_cyccnt)
        page.on_write(_CYCCNT, self._write_cyccnt)
        page.on_write(_CTRL, self._write_ctrl)

    def _value(self) -> int:
        running = 0 if self._since is None else self._services.now() - self._since
        return self._count + running & _MASK

    def _read_cyccnt(self) -> int:
        self._services.record_reading()
        return self._value()

    def _write_cyccnt(self, value: int) -> None:
        self._count = value
        if self._since is not None:
            self._since = self._services.now()

    def _write_ctrl(self, value: int) -> None:
        self._count = self._value()
        self._since = self._services.now() if value & _CYCCNTENA else None
        self._page.values[_CTRL] = value

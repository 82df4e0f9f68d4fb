"""UART and timer of the Cortex-M System Design Kit."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.polled_uart import PolledUart
from tinyedge.emulate.unicorn.peripherals.services import PolledWords, Services

_DATA, _STATE = 0x00, 0x04
_STATE_RX_FULL = 2
_CTRL, _VALUE, _RELOAD = 0x0, 0x4, 0x8
_ENABLE = 1


class CmsdkUart(PolledUart):
    """Source: Cortex-M System Design Kit Technical Reference Manual (DDI 0479), 4.3"""

    words = PolledWords(status=_STATE, receive=_DATA, send=_DATA, empty=0, full=_STATE_RX_FULL)


class CmsdkTimer:
    """Counts the core's cycles down from RELOAD; every read of VALUE is recorded. It raises no interrupts.

    Source: DDI 0479, 4.1
    """

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        del base
        self._page, self._services = page, services
        self._value = 0
        self._since: int | None = None
        page.on_read(_VALUE, self._read_value)
        page.on_write(_VALUE, self._write_value)
        page.on_write(_CTRL, self._write_ctrl)

    def _now(self) -> int:
        if self._since is None:
            return self._value
        period = self._page.values[_RELOAD] + 1
        return (self._value - (self._services.now() - self._since)) % period

    def _read_value(self) -> int:
        self._services.record_reading()
        return self._now()

    def _write_value(self, value: int) -> None:
        self._value = value
        if self._since is not None:
            self._since = self._services.now()

    def _write_ctrl(self, value: int) -> None:
        self._value = self._now()
        self._since = self._services.now() if value & _ENABLE else None
        self._page.values[_CTRL] = value

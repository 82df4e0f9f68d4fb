"""Arm's PL011 UART."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.polled_uart import PolledUart
from tinyedge.emulate.unicorn.peripherals.services import Services

_DR, _FR = 0x00, 0x18
_TXFE, _RXFE = 0x80, 0x10


class Pl011(PolledUart):
    """Source: PrimeCell UART (PL011) Technical Reference Manual (DDI 0183), 3.3"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        super().__init__(page, services, base)
        page.on_read(_FR, lambda: _TXFE | (0 if self.has_byte() else _RXFE))
        page.on_read(_DR, self.take_byte)
        page.on_write(_DR, self.send_byte)

"""Arm's PL011 UART."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.polled_uart import PolledUart
from tinyedge.emulate.unicorn.peripherals.services import PolledWords

_DR, _FR = 0x00, 0x18
_TXFE, _RXFE = 0x80, 0x10


class Pl011(PolledUart):
    """Source: PrimeCell UART (PL011) Technical Reference Manual (DDI 0183), 3.3"""

    words = PolledWords(status=_FR, receive=_DR, send=_DR, empty=_TXFE | _RXFE, full=_TXFE)

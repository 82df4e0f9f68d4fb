"""The two generations of STM32 serial ports."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.polled_uart import PolledUart
from tinyedge.emulate.unicorn.peripherals.services import PolledWords

_SR, _DR = 0x00, 0x04
_ISR, _RDR, _TDR = 0x1C, 0x24, 0x28
_RXNE, _TC_TXE = 0x20, 0xC0


class OldUsart(PolledUart):
    """USART of F1 and F4. Source: RM0090, 30.6"""

    words = PolledWords(status=_SR, receive=_DR, send=_DR, empty=_TC_TXE, full=_TC_TXE | _RXNE)


class NewUsart(PolledUart):
    """USART and LPUART of F7, G0, H7, L4 and U5. Source: RM0385, 31.8"""

    words = PolledWords(status=_ISR, receive=_RDR, send=_TDR, empty=_TC_TXE, full=_TC_TXE | _RXNE)

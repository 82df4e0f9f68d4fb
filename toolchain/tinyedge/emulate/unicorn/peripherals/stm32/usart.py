"""The two generations of STM32 serial ports."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.polled_uart import PolledUart
from tinyedge.emulate.unicorn.peripherals.services import Services

_SR, _DR = 0x00, 0x04
_ISR, _RDR, _TDR = 0x1C, 0x24, 0x28
_RXNE, _TC_TXE = 0x20, 0xC0


class OldUsart(PolledUart):
    """USART of F1 and F4. Source: RM0090, 30.6"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        super().__init__(page, services, base)
        page.on_read(_SR, lambda: _TC_TXE | (_RXNE if self.has_byte() else 0))
        page.on_read(_DR, self.take_byte)
        page.on_write(_DR, self.send_byte)


class NewUsart(PolledUart):
    """USART and LPUART of F7, G0, H7, L4 and U5. Source: RM0385, 31.8"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        super().__init__(page, services, base)
        page.on_read(_ISR, self._read_isr)
        page.on_read(_RDR, self.take_byte)
        page.on_write(_TDR, self.send_byte)

    def _read_isr(self) -> int:
        return _TC_TXE | (_RXNE if self.has_byte() else 0)

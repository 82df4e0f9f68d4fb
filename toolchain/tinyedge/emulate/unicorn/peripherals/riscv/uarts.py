"""Serial ports: SiFive's, the NS16550, Espressif's."""

from __future__ import annotations

from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.polled_uart import PolledUart
from tinyedge.emulate.unicorn.peripherals.services import PolledWords, Services

_EMPTY = 1 << 31
_DATA_READY, _TRANSMITTER_EMPTY = 0x01, 0x60
_LSR_WORD, _LSR_SHIFT = 0x04, 8
_ESP_FIFO, _ESP_STATUS = 0x00, 0x1C
_PASS, _FAIL, _RESET = 0x5555, 0x3333, 0x7777


class SifiveUart(PolledUart):
    """Source: FE310-G002 Manual v1p5, 18"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        super().__init__(page, services, base)
        page.on_read(0x00, lambda: 0)
        page.on_write(0x00, self.send_byte)
        page.on_read(0x04, lambda: self.take_byte() if self.has_byte() else _EMPTY)


class Ns16550(PolledUart):
    """Registers of a byte each. Source: National Semiconductor PC16550D data sheet, 8"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        super().__init__(page, services, base)
        page.on_read(0x00, self.take_byte)
        page.on_write(0x00, lambda word: self.send_byte(word & 0xFF))
        page.on_read(_LSR_WORD, self._read_lsr)

    def _read_lsr(self) -> int:
        return (_TRANSMITTER_EMPTY | (_DATA_READY if self.has_byte() else 0)) << _LSR_SHIFT


class EspUart(PolledUart):
    """Source: ESP32-C3 Technical Reference Manual v1.1, 26.5"""

    words = PolledWords(status=_ESP_STATUS, receive=_ESP_FIFO, send=_ESP_FIFO, empty=0, full=1)


class TestDevice:
    """Ends the run with an exit code. Source: QEMU, hw/misc/sifive_test.c"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        del base
        self._services = services
        page.on_write(0x00, self._write)

    def _write(self, value: int) -> None:
        if value & 0xFFFF in (_PASS, _FAIL):
            code = value >> 16 if value & 0xFFFF == _FAIL else 0
            self._services.end(Ending(f"the emulated firmware ended with exit code {code}"))
        elif value & 0xFFFF == _RESET:
            self._services.end(Ending("the emulated firmware reset its machine"))

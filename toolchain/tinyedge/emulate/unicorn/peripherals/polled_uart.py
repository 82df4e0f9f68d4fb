"""What serial ports without DMA have in common, as far as a firmware that polls them can tell."""

from __future__ import annotations

import ctypes

from tinyedge.emulate.unicorn.native_library import PORT_BUFFER_BYTES, PolledPortState
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import PolledWords, Services


class PolledUart:
    """A port that sends at once, and receives a byte when the firmware looks for one. It raises no interrupts.

    A receiver that is polled in vain for long puts the machine to sleep until the host writes. Only the port at the
    board's console address has a line; another sends into the air. Subclasses name their registers, which
    native/polled_port.c serves too where there is a native helper, or map registers to `has_byte`, `take_byte` and
    `send_byte` themselves.
    """

    words: PolledWords | None = None
    """registers that a program reads and writes as words, each for nothing else"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        self.page, self.services = page, services
        self._line = services.line if base == services.config.console_base else None
        self._port = PolledPortState()
        words = self.words
        if words is not None:
            page.on_read(words.status, lambda: words.full if self.has_byte() else words.empty)
            page.on_read(words.receive, self.take_byte)
            page.on_write(words.send, self.send_byte)
            if self._line is not None:
                self._port = services.share_polled_port(page, words)
                self._line.pending = self._take_sent

    def has_byte(self) -> bool:
        """A received byte waits. Each look in vain counts."""
        port = self._port
        if port.rx_next == port.rx_count and self._line is not None:
            if data := self._line.take(PORT_BUFFER_BYTES):
                ctypes.memmove(port.rx, data, len(data))
                port.rx_next, port.rx_count = 0, len(data)
            else:
                port.looks = 0
                self._line.polled_in_vain()
        return bool(port.rx_next < port.rx_count)

    def take_byte(self) -> int:
        """The received byte, 0 when there is none."""
        port = self._port
        if port.rx_next == port.rx_count:
            return 0
        port.rx_next += 1
        return int(port.rx[port.rx_next - 1])

    def send_byte(self, value: int) -> None:
        if self._line is not None:
            self._port.looks = 0
            self._line.send(bytes((value & 0xFF,)))

    def _take_sent(self) -> bytes:
        """What native code took to send since the last end of a line."""
        count, self._port.tx_count = self._port.tx_count, 0
        return bytes(self._port.tx[:count])

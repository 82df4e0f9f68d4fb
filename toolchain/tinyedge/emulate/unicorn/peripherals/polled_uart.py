"""What serial ports without DMA have in common, as far as a firmware that polls them can tell."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services


class PolledUart:
    """A port that sends at once, and receives a byte when the firmware looks for one. It raises no interrupts.

    A receiver that is polled in vain for long puts the machine to sleep until the host writes. Only the port at the
    board's console address has a line; another sends into the air. Subclasses map registers to `has_byte`, `take_byte`
    and `send_byte`.
    """

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        self.page, self.services = page, services
        self._line = services.line if base == services.config.console_base else None
        self._waiting: int | None = None

    def has_byte(self) -> bool:
        """A received byte waits. Each look in vain counts."""
        if self._waiting is None and self._line is not None:
            if data := self._line.take(1):
                self._waiting = data[0]
            else:
                self._line.polled_in_vain()
        return self._waiting is not None

    def take_byte(self) -> int:
        """The received byte, 0 when there is none."""
        byte, self._waiting = self._waiting or 0, None
        return byte

    def send_byte(self, value: int) -> None:
        if self._line is not None:
            self._line.send(bytes((value & 0xFF,)))

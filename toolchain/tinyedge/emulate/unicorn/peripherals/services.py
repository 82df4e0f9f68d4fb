"""What a peripheral may ask of the machine it is part of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tinyedge.emulate.unicorn.config import MachineConfig
from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.native_library import PolledPortState, PortState
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.scheduler import Event
from tinyedge.emulate.unicorn.serial_line import SerialLine


@dataclass(frozen=True)
class PolledWords:
    """Where a port without DMA has its registers, by their offsets, and what its status is.

    status, receive, send
    empty, full   the status without a received byte that waits, and with one
    """

    status: int
    receive: int
    send: int
    empty: int
    full: int


class Services(Protocol):
    """The machine as its peripherals see it. Times are cycles since reset."""

    @property
    def config(self) -> MachineConfig: ...

    @property
    def line(self) -> SerialLine:
        """The console's serial line."""
        ...

    def now(self) -> int: ...

    def schedule(self, at_cycles: int, action: Callable[[], None]) -> Event:
        """Call `action` when that time has come; the event can be cancelled."""
        ...

    def pend(self, exception: int) -> None:
        """An exception (by its number in the vector table) is due."""
        ...

    def set_interrupt(self, number: int, asserted: bool) -> None:
        """A peripheral holds its interrupt line up or lets it go."""
        ...

    def set_float_unit(self, on: bool) -> None:
        """The floating point unit is switched on or off."""
        ...

    def read_memory(self, address: int, count: int) -> bytes:
        """Bytes by DMA. Ends the machine with a fault where there is no memory."""
        ...

    def write_memory(self, address: int, data: bytes) -> None:
        """Bytes by DMA. Ends the machine with a fault where there is no RAM."""
        ...

    def share_port(self, page: RegisterPage) -> PortState:
        """The state of the console's UARTE, which native code works on too where there is some."""
        ...

    def share_polled_port(self, page: RegisterPage, words: PolledWords) -> PolledPortState:
        """The state of the console's port without DMA, which native code works on too where there is some."""
        ...

    def record_reading(self) -> None:
        """The firmware reads its cycle counter: remember the counts for the host."""
        ...

    def end(self, ending: Ending) -> None:
        """Stop for good."""
        ...

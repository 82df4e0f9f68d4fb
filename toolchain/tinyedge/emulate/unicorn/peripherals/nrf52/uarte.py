"""UARTE0 and UARTE1: the serial ports with EasyDMA."""

from __future__ import annotations

import ctypes

from tinyedge.emulate.unicorn.native_library import PORT_BUFFER_BYTES, PortState
from tinyedge.emulate.unicorn.peripherals.nrf52.nordic import NordicPeripheral
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services
from tinyedge.emulate.unicorn.scheduler import Event

_STARTRX, _STOPRX, _STARTTX, _STOPTX, _FLUSHRX = 0x000, 0x004, 0x008, 0x00C, 0x02C
_RXDRDY, _ENDRX, _TXDRDY, _ENDTX, _RXTO, _RXSTARTED, _TXSTARTED, _TXSTOPPED = (
    0x108,
    0x110,
    0x11C,
    0x120,
    0x144,
    0x14C,
    0x150,
    0x158,
)
_ENABLE, _BAUDRATE = 0x500, 0x524
_RXD_PTR, _RXD_MAXCNT, _RXD_AMOUNT = 0x534, 0x538, 0x53C
_TXD_PTR, _TXD_MAXCNT, _TXD_AMOUNT = 0x544, 0x548, 0x54C
_ENABLED = 8
_BAUD_250000 = 0x0400_0000
"""BAUDRATE's reset value; the register is proportional to the rate"""
_BITS_A_BYTE = 10
_SHORT_ENDRX_STARTRX, _SHORT_ENDRX_STOPRX = 5, 6


class Uarte(NordicPeripheral):
    """Sends at once; receives as fast as the firmware looks: when it polls an event, or, with interrupts, a byte's
    time after the receiver was started. So nothing is lost, however late the firmware starts the next transfer.

    A receiver that is polled in vain for long puts the machine to sleep until the host writes.
    Polled transfers of one byte are served by native/uarte_port.c where there is a native helper; the state is shared.
    Only the port at the board's console address has a line; another sends into the air.
    Source: nRF52840 Product Specification v1.7, 6.34 UARTE
    """

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        super().__init__(page, services, base)
        self._line = services.line if base == services.config.console_base else None
        self._port = services.share_port(page) if self._line is not None else PortState()
        self._delivery: Event | None = None
        page.values[_BAUDRATE] = _BAUD_250000
        for task, action in (
            (_STARTRX, self._start_rx),
            (_STOPRX, self._stop_rx),
            (_STARTTX, self._start_tx),
            (_STOPTX, lambda: self.raise_event(_TXSTOPPED)),
            (_FLUSHRX, self._flush_rx),
        ):
            self.task(task, action)
        page.on_read(_ENDRX, lambda: self._poll(_ENDRX))
        page.on_read(_RXDRDY, lambda: self._poll(_RXDRDY))
        if self._line is not None:
            self._line.on_input = self._input_arrived
            self._line.pending = self._take_sent

    @property
    def _enabled(self) -> bool:
        return self.page.values[_ENABLE] == _ENABLED

    def _start_tx(self) -> None:
        if not self._enabled:
            return
        values = self.page.values
        count = values[_TXD_MAXCNT]
        data = self.services.read_memory(values[_TXD_PTR], count)
        if self._line is not None:
            self._line.send(data)
        values[_TXD_AMOUNT] = count
        for event in (_TXSTARTED, _TXDRDY, _ENDTX):
            self.raise_event(event)

    def _start_rx(self) -> None:
        if not self._enabled:
            return
        values = self.page.values
        self._port.target = values[_RXD_PTR]
        self._port.room = values[_RXD_MAXCNT]
        self._port.received = 0
        self.raise_event(_RXSTARTED)
        if self.interrupts_enabled:
            self._schedule_delivery()

    def enable_interrupts(self, value: int) -> None:
        super().enable_interrupts(value)
        self._port.polled = not value
        if self._line is not None:
            self._line.can_interrupt = bool(value)
        if value:
            self._schedule_delivery()

    def _input_arrived(self) -> None:
        """The host wrote (called between two blocks)."""
        if self.interrupts_enabled:
            self._schedule_delivery()

    def _schedule_delivery(self) -> None:
        if self._delivery is not None or not self._port.room or not self._has_input:
            return
        baud = max(self.page.values[_BAUDRATE] * 250_000 // _BAUD_250000, 1)
        byte_cycles = _BITS_A_BYTE * self.services.config.clock_hz // baud
        self._delivery = self.services.schedule(self.services.now() + byte_cycles, self._delivery_due)

    def _delivery_due(self) -> None:
        self._delivery = None
        if not self.event(_ENDRX):
            self._receive(1)
        self._schedule_delivery()

    def _poll(self, event: int) -> int:
        """A read of ENDRX or RXDRDY."""
        values = self.page.values
        polled = not values[event] and not self.interrupts_enabled
        if polled and self._line is not None and not self._receive(self._port.room if event == _ENDRX else 1):
            self._line.polled_in_vain()
        return values[event]

    def _receive(self, most: int) -> bool:
        """Move up to `most` bytes of the line into the running transfer; whether there were any."""
        if not self._port.room or not self._has_input:
            return False
        data = self._take_input(most)
        self.services.write_memory(self._port.target, data)
        self._port.target += len(data)
        self._port.room -= len(data)
        self._port.received += len(data)
        self.raise_event(_RXDRDY)
        if not self._port.room:
            self._end_rx()
        return True

    @property
    def _has_input(self) -> bool:
        return self._port.rx_next < self._port.rx_count or (self._line is not None and self._line.has_input)

    def _take_input(self, most: int) -> bytes:
        """Received bytes, which wait in the port's buffer, where native code finds them."""
        port = self._port
        if port.rx_next == port.rx_count and self._line is not None:
            arrived = self._line.take(PORT_BUFFER_BYTES)
            ctypes.memmove(port.rx, arrived, len(arrived))
            port.rx_next, port.rx_count = 0, len(arrived)
        data = bytes(port.rx[port.rx_next : min(port.rx_next + most, port.rx_count)])
        port.rx_next += len(data)
        return data

    def _take_sent(self) -> bytes:
        """What native code took to send since the last end of a line."""
        count, self._port.tx_count = self._port.tx_count, 0
        return bytes(self._port.tx[:count])

    def _end_rx(self) -> None:
        self._port.room = 0
        self.page.values[_RXD_AMOUNT] = self._port.received
        self.raise_event(_ENDRX)
        if self.shortcut(_SHORT_ENDRX_STARTRX):
            self._start_rx()
        elif self.shortcut(_SHORT_ENDRX_STOPRX):
            self.raise_event(_RXTO)

    def _stop_rx(self) -> None:
        if self._port.room:
            self._end_rx()
        self._port.room = 0
        self.raise_event(_RXTO)

    def _flush_rx(self) -> None:
        self.page.values[_RXD_AMOUNT] = 0
        self.raise_event(_ENDRX)

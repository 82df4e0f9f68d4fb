"""The GPIO ports P0 and P1."""

from __future__ import annotations

from functools import partial

from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services

_PORTS = (0x000, 0x300)
_OUT, _OUTSET, _OUTCLR, _IN, _DIR, _DIRSET, _DIRCLR = 0x504, 0x508, 0x50C, 0x510, 0x514, 0x518, 0x51C
_MASK = 0xFFFF_FFFF


class Gpio:
    """Pins keep what is written; an input reads 0, an output what it drives. Source: nRF52840 PS v1.7, 6.9 GPIO"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        del services, base  # pins cause nothing
        self._values = page.values
        for port in _PORTS:
            for register, set_register, clear_register in ((_OUT, _OUTSET, _OUTCLR), (_DIR, _DIRSET, _DIRCLR)):
                read = partial(self._get, port + register)
                page.on_read(port + set_register, read)
                page.on_read(port + clear_register, read)
                page.on_write(port + set_register, partial(self._set, port + register))
                page.on_write(port + clear_register, partial(self._clear, port + register))
            page.on_read(port + _IN, partial(self._read_pins, port))

    def _get(self, register: int) -> int:
        return self._values[register]

    def _set(self, register: int, bits: int) -> None:
        self._values[register] = self._values[register] | bits

    def _clear(self, register: int, bits: int) -> None:
        self._values[register] = self._values[register] & ~bits & _MASK

    def _read_pins(self, port: int) -> int:
        return self._values[port + _OUT] & self._values[port + _DIR]

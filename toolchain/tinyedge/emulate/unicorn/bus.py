"""Where the registers are: the pages of the core and of its chip family, behind Unicorn's memory-mapped I/O."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.peripherals.dwt import Dwt
from tinyedge.emulate.unicorn.peripherals.families import FAMILIES
from tinyedge.emulate.unicorn.peripherals.nvic import Nvic
from tinyedge.emulate.unicorn.peripherals.page import PAGE_BYTES, RegisterPage
from tinyedge.emulate.unicorn.peripherals.scb import Scb
from tinyedge.emulate.unicorn.peripherals.services import Services
from tinyedge.emulate.unicorn.peripherals.systick import SysTick

PRIVATE_BUS = (0xE000_0000, 0x10_0000)
_DWT, _SYSTEM_CONTROL = 0xE000_1000, 0xE000_E000
_CORE_PAGES = {
    0xE000_0000: "ITM",
    _DWT: "DWT",
    0xE000_2000: "FPB",
    _SYSTEM_CONTROL: "system control space",
    0xE004_0000: "TPIU",
}


class Bus:
    """All register pages of a machine. A page that nobody models keeps what is written to it, and `note` says so."""

    def __init__(
        self, engine: Engine, services: Services, attention: Callable[[], None], note: Callable[[str], None]
    ) -> None:
        self._note = note
        self._pages = {base: RegisterPage(name) for base, name in _CORE_PAGES.items()}
        self.system_control = self._pages[_SYSTEM_CONTROL]
        self.nvic = Nvic(self.system_control, attention)
        Scb(self.system_control, services)
        SysTick(self.system_control, services)
        Dwt(self._pages[_DWT], services)
        family = FAMILIES[services.config.family]
        for base, (name, peripheral) in family.peripherals.items():
            page = self._pages[base] = RegisterPage(name)
            peripheral(page, services, base)
        for start, size in (PRIVATE_BUS, *family.windows):
            engine.map_registers(start, size, partial(self._read, start), partial(self._write, start))

    def _page(self, address: int) -> RegisterPage:
        base = address & -PAGE_BYTES
        page = self._pages.get(base)
        if page is None:
            page = self._pages[base] = RegisterPage(f"{base:#x}")
            self._note(f"the peripheral at {base:#010x} is not modelled: its registers only keep what is written")
        return page

    def _read(self, start: int, engine: Any, offset: int, size: int, _: Any) -> int:
        address = start + offset
        return self._page(address).read(address % PAGE_BYTES, size)

    def _write(self, start: int, engine: Any, offset: int, size: int, value: int, _: Any) -> None:
        address = start + offset
        self._page(address).write(address % PAGE_BYTES, size, value)

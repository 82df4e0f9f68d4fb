"""Where the registers are: the pages of the core and of its chip family, behind Unicorn's memory-mapped I/O."""

from __future__ import annotations

from collections.abc import Callable

from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.peripherals.dwt import Dwt
from tinyedge.emulate.unicorn.peripherals.families import FAMILIES
from tinyedge.emulate.unicorn.peripherals.nvic import Nvic
from tinyedge.emulate.unicorn.peripherals.page import PAGE_BYTES, RegisterPage
from tinyedge.emulate.unicorn.peripherals.scb import Scb
from tinyedge.emulate.unicorn.peripherals.services import Services
from tinyedge.emulate.unicorn.peripherals.systick import SysTick

_IN_PAGE = PAGE_BYTES - 1
_PAGE = ~_IN_PAGE
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
            engine.map_registers(start, size, self._make_read(start), self._make_write(start))

    def _page(self, base: int) -> RegisterPage:
        """A page that nobody claimed."""
        self._note(f"the peripheral at {base:#010x} is not modelled: its registers only keep what is written")
        page = self._pages[base] = RegisterPage(f"{base:#x}")
        return page

    def _make_read(self, start: int) -> Callable[[int, int], int]:
        """Reads in the window at `start`: of whole registers without further calls, as firmware polls them."""
        pages, new_page = self._pages, self._page

        def read(offset: int, size: int) -> int:
            base, register = start + (offset & _PAGE), offset & _IN_PAGE
            page = pages.get(base) or new_page(base)
            if size != 4:
                return page.read(register, size)
            reader = page.readers.get(register)
            return page.values.get(register, 0) if reader is None else reader()

        return read

    def _make_write(self, start: int) -> Callable[[int, int, int], None]:
        pages, new_page = self._pages, self._page

        def write(offset: int, size: int, value: int) -> None:
            base, register = start + (offset & _PAGE), offset & _IN_PAGE
            page = pages.get(base) or new_page(base)
            if size != 4:
                page.write(register, size, value)
            elif (writer := page.writers.get(register)) is None:
                page.values[register] = value
            else:
                writer(value)

        return write

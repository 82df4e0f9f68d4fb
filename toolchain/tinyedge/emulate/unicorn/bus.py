"""Where the registers are: the pages of the core and of its chip family, behind Unicorn's memory-mapped I/O."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from typing import Any

from tinyedge.emulate.unicorn.engine import Engine
from tinyedge.emulate.unicorn.native_library import WINDOW_READ, WINDOW_WRITE
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


class Window:
    """A range of addresses with registers. With the native helper, Python is asked only where it has to be."""

    def __init__(self, start: int, size: int, pages: Mapping[int, RegisterPage], note: Callable[[str], None]) -> None:
        self._start, self._size, self._note = start, size, note
        self._pages = {base: page for base, page in pages.items() if start <= base < start + size}
        self._share: Callable[[int, RegisterPage], None] | None = None

    def map(self, engine: Engine, native: Any | None) -> None:
        """Put it on the bus. Raises: MemoryError"""
        if native is None:
            engine.map_registers(self._start, self._size, self._read, self._write)
            return
        read, write = engine.guard(WINDOW_READ, self._read), engine.guard(WINDOW_WRITE, self._write)
        window = native.te_window_new(self._size // PAGE_BYTES, read, write)
        if not window:
            raise MemoryError

        def share(base: int, page: RegisterPage) -> None:
            native.te_window_set_page(window, (base - self._start) // PAGE_BYTES, ctypes.byref(page.shared))

        self._share = share
        for base, page in self._pages.items():
            share(base, page)
        engine.map_native_registers(self._start, self._size, native, window)

    def _page(self, offset: int) -> RegisterPage:
        """The page there. One that nobody models keeps what is written to it, which is said once."""
        base = self._start + offset - offset % PAGE_BYTES
        page = self._pages.get(base)
        if page is None:
            page = self._pages[base] = RegisterPage(f"{base:#x}")
            self._note(f"the peripheral at {base:#010x} is not modelled: its registers only keep what is written")
            if self._share is not None:
                self._share(base, page)
        return page

    def _read(self, offset: int, size: int) -> int:
        return self._page(offset).read(offset % PAGE_BYTES, size)

    def _write(self, offset: int, size: int, value: int) -> None:
        self._page(offset).write(offset % PAGE_BYTES, size, value)


class Bus:
    """All register pages of a machine, and the interrupt controller among them."""

    def __init__(self, services: Services, attention: Callable[[], None]) -> None:
        self._pages = {base: RegisterPage(name) for base, name in _CORE_PAGES.items()}
        self.system_control = self._pages[_SYSTEM_CONTROL]
        self.nvic = Nvic(self.system_control, attention)
        Scb(self.system_control, services)
        SysTick(self.system_control, services)
        Dwt(self._pages[_DWT], services)
        self._windows = (PRIVATE_BUS, *add_family(self._pages, services))

    def map(self, engine: Engine, native: Any | None, note: Callable[[str], None]) -> None:
        """Put all registers on the bus."""
        for start, size in self._windows:
            Window(start, size, self._pages, note).map(engine, native)


def add_family(pages: dict[int, RegisterPage], services: Services) -> tuple[tuple[int, int], ...]:
    """Make the peripherals of the machine's chip family in `pages`; the windows (start, size) they lie in."""
    family = FAMILIES[services.config.family]
    for base, (name, peripheral) in family.peripherals.items():
        start = base % PAGE_BYTES
        page = pages.setdefault(base - start, RegisterPage(name))
        peripheral(page.part(start), services, base)
    return family.windows

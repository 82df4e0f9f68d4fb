"""The System Control Block: who the core is, where its vectors are, and a reset."""

from __future__ import annotations

from tinyedge.emulate.unicorn.frames import Ending
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services

_CPUID, VTOR, _AIRCR, _CPACR = 0xD00, 0xD08, 0xD0C, 0xD88
_AIRCR_READ_KEY, _AIRCR_KEY = 0xFA05 << 16, 0x05FA
_SYSRESETREQ = 1 << 2
_PRIGROUP = 7 << 8
_FLOAT_ACCESS = 20, 3
"""of CPACR: shift and mask of CP10, the floating point unit; 1 and 3 allow it to privileged code"""
_CPUIDS = {
    "cortex-m0plus": 0x410C_C601,
    "cortex-m3": 0x412F_C231,
    "cortex-m4f": 0x410F_C241,
    "cortex-m7f": 0x411F_C272,
    "cortex-m33f": 0x410F_D214,
}


class Scb:
    """CPUID, VTOR, AIRCR and CPACR; CCR and the fault status registers are plain storage, as faults end the run.

    Source: Armv7-M Architecture Reference Manual (DDI 0403), B3.2
    """

    def __init__(self, page: RegisterPage, services: Services) -> None:
        self._page, self._services = page, services
        page.values.update({VTOR: services.config.vectors, _CPUID: _CPUIDS[services.config.core]})
        page.on_write(_CPUID, lambda _: None)
        page.on_read(_AIRCR, lambda: _AIRCR_READ_KEY | page.values[_AIRCR])
        page.on_write(_AIRCR, self._write_aircr)
        page.on_write(_CPACR, self._write_cpacr)

    def _write_cpacr(self, value: int) -> None:
        self._page.values[_CPACR] = value
        shift, mask = _FLOAT_ACCESS
        self._services.set_float_unit(value >> shift & mask in (1, 3))

    def _write_aircr(self, value: int) -> None:
        if value >> 16 != _AIRCR_KEY:
            return
        self._page.values[_AIRCR] = value & _PRIGROUP
        if value & _SYSRESETREQ:
            self._services.end(Ending("the emulated firmware reset its chip (AIRCR.SYSRESETREQ)"))

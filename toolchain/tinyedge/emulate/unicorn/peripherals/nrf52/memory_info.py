"""FICR, UICR and NVMC: what the chip says of itself and of its flash."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services

_CODE_PAGE_BYTES = 4096
_CODEPAGESIZE, _CODESIZE, _DEVICEID, _PART, _RAM, _FLASH = 0x010, 0x014, 0x060, 0x100, 0x10C, 0x110
_PART_NRF52840 = 0x52840
_READY, _READYNEXT = 0x400, 0x408
_ERASED = 0xFFFF_FFFF
_UICR_REGISTERS = range(0, 0x310, 4)


class Ficr:
    """Sizes from the board file, part, and device id 0. Source: nRF52840 PS v1.7, 4.4 FICR"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        del base
        sizes = {memory.name: memory.size_bytes for memory in services.config.memories}
        page.values.update(
            {
                _CODEPAGESIZE: _CODE_PAGE_BYTES,
                _CODESIZE: sizes["flash"] // _CODE_PAGE_BYTES,
                _DEVICEID: 0,
                _PART: _PART_NRF52840,
                _RAM: sizes["ram"] // 1024,
                _FLASH: sizes["flash"] // 1024,
            }
        )


class Uicr:
    """All of it erased. Source: nRF52840 PS v1.7, 4.5 UICR"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        del services, base
        page.values.update(dict.fromkeys(_UICR_REGISTERS, _ERASED))


class Nvmc:
    """Always ready; its cache makes no difference here, and flash cannot be written. Source: nRF52840 PS v1.7, 4.3"""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        del services, base
        page.values.update({_READY: 1, _READYNEXT: 1})

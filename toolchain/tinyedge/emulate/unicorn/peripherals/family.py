"""What a chip family is to the emulator: a table of peripherals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services


class PeripheralType(Protocol):
    """Claims its registers of `page`, which begins at `base`, or is part of a page and begins there."""

    def __call__(self, page: RegisterPage, services: Services, base: int) -> Any: ...


@dataclass(frozen=True)
class Family:
    """The peripherals of a chip family."""

    windows: tuple[tuple[int, int], ...]
    """(start, size) of the ranges where the chip has registers: reads elsewhere are bus faults"""
    peripherals: Mapping[int, tuple[str, PeripheralType]]
    """base address -> name, class; several may share a page of 4 KiB"""

"""Peripherals that are no more than registers: storage, and bits that follow others at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from tinyedge.emulate.unicorn.peripherals.family import PeripheralType
from tinyedge.emulate.unicorn.peripherals.page import RegisterPage
from tinyedge.emulate.unicorn.peripherals.services import Services


@dataclass(frozen=True)
class Echo:
    """The bits `mask` of the register at `source` show at `target`, `shift` bits higher (below 0: lower): switches and
    what they report, e.g. that an oscillator runs."""

    target: int
    source: int
    mask: int
    shift: int


class Plain:
    """Registers that keep what is written to them and cause nothing."""

    def __init__(self, page: RegisterPage, services: Services, base: int) -> None:
        del page, services, base


def switches(*echoes: Echo, initially: dict[int, int] | None = None) -> PeripheralType:
    """A peripheral of switches whose reports follow at once. `initially` are values at reset."""

    def make(page: RegisterPage, services: Services, base: int) -> None:
        del services, base
        page.values.update(initially or {})
        for target in {echo.target for echo in echoes}:
            own = [echo for echo in echoes if echo.target == target]
            page.on_read(target, partial(_read, page, target, own))

    return make


def _read(page: RegisterPage, target: int, echoes: list[Echo]) -> int:
    value = page.values[target]
    for echo in echoes:
        bits = page.values[echo.source] & echo.mask
        value = value & ~_moved(echo.mask, echo.shift) | _moved(bits, echo.shift)
    return value


def _moved(bits: int, shift: int) -> int:
    return bits << shift if shift >= 0 else bits >> -shift

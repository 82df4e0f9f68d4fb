"""The chip families: each has a file with the table of its peripherals, and a row here."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.family import Family
from tinyedge.emulate.unicorn.peripherals.mps2.family import MPS2
from tinyedge.emulate.unicorn.peripherals.nrf52.family import NRF52

FAMILIES: dict[str, Family] = {
    "mps2": MPS2,
    "nrf52": NRF52,
}
"""name of the bsp file -> its chips"""

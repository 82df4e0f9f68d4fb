"""The chip families: each has a file with the table of its peripherals, and a row here."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.family import Family
from tinyedge.emulate.unicorn.peripherals.mps2.family import MPS2
from tinyedge.emulate.unicorn.peripherals.nrf52.family import NRF52
from tinyedge.emulate.unicorn.peripherals.nrf52.nrf53_family import NRF53
from tinyedge.emulate.unicorn.peripherals.riscv.family import ESP32C3, RISCV_VIRT, SIFIVE
from tinyedge.emulate.unicorn.peripherals.rp2.family import RP2040, RP2350
from tinyedge.emulate.unicorn.peripherals.stm32 import family as stm32

FAMILIES: dict[str, Family] = {
    "esp32c3": ESP32C3,
    "mps2": MPS2,
    "nrf52": NRF52,
    "nrf53": NRF53,
    "riscv_virt": RISCV_VIRT,
    "rp2040": RP2040,
    "rp2350": RP2350,
    "sifive": SIFIVE,
    "stm32f1": stm32.STM32F1,
    "stm32f4": stm32.STM32F4,
    "stm32f7": stm32.STM32F7,
    "stm32g0": stm32.STM32G0,
    "stm32h7": stm32.STM32H7,
    "stm32l4": stm32.STM32L4,
    "stm32u5": stm32.STM32U5,
}
"""name of the bsp file -> its chips"""

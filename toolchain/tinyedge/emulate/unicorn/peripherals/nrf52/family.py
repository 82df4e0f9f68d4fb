"""The nRF52's table of peripherals. Source: nRF52840 Product Specification v1.7, 4.2.4 Instantiation"""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.family import Family
from tinyedge.emulate.unicorn.peripherals.nrf52.clock_power import ClockPower
from tinyedge.emulate.unicorn.peripherals.nrf52.gpio import Gpio
from tinyedge.emulate.unicorn.peripherals.nrf52.memory_info import Ficr, Nvmc, Uicr
from tinyedge.emulate.unicorn.peripherals.nrf52.timer import Timer
from tinyedge.emulate.unicorn.peripherals.nrf52.uarte import Uarte
from tinyedge.emulate.unicorn.peripherals.nrf52.wdt import Wdt

NRF52 = Family(
    windows=(
        (0x1000_0000, 0x2000),  # information and user configuration
        (0x4000_0000, 0x3_0000),  # APB
        (0x5000_0000, 0x1000),  # GPIO
    ),
    peripherals={
        0x1000_0000: ("FICR", Ficr),
        0x1000_1000: ("UICR", Uicr),
        0x4000_0000: ("CLOCK/POWER", ClockPower),
        0x4000_2000: ("UARTE0", Uarte),
        0x4000_8000: ("TIMER0", Timer),
        0x4000_9000: ("TIMER1", Timer),
        0x4000_A000: ("TIMER2", Timer),
        0x4001_0000: ("WDT", Wdt),
        0x4001_A000: ("TIMER3", Timer),
        0x4001_B000: ("TIMER4", Timer),
        0x4001_E000: ("NVMC", Nvmc),
        0x4002_8000: ("UARTE1", Uarte),
        0x5000_0000: ("GPIO", Gpio),
    },
)

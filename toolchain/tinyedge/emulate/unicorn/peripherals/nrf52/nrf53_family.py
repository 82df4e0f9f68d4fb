"""The nRF5340's application core in secure state, with the peripherals it shares with the nRF52.

Source: nRF5340 Product Specification v1.3.1, 4.2.4 Instantiation
"""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.family import Family
from tinyedge.emulate.unicorn.peripherals.nrf52.clock_power import ClockPower
from tinyedge.emulate.unicorn.peripherals.nrf52.memory_info import Uicr
from tinyedge.emulate.unicorn.peripherals.nrf52.timer import Timer
from tinyedge.emulate.unicorn.peripherals.nrf52.uarte import Uarte
from tinyedge.emulate.unicorn.peripherals.plain import Plain

NRF53 = Family(
    windows=(
        (0x00FF_8000, 0x1000),  # user configuration
        (0x5000_0000, 0x4_0000),  # APB, secure
        (0x5084_2000, 0x1000),  # GPIO, secure
    ),
    peripherals={
        0x00FF_8000: ("UICR", Uicr),
        0x5000_1000: ("CACHE", Plain),
        0x5000_5000: ("CLOCK/POWER", ClockPower),
        0x5000_6000: ("CTRLAP", Plain),
        0x5000_8000: ("UARTE0", Uarte),
        0x5000_9000: ("UARTE1", Uarte),
        0x5000_F000: ("TIMER0", Timer),
        0x5001_0000: ("TIMER1", Timer),
        0x5001_1000: ("TIMER2", Timer),
        0x5084_2000: ("GPIO", Plain),
    },
)

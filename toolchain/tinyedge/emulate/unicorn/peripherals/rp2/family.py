"""RP2040 and RP2350: clocks start and resets end at once, UART0 is the console.

Sources: RP2040 data sheet, 2.2, 2.14 to 2.18, 4.2; RP2350 data sheet, 2.2, 7.5, 8
"""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.family import Family
from tinyedge.emulate.unicorn.peripherals.plain import Echo, Plain, switches
from tinyedge.emulate.unicorn.peripherals.rp2.pl011 import Pl011

_ALL = 0xFFFF_FFFF
_CLOCKS = switches(initially={0x38: _ALL, 0x44: _ALL})
"""every source counts as selected"""
_RESETS = switches(initially={0x00: _ALL, 0x08: _ALL})
_XOSC = switches(Echo(0x04, 0x00, 1 << 12, 19))
"""STABLE follows the lowest bit of ENABLE, which is set in its pattern for on and clear in that for off"""
_PLL = switches(Echo(0x00, 0x00, 1, 31))
"""LOCK follows the lowest bit of REFDIV: it locks for a divider of 1"""

RP2040 = Family(
    windows=((0x4000_0000, 0x7_0000),),
    peripherals={
        0x4000_8000: ("CLOCKS", _CLOCKS),
        0x4000_C000: ("RESETS", _RESETS),
        0x4001_4000: ("IO_BANK0", Plain),
        0x4001_C000: ("PADS_BANK0", Plain),
        0x4002_4000: ("XOSC", _XOSC),
        0x4002_8000: ("PLL_SYS", _PLL),
        0x4003_4000: ("UART0", Pl011),
        0x4003_8000: ("UART1", Pl011),
    },
)

RP2350 = Family(
    windows=((0x4000_0000, 0x11_0000),),
    peripherals={
        0x4001_0000: ("CLOCKS", _CLOCKS),
        0x4002_0000: ("RESETS", _RESETS),
        0x4002_8000: ("IO_BANK0", Plain),
        0x4003_8000: ("PADS_BANK0", Plain),
        0x4004_8000: ("XOSC", _XOSC),
        0x4005_0000: ("PLL_SYS", _PLL),
        0x4007_0000: ("UART0", Pl011),
        0x4007_8000: ("UART1", Pl011),
    },
)

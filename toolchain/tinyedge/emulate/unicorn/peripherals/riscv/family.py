"""Chip families with RISC-V cores. Their clocks start at once.

Sources: FE310-G002 Manual v1p5, 4 and 6; QEMU, hw/riscv/virt.c; ESP32-C3 Technical Reference Manual v1.1, 3.3.5
"""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.family import Family
from tinyedge.emulate.unicorn.peripherals.plain import Echo, Plain, switches
from tinyedge.emulate.unicorn.peripherals.riscv.uarts import EspUart, Ns16550, SifiveUart, TestDevice

_PRCI = switches(
    Echo(0x04, 0x04, 1 << 30, 1),  # crystal: ready when enabled
    Echo(0x08, 0x08, 1 << 17, 14),  # PLL: locked when it has the crystal
)

SIFIVE = Family(
    windows=((0x1000_0000, 0x2_0000),),
    peripherals={
        0x1000_8000: ("PRCI", _PRCI),
        0x1001_2000: ("GPIO", Plain),
        0x1001_3000: ("UART0", SifiveUart),
    },
)

RISCV_VIRT = Family(
    windows=((0x10_0000, 0x1000), (0x1000_0000, 0x1000)),
    peripherals={0x10_0000: ("test device", TestDevice), 0x1000_0000: ("UART0", Ns16550)},
)

ESP32C3 = Family(
    windows=((0x6000_0000, 0xD_1000),),
    peripherals={
        0x6000_0000: ("UART0", EspUart),
        0x6000_8000: ("RTC_CNTL", Plain),
        0x6001_F000: ("TIMG0", Plain),
        0x6002_0000: ("TIMG1", Plain),
        0x600C_0000: ("SYSTEM", Plain),
    },
)

"""The tables of peripherals of MPS2 images. Sources: Arm Application Notes AN386 and AN500, 3; AN505, 3.2"""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.family import Family
from tinyedge.emulate.unicorn.peripherals.mps2.cmsdk import CmsdkTimer, CmsdkUart

MPS2 = Family(
    windows=(
        (0x4000_0000, 0x3_0000),  # APB and AHB of AN386 and AN500
        (0x5000_0000, 0x3_0000),  # SSE-200 of AN505, secure
        (0x5020_0000, 0x1_0000),  # AN505's APB, secure
    ),
    peripherals={
        0x4000_0000: ("TIMER0", CmsdkTimer),
        0x4000_4000: ("UART0", CmsdkUart),
        0x5000_0000: ("TIMER0", CmsdkTimer),
        0x5020_0000: ("UART0", CmsdkUart),
    },
)

"""The STM32 series: their clocks start at once, their serial ports are the consoles. Sources: the reference manuals
named at each."""

from __future__ import annotations

from tinyedge.emulate.unicorn.peripherals.family import Family, PeripheralType
from tinyedge.emulate.unicorn.peripherals.plain import Echo, Plain, switches
from tinyedge.emulate.unicorn.peripherals.stm32.usart import NewUsart, OldUsart

_HSE_AND_PLL = 1 << 16 | 1 << 24
"""enable bits of CR; the ready bits are one higher"""


def _ready(cr: int, mask: int, shift: int = 1) -> Echo:
    return Echo(cr, cr, mask, shift)


_RCC_F4 = switches(_ready(0x00, _HSE_AND_PLL), _ready(0x00, 1), Echo(0x08, 0x08, 3, 2), initially={0x00: 1})
_PWR_F4 = switches(Echo(0x04, 0x00, 3 << 16, 0))

STM32F1 = Family(
    windows=((0x4000_0000, 0x8000), (0x4001_0000, 0x8000), (0x4002_0000, 0x8000)),
    peripherals={
        0x4001_0800: ("GPIOA", Plain),
        0x4001_3800: ("USART1", OldUsart),
        0x4002_1000: ("RCC", switches(_ready(0x00, _HSE_AND_PLL), _ready(0x00, 1), Echo(0x04, 0x04, 3, 2))),
        0x4002_2000: ("FLASH", Plain),
    },
)
"""RM0008, 3.3, 7.3"""

_F4_WINDOWS = ((0x4000_0000, 0x8000), (0x4001_0000, 0x8000), (0x4002_0000, 0x8000))
_F4_GPIO: dict[int, tuple[str, PeripheralType]] = {0x4002_0000 + 0x1000 * i: ("GPIO", Plain) for i in range(3)}

STM32F4 = Family(
    windows=_F4_WINDOWS,
    peripherals={
        **_F4_GPIO,
        0x4000_4400: ("USART2", OldUsart),
        0x4000_4800: ("USART3", OldUsart),
        0x4000_7000: ("PWR", _PWR_F4),
        0x4001_1000: ("USART1", OldUsart),
        0x4001_1400: ("USART6", OldUsart),
        0x4002_3800: ("RCC and FLASH", _RCC_F4),
    },
)
"""RM0090 and RM0390, 2.3, 5.4, 6.3"""

STM32F7 = Family(
    windows=_F4_WINDOWS,
    peripherals={
        **_F4_GPIO,
        0x4000_4800: ("USART3", NewUsart),
        0x4000_7000: ("PWR", _PWR_F4),
        0x4001_1000: ("USART1", NewUsart),
        0x4001_1400: ("USART6", NewUsart),
        0x4002_3800: ("RCC and FLASH", _RCC_F4),
    },
)
"""RM0385, 2.2.2, 4.4, 5.3"""

STM32L4 = Family(
    windows=((0x4000_0000, 0x1_0000), (0x4002_0000, 0x8000), (0x4800_0000, 0x4000)),
    peripherals={
        0x4000_7000: ("PWR", Plain),
        0x4000_8000: ("LPUART1", NewUsart),
        0x4002_1000: ("RCC", switches(_ready(0x00, _HSE_AND_PLL), _ready(0x00, 1 << 8, 2), Echo(0x08, 0x08, 3, 2))),
        0x4002_2000: ("FLASH", Plain),
        0x4800_0000: ("GPIO", Plain),
        0x4800_1000: ("GPIO", Plain),
    },
)
"""RM0432, 2.2, 5.4, 6.4"""

STM32G0 = Family(
    windows=((0x4000_0000, 0x8000), (0x4002_0000, 0x8000), (0x5000_0000, 0x2000)),
    peripherals={
        0x4000_4400: ("USART2", NewUsart),
        0x4002_1000: ("RCC", switches(_ready(0x00, _HSE_AND_PLL), _ready(0x00, 1 << 8, 2), Echo(0x08, 0x08, 7, 3))),
        0x4002_2000: ("FLASH", Plain),
        0x5000_0000: ("GPIO", Plain),
        0x5000_1000: ("GPIO", Plain),
    },
)
"""RM0444, 2.2, 5.4"""

STM32H7 = Family(
    windows=((0x4000_0000, 0x8000), (0x5200_0000, 0x8000), (0x5802_0000, 0x8000)),
    peripherals={
        0x4000_4800: ("USART3", NewUsart),
        0x5200_2000: ("FLASH", Plain),
        0x5802_0000: ("GPIO", Plain),
        0x5802_4400: ("RCC", switches(_ready(0x00, _HSE_AND_PLL), _ready(0x00, 1, 2), Echo(0x10, 0x10, 7, 3))),
        0x5802_4800: ("PWR", switches(initially={0x04: 1 << 13, 0x0C: 6, 0x18: 1 << 14 | 1 << 13})),
    },
)
"""RM0433, 2.3.2, 6.8, 8.7: the voltages are there at once"""

STM32U5 = Family(
    windows=((0x4001_0000, 0x8000), (0x4002_0000, 0x2_0000), (0x4202_0000, 0x4000), (0x4602_0000, 0x4000)),
    peripherals={
        0x4001_3800: ("USART1", NewUsart),
        0x4002_2000: ("FLASH", Plain),
        0x4003_0400: ("ICACHE", Plain),
        0x4202_0000: ("GPIO", Plain),
        0x4202_1000: ("GPIO", Plain),
        0x4602_0800: ("PWR", switches(Echo(0x0C, 0x0C, 1 << 18, -4), Echo(0x0C, 0x0C, 1 << 16, -1))),
        0x4602_0C00: ("RCC", switches(_ready(0x00, _HSE_AND_PLL), _ready(0x00, 1 << 8, 2), Echo(0x1C, 0x1C, 3, 2))),
    },
)
"""RM0456, 2.3, 10.10, 11.8"""

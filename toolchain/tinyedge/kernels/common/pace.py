"""What portable kernels take on each core: as multiples of an estimate for a Cortex-M4, or by rates of their own.

Cortex-M0+ lacks products of 64 bits, Cortex-M3 takes two cycles to multiply and add, RV32 two instructions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TypeVar

from tinyedge.boards import Core, Isa
from tinyedge.kernels.contract import Cost

Rates = TypeVar("Rates")


def paced(cost: Cost, core: Core, *, armv6m: float, armv7m: float = 1.0, rv32: float = 1.0) -> Cost:
    """The cost on the core, of one that is estimated for a Cortex-M4.

    armv6m, armv7m, rv32  how many times as many cycles other cores take, as measured on layers of real models
    """
    times = {Isa.ARMV6M: armv6m, Isa.ARMV7M: armv7m, Isa.RV32IMC: rv32}.get(core.isa, 1.0)
    return dataclasses.replace(cost, cycles=int(cost.cycles * times))


def by_isa(*, armv6m: Rates, armv7m: Rates, dsp: Rates, rv32: Rates) -> Mapping[Isa, Rates]:
    """A Cortex-M4 stands for all cores with DSP extension, as in the costs of other kernels, and for the host."""
    return {**dict.fromkeys(Isa, dsp), Isa.ARMV6M: armv6m, Isa.ARMV7M: armv7m, Isa.RV32IMC: rv32}

"""What portable kernels take on cores that lack what their estimates take for granted: products of 64 bits."""

from __future__ import annotations

import dataclasses

from tinyedge.boards import Core, Isa
from tinyedge.kernels.contract import Cost


def paced(cost: Cost, core: Core, armv6m: float) -> Cost:
    """The cost on the core, of one that is estimated for a Cortex-M4.

    armv6m  how many times as many cycles a Cortex-M0+ takes, as measured on layers of real models
    """
    return dataclasses.replace(cost, cycles=int(cost.cycles * armv6m)) if core.isa is Isa.ARMV6M else cost

"""Cortex-M33 with the DSP extension."""

from __future__ import annotations

from tinyedge.timing.cortex_m4 import CortexM4


class CortexM33(CortexM4):
    """Arm publishes no table for this core; its three-stage pipeline is costed as that of the Cortex-M4.

    Error: as of the Cortex-M4, whose refill and wait states apply. The core may pair some 16-bit instructions, which
    makes it up to a fifth faster than counted; both are within the stated error.
    """

    core = "cortex-m33f"

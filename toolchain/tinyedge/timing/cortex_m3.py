"""Cortex-M3: the pipeline of the Cortex-M4 with a slower multiplier and without DSP and floating point."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tinyedge.timing.cortex_m4 import DIVISION, SYSTEM, CortexM4


class CortexM3(CortexM4):
    """Costs of ARM DDI 0337, table 18-1; loads and stores pipeline as on the Cortex-M4.

    Error: as of the Cortex-M4. A long multiplication takes 3 to 5 cycles and one with accumulation 4 to 7, depending
    on the operands: the middle.
    """

    core = "cortex-m3"
    table: ClassVar[Mapping[str, int]] = {
        **SYSTEM,
        **DIVISION,
        "mla": 2,
        "mls": 2,
        "smull": 4,
        "umull": 4,
        "smlal": 5,
        "umlal": 5,
    }

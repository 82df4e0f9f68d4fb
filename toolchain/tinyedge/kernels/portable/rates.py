"""What a portable kernel takes on each core: measured on some of them, for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from tinyedge.boards import Isa

Rates = TypeVar("Rates")


def by_isa(*, armv6m: Rates, armv7m: Rates, dsp: Rates, rv32: Rates) -> Mapping[Isa, Rates]:
    """A Cortex-M4 stands for all cores with DSP extension, as in the costs of other kernels, and for the host."""
    return {**dict.fromkeys(Isa, dsp), Isa.ARMV6M: armv6m, Isa.ARMV7M: armv7m, Isa.RV32IMC: rv32}

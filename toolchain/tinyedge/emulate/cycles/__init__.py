"""Timing models: what the cycles of an emulated core are, one file per core."""

from __future__ import annotations

from tinyedge.emulate.cycles.contract import BlockCost, TimingModel
from tinyedge.emulate.cycles.cortex_m0plus import CortexM0Plus
from tinyedge.emulate.cycles.cortex_m3 import CortexM3
from tinyedge.emulate.cycles.cortex_m4 import CortexM4
from tinyedge.emulate.cycles.cortex_m7 import CortexM7
from tinyedge.emulate.cycles.cortex_m33 import CortexM33
from tinyedge.emulate.cycles.rv32 import Rv32imac, Rv32imc

__all__ = ["MODELS", "BlockCost", "TimingModel"]

MODELS: dict[str, type[TimingModel]] = {
    model.core: model for model in (CortexM0Plus, CortexM3, CortexM4, CortexM7, CortexM33, Rv32imc, Rv32imac)
}
"""core -> its timing model"""

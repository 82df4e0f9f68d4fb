"""Timing models: what the cycles of an emulated core are, by the rules of `tinyedge.timing` and of RV32."""

from __future__ import annotations

from tinyedge.emulate.cycles.contract import TimingModel
from tinyedge.emulate.cycles.rv32 import Rv32imac, Rv32imc
from tinyedge.emulate.cycles.thumb import ThumbModel
from tinyedge.timing.cortex_m0plus import CortexM0Plus
from tinyedge.timing.cortex_m3 import CortexM3
from tinyedge.timing.cortex_m4 import CortexM4
from tinyedge.timing.cortex_m7 import CortexM7
from tinyedge.timing.cortex_m33 import CortexM33

_RULES = (CortexM0Plus, CortexM3, CortexM4, CortexM7, CortexM33)
_MODELS: tuple[TimingModel, ...] = (*(ThumbModel(rules()) for rules in _RULES), Rv32imc(), Rv32imac())

MODELS = {model.core: model for model in _MODELS}
"""core -> its timing model"""

"""Functions of one int8 value (relu, ...) through te_lookup_s8: a table of 256 results."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops import lookup
from tinyedge.ops.contract import Layer
from tinyedge.ops.lookup import Lookup

STEM = "te_lookup_s8"
CODE_BYTES = 42
LAYER_CODE_BYTES = 24
CYCLES_PER_OUTPUT = 9


class PortableLookup(Kernel):
    """Every operator that `ops.lookup` tabulates, and islands."""

    name = "portable/lookup"
    operators: ClassVar[tuple[str, ...]] = (*lookup.TABLES, "island")

    def fits(self, layer: Layer, core: Core) -> str:
        return checks.int8_tensors(layer)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Lookup = layer.params
        return Cost(CYCLES_PER_OUTPUT * p.elements, LAYER_CODE_BYTES, 256, ((STEM, CODE_BYTES),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Lookup = layer.params
        table = Constant(f"{operands.prefix}_table", "int8_t", p.table.astype(np.int8), 1, f"{layer.name} of -128..127")
        call = f"{STEM}({table.name}, {operands.inputs[0]}, {operands.outputs[0]}, {p.elements});"
        return Code(call=(call,), constants=(table,), runtime=(STEM,))


KERNELS: tuple[Kernel, ...] = (PortableLookup(),)

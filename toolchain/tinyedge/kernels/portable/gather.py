"""gather, gather_nd through te_gather."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.gather import Gather

STEM = "te_gather"
CODE_BYTES = 218
LAYER_CODE_BYTES = 24
PARAMS_BYTES = 24
CYCLES_PER_BLOCK = 110
CYCLES_PER_NUMBER = 8
CYCLES_PER_BYTE = 1.0


class PortableGather(Kernel):
    """Constant or computed indices into a constant or computed int8 tensor."""

    name = "portable/gather"
    operators: ClassVar[tuple[str, ...]] = ("gather", "gather_nd")

    def fits(self, layer: Layer, core: Core) -> str:
        p: Gather = layer.params
        return checks.sizes((p.batches, p.outer))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Gather = layer.params
        blocks = p.batches * p.outer * p.count
        per_block = CYCLES_PER_BLOCK + CYCLES_PER_NUMBER * len(p.steps) + CYCLES_PER_BYTE * p.block
        known = sum(array.nbytes for array in (p.table, p.indices) if array is not None)
        constants = PARAMS_BYTES + 4 * len(p.steps) + known
        return Cost(int(blocks * per_block), LAYER_CODE_BYTES, constants, ((STEM, CODE_BYTES),))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Gather = layer.params
        prefix = operands.prefix
        constants = [Constant(f"{prefix}_steps", "int32_t", np.array(p.steps, np.int32))]
        inputs = list(operands.inputs)
        if p.table is not None:
            constants.append(Constant(f"{prefix}_table", "int8_t", p.table.astype(np.int8), 4, "what is picked from"))
            inputs.insert(0, f"{prefix}_table")
        if p.indices is not None:
            constants.append(Constant(f"{prefix}_indices", "int32_t", p.indices.astype(np.int32), 4, "what is picked"))
            inputs.append(f"{prefix}_indices")
        struct = params_struct(
            "te_gather_params",
            f"{prefix}_params",
            {
                "batches": p.batches,
                "outer": p.outer,
                "count": p.count,
                "span": p.span,
                "block": p.block,
                "numbers": len(p.steps),
                "steps": f"{prefix}_steps",
            },
        )
        call = f"{STEM}(&{prefix}_params, {inputs[0]}, {inputs[1]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=tuple(constants), functions=struct, runtime=(STEM,))


KERNELS: tuple[Kernel, ...] = (PortableGather(),)

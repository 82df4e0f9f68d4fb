"""batch_matmul through te_batch_matmul_s8: transposed and broadcast sides are steps in memory."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.axes import strides
from tinyedge.kernels.common.c_text import Value, array, params_struct
from tinyedge.kernels.common.overlap import least_offset
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.batch_matmul import BatchMatmul, Five
from tinyedge.ops.contract import Layer

STEM = "te_batch_matmul_s8"
CODE_BYTES = 418
LAYER_CODE_BYTES = 20
PARAMS_BYTES = 80
CYCLES_PER_MAC = 11
CYCLES_PER_OUTPUT = 80


def _side(shape: Five, outer: int, depth: int, zero_point: int) -> Value:
    """A side by its axes of rows (or columns) and of depth."""
    steps = strides(shape)
    batches = [0 if size == 1 else step for size, step in zip(shape[:3], steps[:3], strict=True)]
    return {
        "batch_steps": array(batches),
        "outer_step": steps[outer],
        "depth_step": steps[depth],
        "zero_point": zero_point,
    }


class PortableBatchMatmul(Kernel):
    """int8 matrices of any layout."""

    name = "portable/batch_matmul"
    operators: ClassVar[tuple[str, ...]] = ("batch_matmul",)

    def fits(self, layer: Layer, core: Core) -> str:
        return checks.int8_tensors(layer)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: BatchMatmul = layer.params
        cycles = CYCLES_PER_MAC * layer.macs + CYCLES_PER_OUTPUT * math.prod(p.output_shape)
        known = sum(side.size for side in (p.left, p.right) if side is not None)
        return Cost(cycles, LAYER_CODE_BYTES, PARAMS_BYTES + known, ((STEM, CODE_BYTES),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Rows of a left side that is read once, in order: each is read again for every column of the right side."""
        p: BatchMatmul = layer.params
        if p.left is not None or input_index != 0 or p.left_transposed or p.left_shape[:3] != p.output_shape[:3]:
            return None
        rows, columns = np.arange(math.prod(p.output_shape[:4])), p.output_shape[4]
        return least_offset(rows * columns + columns - 1, rows * p.depth)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: BatchMatmul = layer.params
        prefix = operands.prefix
        inputs = list(operands.inputs)
        constants = []
        for position, (name, side) in enumerate((("left", p.left), ("right", p.right))):
            if side is not None:
                constants.append(Constant(f"{prefix}_{name}", "int8_t", side.astype(np.int8).reshape(-1), 4, name))
                inputs.insert(position, f"{prefix}_{name}")
        left_axes = (4, 3) if p.left_transposed else (3, 4)
        right_axes = (3, 4) if p.right_transposed else (4, 3)
        struct = params_struct(
            "te_batch_matmul_params",
            f"{prefix}_params",
            {
                "left": _side(p.left_shape, *left_axes, p.left_zero_point),
                "right": _side(p.right_shape, *right_axes, p.right_zero_point),
                "batches": array(list(p.output_shape[:3])),
                "rows": p.output_shape[3],
                "columns": p.output_shape[4],
                "depth": p.depth,
                "multiplier": p.multiplier,
                "shift": p.shift,
                "output_zero_point": p.output_zero_point,
            },
        )
        call = f"{STEM}(&{prefix}_params, {inputs[0]}, {inputs[1]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=tuple(constants), functions=struct, runtime=(STEM,))


KERNELS: tuple[Kernel, ...] = (PortableBatchMatmul(),)

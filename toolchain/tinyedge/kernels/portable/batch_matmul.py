"""batch_matmul of int8 or int16: transposed and broadcast sides are steps in memory."""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tinyedge.arithmetic.quantization import WIDE_FRACTION_BITS, short_multiplier
from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common.axes import strides
from tinyedge.kernels.common.c_text import Value, array, params_struct
from tinyedge.kernels.common.overlap import least_offset
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.batch_matmul import BatchMatmul, Five
from tinyedge.ops.contract import Layer

LAYER_CODE_BYTES = 20
PARAMS_BYTES = 80
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


class _PortableBatchMatmul(Kernel):
    """Matrices of any layout."""

    operators: ClassVar[tuple[str, ...]] = ("batch_matmul",)
    stem: ClassVar[str]
    struct: ClassVar[str]
    dtype: ClassVar[DType]
    code_bytes: ClassVar[int]
    cycles_per_mac: ClassVar[int]

    @abc.abstractmethod
    def scaling(self, params: BatchMatmul) -> Mapping[str, Value]:
        """The members of the parameter struct that bring sums to the output."""

    def fits(self, layer: Layer, core: Core) -> str:
        p: BatchMatmul = layer.params
        return "" if p.dtype is self.dtype else f"its tensors are {p.dtype.value}, the kernel takes {self.dtype.value}"

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: BatchMatmul = layer.params
        cycles = self.cycles_per_mac * layer.macs + CYCLES_PER_OUTPUT * math.prod(p.output_shape)
        known = sum(side.nbytes for side in (p.left, p.right) if side is not None)
        return Cost(cycles, LAYER_CODE_BYTES, PARAMS_BYTES + known, ((self.stem, self.code_bytes),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Rows of a left side that is read once, in order: each is read again for every column of the right side."""
        p: BatchMatmul = layer.params
        if p.left is not None or input_index != 0 or p.left_transposed or p.left_shape[:3] != p.output_shape[:3]:
            return None
        rows, columns = np.arange(math.prod(p.output_shape[:4])), p.output_shape[4]
        return self.dtype.bytes * least_offset(rows * columns + columns - 1, rows * p.depth)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: BatchMatmul = layer.params
        prefix = operands.prefix
        inputs = list(operands.inputs)
        constants = []
        for position, (name, side) in enumerate((("left", p.left), ("right", p.right))):
            if side is not None:
                constants.append(Constant(f"{prefix}_{name}", self.dtype.c_name, side.reshape(-1), 4, name))
                inputs.insert(position, f"{prefix}_{name}")
        left_axes = (4, 3) if p.left_transposed else (3, 4)
        right_axes = (3, 4) if p.right_transposed else (4, 3)
        struct = params_struct(
            self.struct,
            f"{prefix}_params",
            {
                "left": _side(p.left_shape, *left_axes, p.left_zero_point),
                "right": _side(p.right_shape, *right_axes, p.right_zero_point),
                "batches": array(list(p.output_shape[:3])),
                "rows": p.output_shape[3],
                "columns": p.output_shape[4],
                "depth": p.depth,
                **self.scaling(p),
            },
        )
        call = f"{self.stem}(&{prefix}_params, {inputs[0]}, {inputs[1]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=tuple(constants), functions=struct, runtime=(self.stem,))


class PortableBatchMatmul(_PortableBatchMatmul):
    """int8 matrices of any layout."""

    name = "portable/batch_matmul"
    stem = "te_batch_matmul_s8"
    struct = "te_batch_matmul_params"
    dtype = DType.INT8
    code_bytes = 418
    cycles_per_mac = 11

    def scaling(self, params: BatchMatmul) -> Mapping[str, Value]:
        p = params
        return {"multiplier": p.multiplier, "shift": p.shift, "output_zero_point": p.output_zero_point}


class PortableBatchMatmulS16(_PortableBatchMatmul):
    """int16 matrices of any layout."""

    name = "portable/batch_matmul_s16"
    stem = "te_batch_matmul_s16"
    struct = "te_batch_matmul_s16_params"
    dtype = DType.INT16
    code_bytes = 440
    cycles_per_mac = 11

    def scaling(self, params: BatchMatmul) -> Mapping[str, Value]:
        multiplier = int(short_multiplier(params.multiplier))
        return {"multiplier": multiplier, "right_shift": WIDE_FRACTION_BITS - params.shift}


KERNELS: tuple[Kernel, ...] = (PortableBatchMatmul(), PortableBatchMatmulS16())

"""mean and sum through te_mean_s8 or te_mean_s16: kept and reduced axes merged to two of each."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common.axes import MOST_AXES, merge_reduced, two_axes
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.common.overlap import least_offset, lowest_from
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.mean import Mean

LAYER_CODE_BYTES = 20
PARAMS_BYTES = 44
CYCLES_PER_OUTPUT = 30


class _PortableMean(Kernel):
    """Means and sums over axes that alternate at most twice between kept and reduced."""

    operators: ClassVar[tuple[str, ...]] = ("mean", "sum")
    stem: ClassVar[str]
    dtype: ClassVar[DType]
    code_bytes: ClassVar[int]
    cycles_per_cell: ClassVar[float]
    at_once: ClassVar[int]
    """outputs that are summed in one walk along the inner axis"""

    def fits(self, layer: Layer, core: Core) -> str:
        p: Mean = layer.params
        kept, reduced = merge_reduced(p.shape, p.axes)
        if max(len(kept), len(reduced)) > MOST_AXES:
            return f"kept and reduced axes alternate more than {MOST_AXES} times"
        return "" if p.dtype is self.dtype else f"its tensors are {p.dtype.value}, the kernel sums {self.dtype.value}"

    def cost(self, layer: Layer, core: Core) -> Cost:
        outputs, cells = layer.outputs[0].elements, layer.inputs[0].elements
        cycles = int(self.cycles_per_cell * cells + CYCLES_PER_OUTPUT * outputs)
        return Cost(cycles, LAYER_CODE_BYTES, PARAMS_BYTES, ((self.stem, self.code_bytes),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Outputs are computed in order, along the inner axis some at a time, each from its lowest cell upwards."""
        p: Mean = layer.params
        (rows, row_step), (columns, column_step) = two_axes(merge_reduced(p.shape, p.axes)[0])
        lowest = (np.arange(rows)[:, None] * row_step + np.arange(columns)[None, :] * column_step).reshape(-1)
        grouped = columns // self.at_once * self.at_once
        ends = [
            row * columns + column + 1
            for row in range(rows)
            for column in range(columns)
            if column % self.at_once == self.at_once - 1 or column >= grouped
        ]
        return self.dtype.bytes * least_offset(np.array(ends), lowest_from(lowest)[ends])

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Mean = layer.params
        name = f"{operands.prefix}_params"
        kept, reduced = (two_axes(axes) for axes in merge_reduced(p.shape, p.axes))
        count = math.prod(p.shape[axis] for axis in p.axes)
        struct = params_struct(
            "te_mean_params",
            name,
            {
                "kept[0]": {"size": kept[0][0], "step": kept[0][1]},
                "kept[1]": {"size": kept[1][0], "step": kept[1][1]},
                "reduced[0]": {"size": reduced[0][0], "step": reduced[0][1]},
                "reduced[1]": {"size": reduced[1][0], "step": reduced[1][1]},
                "offset": -p.input_zero_point * count,
                "multiplier": p.multiplier,
                "shift": p.shift,
                "output_zero_point": p.output_zero_point,
            },
        )
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(self.stem,))


class PortableMean(_PortableMean):
    """int8 means and sums over axes that alternate at most twice between kept and reduced."""

    name = "portable/mean"
    stem = "te_mean_s8"
    dtype = DType.INT8
    code_bytes = 540
    cycles_per_cell = 4.5
    at_once = 4


class PortableMeanS16(_PortableMean):
    """int16 means and sums over axes that alternate at most twice between kept and reduced."""

    name = "portable/mean_s16"
    stem = "te_mean_s16"
    dtype = DType.INT16
    code_bytes = 170
    cycles_per_cell = 7
    at_once = 1


KERNELS: tuple[Kernel, ...] = (PortableMean(), PortableMeanS16())

"""reduce_max, reduce_min, arg_max, arg_min."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.common.axes import MOST_AXES, Shape, merge_reduced, two_axes
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.common.overlap import least_offset, lowest_from
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops.arg_extremum import ArgExtremum
from tinyedge.ops.contract import Layer
from tinyedge.ops.reduce_extremum import ReduceExtremum

LAYER_CODE_BYTES = 20


def at_most_two(shape: Shape, reduced: Shape) -> str:
    """Empty where kept and reduced axes are few enough, otherwise what is in the way."""
    if max(map(len, merge_reduced(shape, reduced))) > MOST_AXES:
        return f"kept and reduced axes alternate more than {MOST_AXES} times"
    return ""


def reduced_members(shape: Shape, reduced: Shape) -> dict[str, Value]:
    """The members `kept` and `reduced` of a parameter struct."""
    members: dict[str, Value] = {}
    for name, axes in zip(("kept", "reduced"), merge_reduced(shape, reduced), strict=True):
        for at, (size, step) in enumerate(two_axes(axes)):
            members[f"{name}[{at}]"] = {"size": size, "step": step}
    return members


class PortableReduceExtremum(Kernel):
    """Largest or smallest int8 over axes that alternate at most twice between kept and reduced."""

    name = "portable/reduce_extremum"
    operators: ClassVar[tuple[str, ...]] = ("reduce_max", "reduce_min")
    stem = "te_reduce_extremum_s8"
    code = 150
    params_bytes = 36

    def fits(self, layer: Layer, core: Core) -> str:
        p: ReduceExtremum = layer.params
        return at_most_two(p.shape, p.axes)

    def cost(self, layer: Layer, core: Core) -> Cost:
        cycles = 12 * layer.inputs[0].elements + 30 * layer.outputs[0].elements
        return Cost(cycles, LAYER_CODE_BYTES, self.params_bytes, ((self.stem, self.code),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Outputs are found in order, each from its lowest cell upwards."""
        p: ReduceExtremum = layer.params
        (rows, row_step), (columns, column_step) = two_axes(merge_reduced(p.shape, p.axes)[0])
        lowest = (np.arange(rows)[:, None] * row_step + np.arange(columns)[None, :] * column_step).reshape(-1)
        ends = np.arange(1, rows * columns + 1)
        return least_offset(ends, lowest_from(lowest)[ends])

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: ReduceExtremum = layer.params
        name = f"{operands.prefix}_params"
        members = {**reduced_members(p.shape, p.axes), "flip": 0 if p.largest else -1}
        struct = params_struct("te_reduce_extremum_params", name, members)
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(self.stem,))


class PortableArgExtremum(Kernel):
    """First index of the largest or smallest int8 along an axis."""

    name = "portable/arg_extremum"
    operators: ClassVar[tuple[str, ...]] = ("arg_max", "arg_min")
    stem = "te_arg_extremum_s8"
    code = 150
    params_bytes = 16

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        cycles = 15 * layer.inputs[0].elements + 20 * layer.outputs[0].elements
        return Cost(cycles, LAYER_CODE_BYTES, self.params_bytes, ((self.stem, self.code),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Outputs of four bytes each are found in order, each from its lowest cell upwards."""
        p: ArgExtremum = layer.params
        lowest = (np.arange(p.outer)[:, None] * (p.size * p.inner) + np.arange(p.inner)[None, :]).reshape(-1)
        written = np.arange(1, len(lowest) + 1)
        return least_offset(4 * written, lowest_from(lowest)[written])

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: ArgExtremum = layer.params
        name = f"{operands.prefix}_params"
        members = {"outer": p.outer, "size": p.size, "inner": p.inner, "flip": 0 if p.largest else -1}
        struct = params_struct("te_arg_extremum_params", name, members)
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(self.stem,))


KERNELS: tuple[Kernel, ...] = (PortableReduceExtremum(), PortableArgExtremum())

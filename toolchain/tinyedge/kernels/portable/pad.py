"""pad, padv2: runs copied and filled upwards, in bytes through te_pad_s8, or in int16 through te_pad_s16."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common.axes import strides
from tinyedge.kernels.common.c_text import array, params_struct
from tinyedge.kernels.common.overlap import least_offset
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.pad import Pad

LAYER_CODE_BYTES = 20
PARAMS_BYTES = 52
CYCLES_PER_RUN = 90


def _output_shape(p: Pad) -> tuple[int, ...]:
    return tuple(map(sum, zip(p.input_shape, p.before, p.after, strict=True)))


class _PortablePad(Kernel):
    operators: ClassVar[tuple[str, ...]] = ("pad", "padv2")
    stem: ClassVar[str]
    struct: ClassVar[str]
    code_bytes: ClassVar[int]
    cycles_per_element: ClassVar[float]

    def unit(self, params: Pad) -> int:
        """How many of what the kernel counts make one element."""
        return 1

    def value(self, params: Pad) -> int:
        """What the border is filled with."""
        return params.value

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Pad = layer.params
        runs = p.input_shape[0] * p.input_shape[1] * p.input_shape[2]
        cycles = int(self.cycles_per_element * self.unit(p) * layer.outputs[0].elements + CYCLES_PER_RUN * runs)
        return Cost(cycles, LAYER_CODE_BYTES, PARAMS_BYTES, ((self.stem, self.code_bytes),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Before a run is copied everything below its place in the output has been written; the copy allows overlap."""
        p: Pad = layer.params
        outer = np.indices(p.input_shape[:3]).reshape(3, -1)
        places = np.array(p.before)[:, None] + np.vstack([outer, np.zeros_like(outer[:1])])
        written = np.array(strides(_output_shape(p))) @ places
        return p.dtype.bytes * least_offset(written, np.arange(outer.shape[1]) * p.input_shape[3])

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Pad = layer.params
        name = f"{operands.prefix}_params"
        per_index = [self.unit(p) * step for step in strides(_output_shape(p))]
        struct = params_struct(
            self.struct,
            name,
            {
                "before": array([count * step for count, step in zip(p.before, per_index, strict=True)]),
                "after": array([count * step for count, step in zip(p.after, per_index, strict=True)]),
                "sizes": array(list(p.input_shape[:3])),
                "run": self.unit(p) * p.input_shape[3],
                "value": self.value(p),
            },
        )
        return Code(call=(self.call(p, name, operands),), functions=struct, runtime=(self.stem,))

    def call(self, params: Pad, name: str, operands: Operands) -> str:
        return f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"


class PortablePad(_PortablePad):
    """Any border of four axes whose bytes are all the same, as those of int8 are, and those of a zero."""

    name = "portable/pad"
    stem = "te_pad_s8"
    struct = "te_pad_params"
    code_bytes = 230
    cycles_per_element = 1.5

    def fits(self, layer: Layer, core: Core) -> str:
        p: Pad = layer.params
        uniform = p.dtype is DType.INT8 or p.value in (0, -1)
        return "" if uniform else f"the bytes of the border's value, {p.value}, differ"

    def unit(self, params: Pad) -> int:
        return params.dtype.bytes

    def call(self, params: Pad, name: str, operands: Operands) -> str:
        source, target = operands.inputs[0], operands.outputs[0]
        if params.dtype is not DType.INT8:
            source, target = f"(const int8_t *)({source})", f"(int8_t *)({target})"
        return f"{self.stem}(&{name}, {source}, {target});"


class PortablePadS16(_PortablePad):
    """Any int16 border of four axes."""

    name = "portable/pad_s16"
    stem = "te_pad_s16"
    struct = "te_pad_s16_params"
    code_bytes = 250
    cycles_per_element = 4

    def fits(self, layer: Layer, core: Core) -> str:
        p: Pad = layer.params
        return "" if p.dtype is DType.INT16 else f"its tensors are {p.dtype.value}, the kernel moves int16"


KERNELS: tuple[Kernel, ...] = (PortablePad(), PortablePadS16())

"""pad, padv2 through te_pad_s8: runs copied and filled upwards."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.axes import strides
from tinyedge.kernels.common.c_text import array, params_struct
from tinyedge.kernels.common.overlap import least_offset
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.pad import Pad

STEM = "te_pad_s8"
CODE_BYTES = 230
LAYER_CODE_BYTES = 20
PARAMS_BYTES = 52
CYCLES_PER_BYTE = 1.5
CYCLES_PER_RUN = 90


def _output_shape(p: Pad) -> tuple[int, ...]:
    return tuple(map(sum, zip(p.input_shape, p.before, p.after, strict=True)))


class PortablePad(Kernel):
    """Any int8 border of four axes."""

    name = "portable/pad"
    operators: ClassVar[tuple[str, ...]] = ("pad", "padv2")

    def fits(self, layer: Layer, core: Core) -> str:
        return checks.int8_tensors(layer)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Pad = layer.params
        runs = p.input_shape[0] * p.input_shape[1] * p.input_shape[2]
        cycles = int(CYCLES_PER_BYTE * layer.outputs[0].elements + CYCLES_PER_RUN * runs)
        return Cost(cycles, LAYER_CODE_BYTES, PARAMS_BYTES, ((STEM, CODE_BYTES),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """Before a run is copied everything below its place in the output has been written; the copy allows overlap."""
        p: Pad = layer.params
        outer = np.indices(p.input_shape[:3]).reshape(3, -1)
        places = np.array(p.before)[:, None] + np.vstack([outer, np.zeros_like(outer[:1])])
        written = np.array(strides(_output_shape(p))) @ places
        return least_offset(written, np.arange(outer.shape[1]) * p.input_shape[3])

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Pad = layer.params
        name = f"{operands.prefix}_params"
        per_index = strides(_output_shape(p))
        struct = params_struct(
            "te_pad_params",
            name,
            {
                "before": array([count * step for count, step in zip(p.before, per_index, strict=True)]),
                "after": array([count * step for count, step in zip(p.after, per_index, strict=True)]),
                "sizes": array(list(p.input_shape[:3])),
                "run": p.input_shape[3],
                "value": p.value,
            },
        )
        call = f"{STEM}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(STEM,))


KERNELS: tuple[Kernel, ...] = (PortablePad(),)

"""add through te_add_s8: axes merged, each operand stepping or standing still along each."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.axes import MOST_WALKED, Shape, inner_axes, merge_broadcast, outer_axes
from tinyedge.kernels.common.c_text import Value, array, params_struct
from tinyedge.kernels.common.loops import looped, nested
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.add import Add
from tinyedge.ops.contract import Layer

STEM = "te_add_s8"
CODE_BYTES = 500
LAYER_CODE_BYTES = 24
PARAMS_BYTES = 76
CYCLES_PER_OUTPUT = 80


def _axes(p: Add) -> tuple[Shape, tuple[Shape, ...]]:
    return merge_broadcast((p.shape1, p.shape2), p.output_shape)


class PortableAdd(Kernel):
    """int8 sums; four groups of axes that broadcast alike are walked by the function, others around it."""

    name = "portable/add"
    operators: ClassVar[tuple[str, ...]] = ("add",)

    def fits(self, layer: Layer, core: Core) -> str:
        return checks.int8_tensors(layer)

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Add = layer.params
        outputs = layer.outputs[0].elements
        constants = PARAMS_BYTES + (0 if p.constant2 is None else p.constant2.size)
        return Cost(CYCLES_PER_OUTPUT * outputs, LAYER_CODE_BYTES, constants, ((STEM, CODE_BYTES),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0 for an operand read element by element with the output; a broadcast one is read again."""
        _, steps = _axes(layer.params)
        return None if 0 in steps[input_index] else 0

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Add = layer.params
        prefix = operands.prefix
        sizes, steps = inner_axes(*_axes(p))
        missing = MOST_WALKED - len(sizes)
        constants: tuple[Constant, ...] = ()
        inputs = operands.inputs
        if p.constant2 is not None:
            name = f"{prefix}_operand"
            constants = (Constant(name, "int8_t", p.constant2.astype(np.int8).reshape(-1), 4, "second operand"),)
            inputs = (inputs[0], name)

        def operand(index: int, zero_point: int, multiplier: int, shift: int) -> Value:
            return {
                "zero_point": zero_point,
                "shift": shift,
                "multiplier": multiplier,
                "steps": array([0] * missing + list(steps[index])),
            }

        struct = params_struct(
            "te_add_params",
            f"{prefix}_params",
            {
                "operands[0]": operand(0, p.input1_zero_point, p.input1_multiplier, p.input1_shift),
                "operands[1]": operand(1, p.input2_zero_point, p.input2_multiplier, p.input2_shift),
                "sizes": array([1] * missing + list(sizes)),
                "left_shift": p.left_shift,
                "output_zero_point": p.output_zero_point,
                "output_shift": p.output_shift,
                "activation_min": p.activation_min,
                "activation_max": p.activation_max,
                "output_multiplier": p.output_multiplier,
            },
        )
        heads, pointers = looped(outer_axes(*_axes(p)), [*inputs, operands.outputs[0]])
        call = f"{STEM}(&{prefix}_params, {', '.join(pointers)});"
        return Code(call=nested(heads, [call]), constants=constants, functions=struct, runtime=(STEM,))


KERNELS: tuple[Kernel, ...] = (PortableAdd(),)

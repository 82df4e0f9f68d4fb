"""add through te_add_s8: axes merged, each operand stepping or standing still along each."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.axes import Shape, merge_broadcast
from tinyedge.kernels.common.c_text import Value, array, params_struct
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.add import Add
from tinyedge.ops.contract import Layer

STEM = "te_add_s8"
CODE_BYTES = 500
LAYER_CODE_BYTES = 24
PARAMS_BYTES = 76
CYCLES_PER_OUTPUT = 80
MOST_AXES = 4


def _axes(p: Add) -> tuple[Shape, tuple[Shape, ...]]:
    return merge_broadcast((p.shape1, p.shape2), p.output_shape)


class PortableAdd(Kernel):
    """int8 sums, broadcast in up to four groups of axes."""

    name = "portable/add"
    operators: ClassVar[tuple[str, ...]] = ("add",)

    def fits(self, layer: Layer, core: Core) -> str:
        wrong = checks.int8_tensors(layer)
        if wrong:
            return wrong
        sizes, _ = _axes(layer.params)
        if len(sizes) > MOST_AXES:
            return f"it broadcasts over {len(sizes)} groups of axes, the kernel loops over {MOST_AXES}"
        return ""

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
        sizes, steps = _axes(p)
        missing = MOST_AXES - len(sizes)
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
        call = f"{STEM}(&{prefix}_params, {inputs[0]}, {inputs[1]}, {operands.outputs[0]});"
        return Code(call=(call,), constants=constants, functions=struct, runtime=(STEM,))


KERNELS: tuple[Kernel, ...] = (PortableAdd(),)

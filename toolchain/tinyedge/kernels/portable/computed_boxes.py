"""dynamic_update_slice, and slice from a computed beginning: te_place says where the box begins, te_move copies it."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.kernels.portable.movement import (
    CODE_BYTES,
    COPY_STEM,
    CYCLES_PER_BYTE,
    CYCLES_PER_CALL,
    CYCLES_PER_RUN,
    STEM,
    runs_of,
)
from tinyedge.ops.computed_boxes import ComputedBox
from tinyedge.ops.contract import Layer

PLACE_STEM = "te_place"
PLACE_CODE_BYTES = 54
LAYER_CODE_BYTES = 44
CYCLES_PER_AXIS = 14


class PortableComputedBox(Kernel):
    """Tensors of any type, up to five axes."""

    name = "portable/computed_box"
    operators: ClassVar[tuple[str, ...]] = ("dynamic_update_slice", "slice")

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if isinstance(layer.params, ComputedBox) else "where it begins is known"

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: ComputedBox = layer.params
        runs = runs_of(p.copy, p.element_bytes)
        cycles = CYCLES_PER_CALL + CYCLES_PER_AXIS * len(p.box) + (CYCLES_PER_RUN + runs.run) * runs.count
        cycles += int(CYCLES_PER_BYTE * math.prod(p.shape) * p.element_bytes) if p.updates else 0
        known = sum(array.nbytes for array in p.operands if array is not None)
        constants = 8 * len(p.box) + 12 * len(runs.axes) + known
        shared = ((PLACE_STEM, PLACE_CODE_BYTES), *(((STEM, CODE_BYTES),) if runs.axes else ()))
        return Cost(cycles, LAYER_CODE_BYTES, constants, shared)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0 for the tensor that is updated: it is copied whole before the box is, and not at all in one place."""
        p: ComputedBox = layer.params
        return 0 if p.updates and p.operands[0] is None and input_index == 0 else None

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: ComputedBox = layer.params
        prefix = operands.prefix
        runs = runs_of(p.copy, p.element_bytes)
        computed = iter(operands.inputs)
        given, constants = [], []
        for number, known in enumerate(p.operands):
            if known is None:
                given.append(next(computed))
                continue
            name = f"{prefix}_operand{number}"
            constants.append(Constant(name, f"{known.dtype.name}_t", np.ascontiguousarray(known), 4, "an operand"))
            given.append(name)
        axes = [number for most, step in zip(p.most, p.steps, strict=True) for number in (most, step * p.element_bytes)]
        comment = "per axis: the last index where the box may begin, bytes from one index to the next"
        constants.append(Constant(f"{prefix}_place", "int32_t", np.array(axes, np.int32), 4, comment))
        place = f"te_place({prefix}_place, {len(p.box)}, {given[-1]})"
        target = operands.outputs[0]
        call = []
        if p.updates:
            call.append(f"te_copy({target}, {given[0]}, {layer.outputs[0].bytes});")
            source, target = f"(const uint8_t *)({given[1]})", f"(uint8_t *)({target}) + {place}"
        else:
            source, target = f"(const uint8_t *)({given[0]}) + {place}", f"(uint8_t *)({target})"
        stems = {COPY_STEM, PLACE_STEM}
        if runs.axes:
            stems.add(STEM)
            numbers = np.array([number for axis in runs.axes for number in axis], np.int32)
            comment = "per axis: indices, bytes from one to the next in the source, in the target"
            constants.append(Constant(f"{prefix}_axes", "int32_t", numbers, 4, comment))
            call.append(f"te_move({prefix}_axes, {len(runs.axes)}, {runs.run}, {source}, {target});")
        else:
            call.append(f"te_copy({target}, {source}, {runs.run});")
        return Code(call=tuple(call), constants=tuple(constants), runtime=tuple(sorted(stems)))


KERNELS: tuple[Kernel, ...] = (PortableComputedBox(),)

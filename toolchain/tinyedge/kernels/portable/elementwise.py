"""What the kernels of element-wise operators share: merged axes, constant operands, overlap, the call."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from tinyedge.arithmetic.broadcast import Broadcast, Scaled
from tinyedge.boards import Core
from tinyedge.graph.ir import Array, DType
from tinyedge.kernels.common.axes import MOST_WALKED, Shape, inner_axes, merge_broadcast, outer_axes
from tinyedge.kernels.common.c_text import Value, array, params_struct
from tinyedge.kernels.common.loops import looped, nested
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer

MOST_OPERANDS = 3
WALK_STEM = "te_broadcast"
WALK_CODE_BYTES = 120
LAYER_CODE_BYTES = 24
SHAPE_BYTES = 64
CYCLES_PER_RUN = 40


class ElementwiseKernel(Kernel):
    """A call of `function(&params, operands..., output)` whose parameter struct begins with the broadcast shape."""

    stem: ClassVar[str]
    struct: ClassVar[str] = "te_pair_params"
    code: ClassVar[int]
    cycles_per_output: ClassVar[int]
    params_bytes: ClassVar[int] = 0
    """of the struct beside its shape"""
    runtime: ClassVar[tuple[tuple[str, int], ...]] = ()
    """further runtime stems and their code bytes"""

    @abc.abstractmethod
    def function(self, params: Any) -> str:
        """The C function for the layer's types."""

    def members(self, params: Any) -> Mapping[str, Value]:
        """The members of the parameter struct besides the shape."""
        return {}

    def fits(self, layer: Layer, core: Core) -> str:
        return ""

    def cost(self, layer: Layer, core: Core) -> Cost:
        b: Broadcast = layer.params.broadcast
        outputs = layer.outputs[0].elements
        sizes, _ = _axes(b)
        runs = outputs // (sizes[-1] if sizes else 1)
        constants = sum(constant.nbytes for constant in b.constants if constant is not None)
        shared = ((self.stem, self.code), (WALK_STEM, WALK_CODE_BYTES), *self.runtime)
        cycles = self.cycles_per_output * outputs + CYCLES_PER_RUN * runs
        return Cost(cycles, LAYER_CODE_BYTES, SHAPE_BYTES + self.params_bytes + constants, shared)

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        """0 for an operand read element by element with the output; a broadcast one is read again.

        Where the types differ C allows the overlap only if one of them is a character type, and outputs larger than the
        operand would run ahead of it.
        """
        b: Broadcast = layer.params.broadcast
        computed = [index for index, constant in enumerate(b.constants) if constant is None]
        _, steps = _axes(b)
        if 0 in steps[computed[input_index]]:
            return None
        source, target = layer.inputs[input_index].dtype, layer.outputs[0].dtype
        if source is target:
            return 0
        return 0 if DType.INT8 in (source, target) and target.bytes <= source.bytes else None

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p = layer.params
        b: Broadcast = p.broadcast
        prefix = operands.prefix
        computed = iter(operands.inputs)
        arguments, constants = [], []
        for number, data in enumerate(b.constants, start=1):
            if data is None:
                arguments.append(next(computed))
                continue
            constant, argument = _constant(f"{prefix}_operand{number}", data)
            constants.append(constant)
            arguments.append(argument)
        struct = params_struct(self.struct, f"{prefix}_params", {"shape": _shape(b), **self.members(p)})
        heads, pointers = looped(outer_axes(*_axes(b)), [*arguments, operands.outputs[0]])
        call = f"{self.function(p)}(&{prefix}_params, {', '.join(pointers)});"
        runtime = (self.stem, WALK_STEM, *(stem for stem, _ in self.runtime))
        return Code(call=nested(heads, [call]), constants=tuple(constants), functions=struct, runtime=runtime)


def _axes(b: Broadcast) -> tuple[Shape, tuple[Shape, ...]]:
    return merge_broadcast(b.shapes, b.output_shape)


def _shape(b: Broadcast) -> Mapping[str, Value]:
    """The members of te_broadcast."""
    sizes, steps = inner_axes(*_axes(b))
    missing = MOST_WALKED - len(sizes)
    rows: dict[str, Value] = {"sizes": array([1] * missing + list(sizes))}
    for index in range(MOST_OPERANDS):
        if index < len(steps):
            rows[f"steps[{index}]"] = array([0] * missing + list(steps[index]))
    return rows


def _constant(name: str, data: Array) -> tuple[Constant, str]:
    """A constant operand and the C expression that points to it."""
    flat = np.ascontiguousarray(data).reshape(-1)
    if flat.dtype == np.bool_:
        return Constant(name, "uint8_t", flat.astype(np.uint8), 4, "constant operand"), f"(const bool *){name}"
    return Constant(name, DType(flat.dtype.name).c_name, flat, 4, "constant operand"), name


def suffix(dtype: DType) -> str:
    """How functions for a type end.

    >>> suffix(DType.INT8), suffix(DType.INT16), suffix(DType.BOOL)
    ('s8', 's16', 'bool')
    """
    return "bool" if dtype is DType.BOOL else f"s{8 * dtype.bytes}"


def scaled_operand(operand: Scaled) -> Mapping[str, Value]:
    """The members of te_scaled_operand."""
    return {"multiplier": operand.multiplier, "zero_point": operand.zero_point, "shift": operand.shift}


def scaled_output(multiplier: int, shift: int, zero_point: int, low: int, high: int) -> Mapping[str, Value]:
    """The members of te_scaled_output."""
    return {"multiplier": multiplier, "min": low, "max": high, "zero_point": zero_point, "shift": shift}

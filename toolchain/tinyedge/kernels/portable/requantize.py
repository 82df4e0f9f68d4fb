"""quantize and dequantize: int8 to int8, other integers, and the float borders of a model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.contract import Code, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.requantize import FloatBorder, Requantize

LAYER_CODE_BYTES = 20
PARAMS_BYTES = 24
ELEMENT_TYPES = {DType.INT8: "TE_S8", DType.UINT8: "TE_U8", DType.INT16: "TE_S16", DType.INT32: "TE_S32"}


def converting_in_place(layer: Layer) -> int | None:
    """The in-place offset of a loop that reads element i and writes element i, of possibly another size.

    Writing element i ends at (i + 1) * size and must spare what follows from (i + 1) * input size on. Where neither
    side is of bytes the compiler may assume that the two do not overlap, unless their type is the same.
    """
    source, target = layer.inputs[0], layer.outputs[0]
    if source.dtype is not target.dtype and min(source.dtype.bytes, target.dtype.bytes) > 1:
        return None
    return max(0, (target.dtype.bytes - source.dtype.bytes) * (source.elements - 1))


def float_literal(value: float) -> str:
    """The shortest C literal that reads back to the same float32.

    >>> float_literal(0.1), float_literal(2.0), float_literal(2.0**-20)
    ('0.1f', '2.0f', '9.536743e-07f')
    """
    text = str(np.float32(value))
    return f"{text}f" if "." in text or "e" in text else f"{text}.0f"


class PortableRequantizeS8(Kernel):
    """From one int8 quantization to another."""

    name = "portable/requantize_s8"
    operators: ClassVar[tuple[str, ...]] = ("quantize",)
    stem = "te_requantize_s8"

    def fits(self, layer: Layer, core: Core) -> str:
        return checks.int8_tensors(layer)

    def cost(self, layer: Layer, core: Core) -> Cost:
        return Cost(28 * layer.params.elements, LAYER_CODE_BYTES, PARAMS_BYTES, ((self.stem, 154),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return converting_in_place(layer)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Requantize = layer.params
        name = f"{operands.prefix}_params"
        struct = params_struct(
            "te_requantize_s8_params",
            name,
            {
                "elements": p.elements,
                "multiplier": p.multiplier,
                "shift": p.shift,
                "input_zero_point": p.input_zero_point,
                "output_zero_point": p.output_zero_point,
            },
        )
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(self.stem,))


class PortableRequantizeAny(Kernel):
    """Between int8, uint8, int16 and int32."""

    name = "portable/requantize_any"
    operators: ClassVar[tuple[str, ...]] = ("quantize",)
    stem = "te_requantize_any"

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if isinstance(layer.params, Requantize) else "one side is float32"

    def cost(self, layer: Layer, core: Core) -> Cost:
        return Cost(60 * layer.params.elements, LAYER_CODE_BYTES, PARAMS_BYTES, ((self.stem, 280),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return converting_in_place(layer)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Requantize = layer.params
        name = f"{operands.prefix}_params"
        struct = params_struct(
            "te_requantize_any_params",
            name,
            {
                "elements": p.elements,
                "input_type": ELEMENT_TYPES[p.input_dtype],
                "output_type": ELEMENT_TYPES[p.output_dtype],
                "input_zero_point": p.input_zero_point,
                "output_zero_point": p.output_zero_point,
                "multiplier": p.multiplier,
                "shift": p.shift,
            },
        )
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(self.stem,))


class _FloatBorderKernel(Kernel):
    """What quantize from and dequantize to float32 share."""

    stem: ClassVar[str]
    code: ClassVar[int]
    type_member: ClassVar[str]
    cycles_per_element: ClassVar[int]

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if isinstance(layer.params, FloatBorder) else "neither side is float32"

    def cost(self, layer: Layer, core: Core) -> Cost:
        cycles = self.cycles_per_element * layer.params.elements * (1 if core.fpu else 8)
        return Cost(cycles, LAYER_CODE_BYTES, PARAMS_BYTES, ((self.stem, self.code),))

    def in_place_offset(self, layer: Layer, core: Core, input_index: int) -> int | None:
        return converting_in_place(layer)

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: FloatBorder = layer.params
        name = f"{operands.prefix}_params"
        integer = p.output_dtype if p.input_dtype is DType.FLOAT32 else p.input_dtype
        struct = params_struct(
            f"{self.stem}_params",
            name,
            {
                "elements": p.elements,
                self.type_member: ELEMENT_TYPES[integer],
                "zero_point": p.zero_point,
                "scale": float_literal(p.scale),
                **self.further(p),
            },
        )
        call = f"{self.stem}(&{name}, {operands.inputs[0]}, {operands.outputs[0]});"
        return Code(call=(call,), functions=struct, runtime=(self.stem,))

    def further(self, params: FloatBorder) -> Mapping[str, Value]:
        """Members of the parameter struct that only one of them has."""
        return {}


class PortableQuantizeF32(_FloatBorderKernel):
    """From float32 to int8 or int16."""

    name = "portable/quantize_f32"
    operators: ClassVar[tuple[str, ...]] = ("quantize",)
    stem = "te_quantize_f32"
    code = 280
    type_member = "output_type"
    cycles_per_element = 65

    def further(self, params: FloatBorder) -> Mapping[str, Value]:
        return {"wraps": "true" if params.wraps else "false"}


class PortableDequantizeF32(_FloatBorderKernel):
    """From int8, uint8 or int16 to float32."""

    name = "portable/dequantize_f32"
    operators: ClassVar[tuple[str, ...]] = ("dequantize",)
    stem = "te_dequantize_f32"
    code = 96
    type_member = "input_type"
    cycles_per_element = 26


KERNELS: tuple[Kernel, ...] = (
    PortableRequantizeS8(),
    PortableRequantizeAny(),
    PortableQuantizeF32(),
    PortableDequantizeF32(),
)

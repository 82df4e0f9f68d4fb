"""sub, mul, div, squared_difference, prelu in int8, add, sub, mul, squared_difference, prelu in int16, and add, sub,
mul, div in int32."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from tinyedge.boards import Core
from tinyedge.graph.ir import DType, integer_range
from tinyedge.kernels.common.c_text import Value, array
from tinyedge.kernels.common.fixed_point import FIXED_POINT
from tinyedge.kernels.contract import Kernel
from tinyedge.kernels.portable.elementwise import ElementwiseKernel, scaled_operand, scaled_output, suffix
from tinyedge.ops.contract import Layer
from tinyedge.ops.div import Div
from tinyedge.ops.mul import Mul
from tinyedge.ops.prelu import Prelu
from tinyedge.ops.squared_difference import SquaredDifference
from tinyedge.ops.sub import Sum
from tinyedge.ops.whole_numbers import WholeNumbers

_OTHER_WHOLE = "its operands are int32, the kernel computes with scales"


class PortableWholeNumbers(ElementwiseKernel):
    """Sums, differences, products and quotients in int32."""

    name = "portable/whole_numbers"
    operators: ClassVar[tuple[str, ...]] = ("add", "sub", "mul", "div")
    stem = "te_whole_numbers"
    code = 106
    cycles_per_output = 12

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if isinstance(layer.params, WholeNumbers) else "its operands have scales, the kernel takes int32"

    def function(self, params: WholeNumbers) -> str:
        return f"{self.stem}_{params.function}"


class _PortableSum(ElementwiseKernel):
    struct = "te_sum_params"
    code = 350
    params_bytes = 32
    cycles_per_output = 90

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if isinstance(layer.params, Sum) else _OTHER_WHOLE

    def function(self, params: Sum) -> str:
        return f"te_{'sub' if params.subtract else 'add'}_{suffix(params.dtype)}"

    def members(self, params: Sum) -> Mapping[str, Value]:
        p = params
        return {
            "operands[0]": scaled_operand(p.operands[0]),
            "operands[1]": scaled_operand(p.operands[1]),
            "output": scaled_output(
                p.output_multiplier, p.output_shift, p.output_zero_point, p.activation_min, p.activation_max
            ),
            "left_shift": p.left_shift,
        }


class PortableSub(_PortableSum):
    """Differences in int8 and int16."""

    name = "portable/sub"
    operators: ClassVar[tuple[str, ...]] = ("sub",)
    stem = "te_sub"


class PortableAddS16(_PortableSum):
    """Sums in int16; those in int8 have a kernel of their own."""

    name = "portable/add_s16"
    operators: ClassVar[tuple[str, ...]] = ("add",)
    stem = "te_add_s16"

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if isinstance(layer.params, Sum) else "its operands are not int16"


class PortableMul(ElementwiseKernel):
    """Products in int8 and int16."""

    name = "portable/mul"
    operators: ClassVar[tuple[str, ...]] = ("mul",)
    stem = "te_mul"
    struct = "te_mul_params"
    code = 230
    params_bytes = 16
    cycles_per_output = 45

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if isinstance(layer.params, Mul) else _OTHER_WHOLE

    def function(self, params: Mul) -> str:
        return f"te_mul_{suffix(params.dtype)}"

    def members(self, params: Mul) -> Mapping[str, Value]:
        p = params
        return {
            "output": scaled_output(p.multiplier, p.shift, p.output_zero_point, p.activation_min, p.activation_max),
            "zero_points": array(list(p.zero_points)),
        }


class PortableDiv(ElementwiseKernel):
    """Quotients in int8."""

    name = "portable/div"
    operators: ClassVar[tuple[str, ...]] = ("div",)
    stem = "te_div_s8"
    struct = "te_div_params"
    code = 308
    params_bytes = 12
    cycles_per_output = 295
    runtime = (FIXED_POINT,)

    def fits(self, layer: Layer, core: Core) -> str:
        return "" if isinstance(layer.params, Div) else _OTHER_WHOLE

    def function(self, params: Div) -> str:
        return self.stem

    def members(self, params: Div) -> Mapping[str, Value]:
        p = params
        return {
            "multiplier": p.multiplier,
            "shift": p.shift,
            "zero_points": array(list(p.zero_points)),
            "output_zero_point": p.output_zero_point,
            "activation_min": p.activation_min,
            "activation_max": p.activation_max,
        }


class PortableSquaredDifference(ElementwiseKernel):
    """Squares of differences in int8 and int16."""

    name = "portable/squared_difference"
    operators: ClassVar[tuple[str, ...]] = ("squared_difference",)
    stem = "te_squared_difference"
    struct = "te_squared_difference_params"
    code = 320
    params_bytes = 32
    cycles_per_output = 95

    def function(self, params: SquaredDifference) -> str:
        return f"te_squared_difference_{suffix(params.dtype)}"

    def members(self, params: SquaredDifference) -> Mapping[str, Value]:
        p = params
        return {
            "operands[0]": scaled_operand(p.operands[0]),
            "operands[1]": scaled_operand(p.operands[1]),
            "output": scaled_output(p.output_multiplier, p.output_shift, p.output_zero_point, *integer_range(p.dtype)),
            "left_shift": p.left_shift,
        }


class _PortablePrelu(ElementwiseKernel):
    """Values below zero times a slope."""

    operators: ClassVar[tuple[str, ...]] = ("prelu",)
    dtype: ClassVar[DType]
    cycles_per_output = 46

    def fits(self, layer: Layer, core: Core) -> str:
        p: Prelu = layer.params
        fit = p.dtype is self.dtype
        return "" if fit else f"its values are {p.dtype.value}, the kernel computes in {self.dtype.value}"

    def function(self, params: Prelu) -> str:
        return self.stem

    def members(self, params: Prelu) -> Mapping[str, Value]:
        p = params
        return {
            "multiplier": p.multiplier,
            "slope_multiplier": p.slope_multiplier,
            "shift": p.shift,
            "slope_shift": p.slope_shift,
            "slope_zero_point": p.slope_zero_point,
        }


class PortablePrelu(_PortablePrelu):
    """int8 values below zero times a slope."""

    name = "portable/prelu"
    stem = "te_prelu_s8"
    struct = "te_prelu_params"
    dtype = DType.INT8
    code = 288
    params_bytes = 16

    def members(self, params: Prelu) -> Mapping[str, Value]:
        zero_points = {"input_zero_point": params.input_zero_point, "output_zero_point": params.output_zero_point}
        return {**super().members(params), **zero_points}


class PortablePreluS16(_PortablePrelu):
    """int16 values below zero times a slope of int8."""

    name = "portable/prelu_s16"
    stem = "te_prelu_s16"
    struct = "te_prelu_s16_params"
    dtype = DType.INT16
    code = 230
    params_bytes = 12


KERNELS: tuple[Kernel, ...] = (
    PortableWholeNumbers(),
    PortableSub(),
    PortableAddS16(),
    PortableMul(),
    PortableDiv(),
    PortableSquaredDifference(),
    PortablePrelu(),
    PortablePreluS16(),
)

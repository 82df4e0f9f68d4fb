"""svdf through te_svdf_s8: filter by filter, the state moved on and summed over in one go."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import params_struct
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.svdf import Svdf

STEM = "te_svdf_s8"
CODE_BYTES = 450
LAYER_CODE_BYTES = 24
PARAMS_BYTES = 40
CYCLES_PER_FEATURE = 7
CYCLES_PER_MOMENT = 11
CYCLES_PER_FILTER = 110
CYCLES_PER_UNIT = 50


class PortableSvdf(Kernel):
    """State and time weights of int8 or int16."""

    name = "portable/svdf"
    operators: ClassVar[tuple[str, ...]] = ("svdf",)

    def fits(self, layer: Layer, core: Core) -> str:
        p: Svdf = layer.params
        return checks.sizes((p.batches, p.inputs, p.units, p.rank, p.memory))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Svdf = layer.params
        per_filter = CYCLES_PER_FEATURE * p.inputs + CYCLES_PER_MOMENT * p.memory + CYCLES_PER_FILTER
        cycles = p.batches * (p.filters * per_filter + p.units * CYCLES_PER_UNIT)
        constants = p.features.nbytes + p.times.nbytes + 4 * p.units + PARAMS_BYTES
        return Cost(cycles, LAYER_CODE_BYTES, constants, ((STEM, CODE_BYTES),))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Svdf = layer.params
        prefix = operands.prefix
        wide = p.state_dtype is DType.INT16
        struct = params_struct(
            "te_svdf_params",
            f"{prefix}_params",
            {
                "batches": p.batches,
                "inputs": p.inputs,
                "units": p.units,
                "rank": p.rank,
                "memory": p.memory,
                "input_zero_point": p.input_zero_point,
                "output_zero_point": p.output_zero_point,
                "state_zero_point": p.state_zero_point,
                "feature_shift": p.feature_shift,
                "output_shift": p.output_shift,
                "feature_multiplier": p.feature_multiplier,
                "output_multiplier": p.output_multiplier,
                "features": f"{prefix}_features",
                "times": f"{prefix}_times",
                "bias": f"{prefix}_bias",
            },
        )
        function = f"{STEM}_s16" if wide else STEM
        call = f"{function}(&{prefix}_params, {operands.inputs[0]}, {operands.outputs[1]}, {operands.outputs[0]});"
        times = np.ascontiguousarray(p.times.reshape(-1))
        return Code(
            call=(call,),
            constants=(
                Constant(f"{prefix}_features", "int8_t", p.features.astype(np.int8).reshape(-1), 4, "feature weights"),
                Constant(f"{prefix}_times", "int16_t" if wide else "int8_t", times, 4, "time weights"),
                Constant(f"{prefix}_bias", "int32_t", p.bias.astype(np.int32).reshape(-1), 4, "bias"),
            ),
            functions=struct,
            runtime=(STEM,),
        )


KERNELS: tuple[Kernel, ...] = (PortableSvdf(),)

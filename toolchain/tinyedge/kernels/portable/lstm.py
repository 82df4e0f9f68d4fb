"""unidirectional_sequence_lstm through te_lstm_s8 and te_lstm_s16: unit by unit, without scratch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from tinyedge.arithmetic.quantization import WIDE_FRACTION_BITS, short_multiplier
from tinyedge.arithmetic.sigmoid_s16 import logistic_table, tanh_factor
from tinyedge.boards import Core
from tinyedge.graph.ir import DType
from tinyedge.kernels.common import checks
from tinyedge.kernels.common.c_text import Value, params_struct
from tinyedge.kernels.contract import Code, Constant, Cost, Kernel, Operands
from tinyedge.ops.contract import Layer
from tinyedge.ops.lstm import Factor, Gate, Lstm

STEM = "te_lstm_s8"
CODE_BYTES = 940
LAYER_CODE_BYTES = 28
PARAMS_BYTES = 176
TABLE_BYTES = 512
CYCLES_PER_MAC = 7
CYCLES_PER_UNIT = 800
_GATES = ("input", "forget", "cell", "output")


def _factor(factor: Factor) -> Value:
    return {"multiplier": factor[0], "shift": factor[1]}


def _short_factor(factor: Factor) -> Value:
    return {"multiplier": int(short_multiplier(factor[0])), "right": WIDE_FRACTION_BITS - factor[1]}


class PortableLstm(Kernel):
    """Any number of batches and steps, in int8."""

    name = "portable/unidirectional_sequence_lstm"
    operators: ClassVar[tuple[str, ...]] = ("unidirectional_sequence_lstm",)
    stem: ClassVar[str] = STEM
    code: ClassVar[int] = CODE_BYTES
    dtype: ClassVar[DType] = DType.INT8
    cycles_per_mac: ClassVar[int] = CYCLES_PER_MAC

    def fits(self, layer: Layer, core: Core) -> str:
        p: Lstm = layer.params
        if p.dtype is not self.dtype:
            return f"its activations are {p.dtype.value}, the kernel computes in {self.dtype.value}"
        return checks.sizes((p.batches, p.steps, p.inputs, p.units))

    def cost(self, layer: Layer, core: Core) -> Cost:
        p: Lstm = layer.params
        cycles = self.cycles_per_mac * layer.macs + CYCLES_PER_UNIT * p.batches * p.steps * p.units
        weights = sum(gate.weights.size + gate.recurrent.size + gate.bias.nbytes for gate in p.gates)
        return Cost(cycles, LAYER_CODE_BYTES, weights + PARAMS_BYTES + TABLE_BYTES, ((self.stem, self.code),))

    def emit(self, layer: Layer, core: Core, operands: Operands) -> Code:
        p: Lstm = layer.params
        prefix = operands.prefix
        constants = [Constant(f"{prefix}_sigmoids", "uint16_t", logistic_table(), 2, "sigmoid(i / 24)")]
        members: dict[str, Value] = {}
        for number, (name, gate) in enumerate(zip(_GATES, p.gates, strict=True)):
            constants += self._gate_constants(f"{prefix}_{name}", gate)
            members[f"gates[{number}]"] = {
                "weights": f"{prefix}_{name}_weights",
                "recurrent": f"{prefix}_{name}_recurrent",
                "bias": f"{prefix}_{name}_bias",
                "own": self.sum_factor(gate.factor),
                "past": self.sum_factor(gate.recurrent_factor),
            }
        multiplier, right_shift = tanh_factor(p.cell_power)
        members |= {
            "cell_factor": _factor(p.cell_factor),
            "update_factor": _factor(p.update_factor),
            "hidden_factor": _factor(p.hidden_factor),
            "batches": p.batches,
            "steps": p.steps,
            "inputs": p.inputs,
            "units": p.units,
            **self.zero_points(p),
            "tanh_shift": right_shift,
            "time_major": int(p.time_major),
            "tanh_multiplier": multiplier,
            "cell_clip": p.cell_clip,
            "sigmoids": f"{prefix}_sigmoids",
        }
        output, hidden, cell = operands.outputs
        return Code(
            call=(f"{self.stem}(&{prefix}_params, {operands.inputs[0]}, {hidden}, {cell}, {output});",),
            constants=tuple(constants),
            functions=params_struct(f"{self.stem.removesuffix('_s8')}_params", f"{prefix}_params", members),
            runtime=(self.stem,),
        )

    @staticmethod
    def _gate_constants(prefix: str, gate: Gate) -> list[Constant]:
        bias = np.ascontiguousarray(gate.bias)
        return [
            Constant(f"{prefix}_weights", "int8_t", np.ascontiguousarray(gate.weights, np.int8).reshape(-1)),
            Constant(f"{prefix}_recurrent", "int8_t", np.ascontiguousarray(gate.recurrent, np.int8).reshape(-1)),
            Constant(f"{prefix}_bias", f"{bias.dtype.name}_t", bias, bias.itemsize),
        ]

    def sum_factor(self, factor: Factor) -> Value:
        """The members of what scales a sum."""
        return _factor(factor)

    def zero_points(self, params: Lstm) -> Mapping[str, Value]:
        """The members for zero points."""
        return {"input_zero_point": params.input_zero_point, "hidden_zero_point": params.hidden_zero_point}


class PortableLstmS16(PortableLstm):
    """Any number of batches and steps, in int16 with sums of int64."""

    name = "portable/unidirectional_sequence_lstm_s16"
    stem = "te_lstm_s16"
    code = 1004
    dtype = DType.INT16
    cycles_per_mac = 9

    def sum_factor(self, factor: Factor) -> Value:
        return _short_factor(factor)

    def zero_points(self, params: Lstm) -> Mapping[str, Value]:
        return {}


KERNELS: tuple[Kernel, ...] = (PortableLstm(), PortableLstmS16())

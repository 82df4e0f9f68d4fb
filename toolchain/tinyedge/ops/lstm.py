"""unidirectional_sequence_lstm: the LSTM of Keras in int8 or int16, with an int16 cell; both states last between
inferences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.quantization import (
    MAX_LEFT_SHIFT,
    MAX_WIDE_LEFT_SHIFT,
    Int64Array,
    multiply_by_quantized_multiplier,
    multiply_wide,
    quantize_multiplier,
)
from tinyedge.arithmetic.sigmoid_s16 import logistic_s16, tanh_factor, tanh_s16
from tinyedge.graph.access import constant, first_input, first_output, input_tensor, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor, integer_range
from tinyedge.ops import checks
from tinyedge.ops.contract import Layer, OperatorSpec

_GATES = ("input", "forget", "cell", "output")
"""in the order of the operator's inputs: weights from 1, recurrent weights from 5, biases from 12"""
_WEIGHTS, _RECURRENT, _BIASES = 1, 5, 12
_HIDDEN, _CELL = 18, 19
_ABSENT = (*range(9, 12), *range(16, 18), *range(20, 24))
"""peepholes, projection and normalization"""
_BEFORE = 2.0**-12
"""scale of what goes into a gate's function"""
_BEHIND = 2.0**-15
"""scale of what comes out of it"""

Factor = tuple[int, int]
"""multiplier and shift"""


@dataclass(frozen=True, eq=False)
class Gate:
    """One gate. Shape: weights int8 [units, inputs], recurrent int8 [units, units], bias int32 (int64) [units]."""

    weights: Array
    recurrent: Array
    bias: Array
    factor: Factor
    recurrent_factor: Factor


@dataclass(frozen=True, eq=False)
class Lstm:
    """Parameters. Layer.inputs are the input, the hidden state (like the input int8 or int16) and the cell state
    (int16), both of [batches, units]; Layer.outputs the output and both states. Input and output are
    [batches, steps, ...], or [steps, batches, ...] when `time_major`.

    cell_factor    forget gate * cell -> cell
    update_factor  input gate * cell gate -> cell
    hidden_factor  output gate * tanh(cell) -> hidden state
    cell_clip      limit of the cell's magnitude, -1: none
    """

    dtype: DType
    """of input, output and hidden state; sums of int16 are int64"""
    time_major: bool
    batches: int
    steps: int
    inputs: int
    units: int
    input_gate: Gate
    forget_gate: Gate
    cell_gate: Gate
    output_gate: Gate
    input_zero_point: int
    hidden_zero_point: int
    cell_power: int
    """the scale of the cell is 2**cell_power"""
    cell_clip: int
    cell_factor: Factor
    update_factor: Factor
    hidden_factor: Factor

    @property
    def gates(self) -> tuple[Gate, Gate, Gate, Gate]:
        return self.input_gate, self.forget_gate, self.cell_gate, self.output_gate


def _at(graph: Graph, operator: Operator, positions: Iterable[int]) -> list[Tensor]:
    return [graph.tensors[operator.inputs[position]] for position in positions]


def _states(graph: Graph, operator: Operator) -> tuple[Tensor, Tensor]:
    hidden, cell = _at(graph, operator, (_HIDDEN, _CELL))
    return hidden, cell


def _matrix_factors(graph: Graph, operator: Operator) -> list[float]:
    """Input and recurrent weights of each gate, in turn."""
    source, hidden = first_input(graph, operator).scale, _states(graph, operator)[0].scale
    factors = []
    for gate in range(len(_GATES)):
        weights, recurrent = _at(graph, operator, (_WEIGHTS + gate, _RECURRENT + gate))
        factors += [
            source * weights.scale / _BEFORE,
            hidden * recurrent.scale / _BEFORE,
        ]
    return factors


def _product_factors(graph: Graph, operator: Operator) -> tuple[float, float, float]:
    hidden, cell = _states(graph, operator)
    return _BEHIND * cell.scale / cell.scale, _BEHIND * _BEHIND / cell.scale, _BEHIND * _BEHIND / hidden.scale


def _cell_clip(operator: Operator, cell: Tensor) -> int:
    clip = np.float32(operator.options["cell_clip"])
    if not clip > 0:
        return -1
    return int(min(float(clip) / cell.scale, 32767.0))


def _is_wide(graph: Graph, operator: Operator) -> bool:
    return first_input(graph, operator).dtype is DType.INT16


def standard_operands(graph: Graph, operator: Operator) -> bool:
    """It has 24 inputs and one output: weights and biases of four gates and two states are there, none of peepholes,
    projection and normalization."""
    if len(operator.inputs) != 24 or len(operator.outputs) != 1:
        return False
    wanted = set(range(24)) - set(_ABSENT)
    return all((input_tensor(graph, operator, at) is not None) == (at in wanted) for at in range(24))


def types_fit(graph: Graph, operator: Operator) -> bool:
    """Input, output and hidden state are int8 and biases int32, or int16, with zero points of 0, and int64; weights are
    int8, the cell state int16."""
    hidden, cell = _states(graph, operator)
    activations = (first_input(graph, operator), first_output(graph, operator), hidden)
    weights = _at(graph, operator, range(_WEIGHTS, _WEIGHTS + 8))
    biases = _at(graph, operator, range(_BIASES, _BIASES + 4))
    wide = _is_wide(graph, operator)
    symmetric = all(per_tensor(tensor) and tensor.zero_point == 0 for tensor in activations)
    return (
        all(tensor.dtype is (DType.INT16 if wide else DType.INT8) for tensor in activations)
        and all(tensor.dtype is DType.INT8 for tensor in weights)
        and all(tensor.dtype is (DType.INT64 if wide else DType.INT32) for tensor in biases)
        and cell.dtype is DType.INT16
        and (symmetric or not wide)
    )


def constant_weights(graph: Graph, operator: Operator) -> bool:
    """Weights and biases are constants, the weights with one scale and zero point 0."""
    weights = _at(graph, operator, range(_WEIGHTS, _WEIGHTS + 8))
    biases = _at(graph, operator, range(_BIASES, _BIASES + 4))
    if not all(tensor.is_constant for tensor in (*weights, *biases)):
        return False
    return all(per_tensor(tensor) and tensor.zero_point == 0 for tensor in weights)


def kept_states(graph: Graph, operator: Operator) -> bool:
    """Both states are variables with one scale; the cell's is a power of two from 2**-15 to 1, its zero point 0."""
    hidden, cell = _states(graph, operator)
    if not all(tensor.is_variable and not tensor.is_constant and per_tensor(tensor) for tensor in (hidden, cell)):
        return False
    fraction, exponent = math.frexp(cell.scale)
    return fraction == 0.5 and -15 <= exponent - 1 <= 0 and cell.zero_point == 0


def shapes_match(graph: Graph, operator: Operator) -> bool:
    """Input and output have three dimensions, the first two alike; weights are [units, inputs] and [units, units],
    biases [units], states [batches, units]."""
    source, target = first_input(graph, operator).shape, first_output(graph, operator).shape
    if len(source) != 3 or len(target) != 3 or source[:2] != target[:2] or 0 in (*source, *target):
        return False
    units, states = target[2], source[1 if operator.options["time_major"] else 0] * target[2]
    matrices = [tensor.shape for tensor in _at(graph, operator, range(_WEIGHTS, _WEIGHTS + 8))]
    if matrices != [(units, source[2])] * 4 + [(units, units)] * 4:
        return False
    biases = _at(graph, operator, range(_BIASES, _BIASES + 4))
    kept = _states(graph, operator)
    if any(len(tensor.shape) not in (1, 2) or tensor.shape[-1] != units for tensor in kept):
        return False
    return all(tensor.shape == (units,) for tensor in biases) and all(tensor.elements == states for tensor in kept)


def quantized_alike(graph: Graph, operator: Operator) -> bool:
    """Input and output have one scale and zero point; the output holds the bytes of the hidden state, whatever its own
    are."""
    return per_tensor(first_output(graph, operator)) and per_tensor(first_input(graph, operator))


def tanh_activation(graph: Graph, operator: Operator) -> bool:
    """The activation of the cell is tanh."""
    return bool(operator.options["fused_activation_function"] == "tanh")


def sums_fit(graph: Graph, operator: Operator) -> bool:
    """No input makes a sum leave int32 (2**47 for int16): 255 (32768) * sum |weights| + |bias| of a unit of a gate."""
    largest, limit = (32768, 1 << 47) if _is_wide(graph, operator) else (255, 1 << 31)
    for gate in range(len(_GATES)):
        weights, recurrent, bias = _at(graph, operator, (_WEIGHTS + gate, _RECURRENT + gate, _BIASES + gate))
        for matrix, start in ((constant(weights), constant(bias)), (constant(recurrent), np.zeros(1))):
            magnitude = largest * np.abs(matrix.astype(np.int64)).sum(axis=1) + np.abs(start.astype(np.int64))
            if np.any((magnitude >= limit) | (magnitude < 0)):
                return False
    return True


def scales_fit(graph: Graph, operator: Operator) -> bool:
    """No product of two scales is 2**30 times the scale of its result, or more (2**7 times for sums of int16)."""
    most = MAX_WIDE_LEFT_SHIFT if _is_wide(graph, operator) else MAX_LEFT_SHIFT
    sums = all(checks.scalable(factor, most) for factor in _matrix_factors(graph, operator))
    return sums and all(checks.scalable(factor) for factor in _product_factors(graph, operator))


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    hidden, cell = _states(graph, operator)
    factors = [quantize_multiplier(factor) for factor in _matrix_factors(graph, operator)]
    gates = []
    for gate in range(len(_GATES)):
        weights, recurrent, bias = _at(graph, operator, (_WEIGHTS + gate, _RECURRENT + gate, _BIASES + gate))
        gates.append(
            Gate(constant(weights), constant(recurrent), constant(bias), factors[2 * gate], factors[2 * gate + 1])
        )
    time_major = bool(operator.options["time_major"])
    batches, steps = source.shape[:2][::-1] if time_major else source.shape[:2]
    cell_factor, update_factor, hidden_factor = map(quantize_multiplier, _product_factors(graph, operator))
    params = Lstm(
        dtype=source.dtype,
        time_major=time_major,
        batches=batches,
        steps=steps,
        inputs=source.shape[2],
        units=target.shape[2],
        input_gate=gates[0],
        forget_gate=gates[1],
        cell_gate=gates[2],
        output_gate=gates[3],
        input_zero_point=source.zero_point,
        hidden_zero_point=hidden.zero_point,
        cell_power=math.frexp(cell.scale)[1] - 1,
        cell_clip=_cell_clip(operator, cell),
        cell_factor=cell_factor,
        update_factor=update_factor,
        hidden_factor=hidden_factor,
    )
    macs = batches * steps * 4 * target.shape[2] * (source.shape[2] + target.shape[2])
    return Layer(operator, params, (source, hidden, cell), (target, hidden, cell), macs)


def _saturated(value: Int64Array) -> Int64Array:
    return np.asarray(np.clip(value, -32768, 32767))


def _product(first: Int64Array, second: Int64Array, factor: Factor) -> Int64Array:
    return multiply_by_quantized_multiplier(first * second, *factor)


def _gate_input(params: Lstm, gate: Gate, values: Int64Array, hidden: Int64Array) -> Int64Array:
    """What goes into a gate's function, int16 [batches, units]."""
    scaled = multiply_wide if params.dtype is DType.INT16 else multiply_by_quantized_multiplier
    own = (values - params.input_zero_point) @ gate.weights.astype(np.int64).T + gate.bias
    past = (hidden - params.hidden_zero_point) @ gate.recurrent.astype(np.int64).T
    return _saturated(_saturated(scaled(own, *gate.factor)) + _saturated(scaled(past, *gate.recurrent_factor)))


def reference(params: Lstm, inputs: Sequence[Array]) -> tuple[Array, ...]:
    p = params
    source = inputs[0].astype(np.int64)
    source = source if p.time_major else source.swapaxes(0, 1)
    hidden = inputs[1].astype(np.int64).reshape(p.batches, p.units)
    cell = inputs[2].astype(np.int64).reshape(p.batches, p.units)
    outputs = np.empty((p.steps, p.batches, p.units), p.dtype.numpy)
    low, high = integer_range(p.dtype)
    for step, values in enumerate(source):
        entering = [_gate_input(p, gate, values, hidden) for gate in p.gates]
        admitted, kept, given = (logistic_s16(entering[at]) for at in (0, 1, 3))
        proposed = tanh_s16(entering[2], *tanh_factor(-12))
        cell = _saturated(
            _saturated(_product(kept, cell, p.cell_factor)) + _saturated(_product(admitted, proposed, p.update_factor))
        )
        if p.cell_clip >= 0:
            cell = np.clip(cell, -p.cell_clip, p.cell_clip)
        shown = _product(tanh_s16(cell, *tanh_factor(p.cell_power)), given, p.hidden_factor)
        hidden = np.clip(shown + p.hidden_zero_point, low, high)
        outputs[step] = hidden
    result = outputs if p.time_major else np.ascontiguousarray(outputs.swapaxes(0, 1))
    return result, hidden.astype(p.dtype.numpy), cell.astype(np.int16)


SPECS = (
    OperatorSpec(
        name="unidirectional_sequence_lstm",
        constraints=(
            standard_operands,
            checks.options("fused_activation_function", "cell_clip", "time_major"),
            checks.computed_input,
            types_fit,
            constant_weights,
            kept_states,
            shapes_match,
            quantized_alike,
            tanh_activation,
            sums_fit,
            scales_fit,
        ),
        parse=parse,
        reference=reference,
    ),
)

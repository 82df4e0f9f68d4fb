"""logistic and tanh: int8 by a table of all results, int16 by interpolating in a table of the logistic function."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.sigmoid_s16 import logistic_of_steps, tanh_of_steps
from tinyedge.graph.access import first_input, first_output, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops import checks, lookup
from tinyedge.ops.contract import Layer, OperatorSpec
from tinyedge.ops.lookup import Lookup

_POWER_OF_TWO_TOLERANCE = 1e-3
"""of the base-2 logarithm of a scale that counts as a power of two"""


@dataclass(frozen=True)
class SigmoidS16:
    """Parameters in int16: the input times multiplier / 2**left_shift is in steps of 1/(3 * 4096); tanh or logistic."""

    elements: int
    multiplier: int
    left_shift: int
    tanh: bool


def _power_of_two(scale: float) -> int | None:
    """The exponent of a scale that is a power of two, nearly."""
    logarithm = math.log2(scale)
    nearest = round(logarithm)
    return nearest if abs(logarithm - nearest) < _POWER_OF_TWO_TOLERANCE else None


def types_match(graph: Graph, operator: Operator) -> bool:
    """Input and output are both int8 or both int16, each with one scale and zero point; for int16 the zero points are
    0."""
    tensors = (first_input(graph, operator), first_output(graph, operator))
    if len({tensor.dtype for tensor in tensors}) != 1 or tensors[0].dtype not in (DType.INT8, DType.INT16):
        return False
    return all(per_tensor(t) and (t.dtype is DType.INT8 or t.zero_point == 0) for t in tensors)


def logistic_output(graph: Graph, operator: Operator) -> bool:
    """An int8 output has scale 1/256 and zero point -128, an int16 output scale 1/32768."""
    return _output_fits(first_output(graph, operator), 1 / 256, -128)


def tanh_output(graph: Graph, operator: Operator) -> bool:
    """An int8 output has scale 1/128 and zero point 0, an int16 output scale 1/32768."""
    return _output_fits(first_output(graph, operator), 1 / 128, 0)


def _output_fits(target: Tensor, scale: float, zero_point: int) -> bool:
    if target.dtype is DType.INT16:
        return target.scale > 0 and _power_of_two(target.scale) == -15
    return target.scale == scale and target.zero_point == zero_point


def input_scale_fits(graph: Graph, operator: Operator) -> bool:
    """The input scale is between 2**-28 and 2**30 for int8, between 2**-28 and 2 for int16."""
    source = first_input(graph, operator)
    return 2.0**-28 <= source.scale <= (2.0 if source.dtype is DType.INT16 else 2.0**30)


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    if source.dtype is DType.INT8:
        return lookup.parse(graph, operator)
    multiplier, left_shift = _input_factor(source.scale, 1 if operator.name == "tanh" else 0)
    params = SigmoidS16(source.elements, multiplier, left_shift, operator.name == "tanh")
    return Layer(operator, params, (source,), (target,), macs=0)


def _input_factor(scale: float, most_doublings: int) -> tuple[int, int]:
    """Multiplier and left shift from the input scale to steps of 1/(3 * 4096): exact for scales of 1/4096, and twice
    that for tanh, otherwise a multiplier of 15 bits cut off."""
    exponent = _power_of_two(scale)
    if exponent is not None and 0 <= exponent + 12 <= most_doublings:
        return 3 << (exponent + 12), 0
    multiplier, left_shift = scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and left_shift <= 30:
        multiplier, left_shift = 2.0 * multiplier, left_shift + 1
    return int(multiplier), left_shift


def reference(params: Lookup | SigmoidS16, inputs: Sequence[Array]) -> tuple[Array, ...]:
    if isinstance(params, Lookup):
        return lookup.reference(params, inputs)
    half = (1 << params.left_shift) >> 1
    steps = (inputs[0].astype(np.int64) * params.multiplier + half) >> params.left_shift
    results = tanh_of_steps(steps) if params.tanh else logistic_of_steps(steps)
    return (results.astype(np.int16),)


_CONSTRAINTS = (checks.arity(1, 1), checks.computed_input, types_match, checks.same_shape)

SPECS = (
    OperatorSpec("logistic", (*_CONSTRAINTS, logistic_output, input_scale_fits), parse, reference),
    OperatorSpec("tanh", (*_CONSTRAINTS, tanh_output, input_scale_fits), parse, reference),
)

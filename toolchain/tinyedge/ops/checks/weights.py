"""Constraints of operators with constant weights."""

from __future__ import annotations

from tinyedge.arithmetic import weighted
from tinyedge.arithmetic.quantization import MAX_LEFT_SHIFT, MAX_WIDE_LEFT_SHIFT
from tinyedge.graph.access import first_output, input_tensor, per_tensor
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops.checks import scalable
from tinyedge.ops.contract import Constraint


def constant_weights(graph: Graph, operator: Operator) -> bool:
    """The weights are a constant of int8, or with int8 activations int4, with a scale."""
    weights = weighted.weights_of(graph, operator)
    types = (DType.INT8,) if weighted.has_wide_sums(graph, operator) else (DType.INT8, DType.INT4)
    return weights.is_constant and weights.dtype in types and weights.quantization is not None


def symmetric_weights(graph: Graph, operator: Operator) -> bool:
    """The zero points of the weights are 0."""
    quantization = weighted.weights_of(graph, operator).quantization
    return quantization is not None and not any(quantization.zero_point)


def constant_bias(graph: Graph, operator: Operator) -> bool:
    """The bias, if there is one, is a constant of int32 (int64 for int16) with one value per output channel."""
    bias = input_tensor(graph, operator, 2)
    if bias is None:
        return True
    dtype = DType.INT64 if weighted.has_wide_sums(graph, operator) else DType.INT32
    return bias.is_constant and bias.dtype is dtype and bias.elements == first_output(graph, operator).shape[-1]


def wide_sums(graph: Graph, operator: Operator) -> bool:
    """int16 without a bias is summed in int64: the option quantized_bias_type does not say int32."""
    asked = operator.options.get("quantized_bias_type") == "int32" and input_tensor(graph, operator, 2) is None
    return not (asked and weighted.has_wide_sums(graph, operator))


def channel_axis(axis: int) -> Constraint:
    """A constraint: weights quantized per channel are so along this axis."""

    def check(graph: Graph, operator: Operator) -> bool:
        weights = weighted.weights_of(graph, operator)
        return per_tensor(weights) or (weights.quantization is not None and weights.quantization.axis == axis)

    check.__doc__ = f"The weights are quantized per tensor, or per channel along axis {axis}."
    return check


def multipliers_fit(graph: Graph, operator: Operator) -> bool:
    """Input scale times weights scale is less than 2**30 times the output scale (2**7 times for int16)."""
    most = MAX_WIDE_LEFT_SHIFT if weighted.has_wide_sums(graph, operator) else MAX_LEFT_SHIFT
    return all(scalable(factor, most) for factor in weighted.real_factors(graph, operator))

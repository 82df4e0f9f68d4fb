"""fully_connected in float32: what the pass `compute_floats` makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.float_functions import activation_limits
from tinyedge.graph.access import constant, first_input, first_output, input_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.contract import Layer, OperatorSpec


@dataclass(frozen=True, eq=False)
class FullyConnectedF32:
    """Parameters. Shape: weights [outputs, inputs]; bias [outputs], zeros where the file has none.

    Products are added up in the order of the inputs and the bias last, rounded to float32 at every step.
    """

    batches: int
    weights: Array
    bias: Array
    activation: str


def constant_floats(graph: Graph, operator: Operator) -> bool:
    """Input and output are float32, in a model that is quantized otherwise; weights and bias are constants of it."""
    if (
        first_input(graph, operator).dtype is not DType.FLOAT32
        or first_output(graph, operator).dtype is not DType.FLOAT32
    ):
        return False
    tensors = [input_tensor(graph, operator, position) for position in (1, 2)]
    given = [tensor for tensor in tensors if tensor is not None]
    return tensors[0] is not None and all(tensor.is_constant and tensor.dtype is DType.FLOAT32 for tensor in given)


def sizes_fit(graph: Graph, operator: Operator) -> bool:
    """The weights are [outputs, inputs], input and output hold a whole number of these, the bias has `outputs`."""
    weights, bias = input_tensor(graph, operator, 1), input_tensor(graph, operator, 2)
    if weights is None or len(weights.shape) != 2:
        return False
    outputs, inputs = weights.shape
    batches, rest = divmod(first_input(graph, operator).elements, inputs)
    return (
        not rest
        and first_output(graph, operator).elements == batches * outputs
        and (bias is None or bias.elements == outputs)
    )


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    weights = constant(graph.tensors[operator.inputs[1]])
    outputs, inputs = weights.shape
    bias = input_tensor(graph, operator, 2)
    params = FullyConnectedF32(
        batches=source.elements // inputs,
        weights=weights,
        bias=np.zeros(outputs, np.float32) if bias is None else constant(bias).reshape(-1),
        activation=operator.options["fused_activation_function"],
    )
    return Layer(operator, params, (source,), (target,), macs=source.elements * outputs)


def reference(params: FullyConnectedF32, inputs: Sequence[Array]) -> tuple[Array, ...]:
    low, high = activation_limits(params.activation)
    values = inputs[0].reshape(params.batches, -1)
    result = np.zeros((params.batches, len(params.weights)), np.float32)
    with np.errstate(all="ignore"):
        for column, weights in zip(values.T, params.weights.T, strict=True):
            result = result + column[:, None] * weights[None, :]
        result = result + params.bias
        result = np.where(result < low, low, result)
    return (np.where(result > high, high, result),)


SPECS = (
    OperatorSpec(
        name="fully_connected_f32",
        constraints=(
            checks.arity(2, 3),
            checks.options("fused_activation_function"),
            checks.computed_input,
            checks.known_activation,
            constant_floats,
            sizes_fit,
        ),
        parse=parse,
        reference=reference,
    ),
)

"""l2_normalization: each row along the last axis divided by its Euclidean norm, int8."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.fixed_point import inverse_square_root
from tinyedge.arithmetic.quantization import multiply_by_quantized_multiplier
from tinyedge.graph.access import first_input, first_output
from tinyedge.graph.ir import Array, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.contract import Layer, OperatorSpec

_OUTPUT_BITS = 7
_MOST_VALUES = ((1 << 31) - 1) // 255**2


@dataclass(frozen=True)
class L2Normalization:
    """Parameters: `rows` of `depth` values. The norm of a row of zeros is taken to be 1."""

    rows: int
    depth: int
    zero_point: int


def depth_fits(graph: Graph, operator: Operator) -> bool:
    """Input and output have the same shape of at most four dimensions, at most 33025 values along the last."""
    shape = first_input(graph, operator).shape
    return shape == first_output(graph, operator).shape and 1 <= len(shape) <= 4 and shape[-1] <= _MOST_VALUES


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    depth = source.shape[-1]
    params = L2Normalization(source.elements // depth, depth, source.zero_point)
    return Layer(operator, params, (source,), (target,), macs=0)


def reference(params: L2Normalization, inputs: Sequence[Array]) -> tuple[Array, ...]:
    values = inputs[0].reshape(params.rows, params.depth).astype(np.int64) - params.zero_point
    multiplier, shift = inverse_square_root((values * values).sum(axis=1, keepdims=True))
    scaled = multiply_by_quantized_multiplier(values, multiplier, shift + _OUTPUT_BITS)
    return (np.clip(scaled, -128, 127).astype(np.int8),)


SPECS = (
    OperatorSpec(
        name="l2_normalization",
        constraints=(
            checks.arity(1, 1),
            checks.options("fused_activation_function"),
            checks.computed_input,
            checks.int8_in_and_out,
            checks.no_activation,
            depth_fits,
            checks.output_quantization("1/128", 1 / 128, 0),
        ),
        parse=parse,
        reference=reference,
    ),
)

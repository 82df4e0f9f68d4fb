"""Operands of element-wise operators: shapes that broadcast, constants among them, and scaled operands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.axes import Shape
from tinyedge.arithmetic.quantization import Int64Array, multiply_by_quantized_multiplier, quantize_multiplier
from tinyedge.graph.access import all_inputs, first_output
from tinyedge.graph.ir import Array, Graph, Operator, Tensor


@dataclass(frozen=True, eq=False)
class Broadcast:
    """The operands' shapes as in the file, which broadcast to `output_shape`, and the data of those that are constant
    (None for the others, which are the layer's inputs in this order)."""

    shapes: tuple[Shape, ...]
    output_shape: Shape
    constants: tuple[Array | None, ...]

    def operands(self, inputs: Sequence[Array]) -> list[Array]:
        """All operands, constants filled in between the layer's inputs."""
        computed = iter(inputs)
        return [next(computed) if constant is None else constant for constant in self.constants]


@dataclass(frozen=True)
class Scaled:
    """An operand brought to a common scale: (value - zero_point) * 2**left_shift times (multiplier, shift), shift in
    [-31, 0]; `left_shift` is that of the operator."""

    zero_point: int
    multiplier: int
    shift: int

    def of(self, values: Array, left_shift: int) -> Int64Array:
        shifted = (values.astype(np.int64) - self.zero_point) << left_shift
        return multiply_by_quantized_multiplier(shifted, self.multiplier, self.shift)


def scaled(tensor: Tensor, factor: float) -> Scaled:
    """The operand with its real factor as multiplier and shift."""
    return Scaled(tensor.zero_point, *quantize_multiplier(factor))


def broadcast_of(graph: Graph, operator: Operator) -> Broadcast:
    tensors = all_inputs(graph, operator)
    return Broadcast(
        shapes=tuple(tensor.shape for tensor in tensors),
        output_shape=first_output(graph, operator).shape,
        constants=tuple(tensor.data for tensor in tensors),
    )

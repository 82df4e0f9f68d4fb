"""Operands of element-wise operators: shapes that broadcast, constants among them, and scaled operands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.graph.quantization import Int64Array, multiply_by_quantized_multiplier, quantize_multiplier
from tinyedge.ops import checks
from tinyedge.ops.axes import Shape
from tinyedge.ops.checks import first_output
from tinyedge.ops.contract import Array, Constraint, Layer


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


def tensors_of(graph: Graph, operator: Operator) -> tuple[Tensor, ...]:
    """The operands."""
    return tuple(graph.tensors[key] for key in operator.inputs)


def broadcast_of(graph: Graph, operator: Operator) -> Broadcast:
    tensors = tensors_of(graph, operator)
    return Broadcast(
        shapes=tuple(tensor.shape for tensor in tensors),
        output_shape=first_output(graph, operator).shape,
        constants=tuple(tensor.data for tensor in tensors),
    )


def make_layer(graph: Graph, operator: Operator, params: object) -> Layer:
    """The layer: what is computed among the operands are its inputs."""
    computed = tuple(tensor for tensor in tensors_of(graph, operator) if not tensor.is_constant)
    return Layer(operator, params, computed, (first_output(graph, operator),), macs=0)


# -- constraints -----------------------------------------------------------------------------------------------------


def one_computed(graph: Graph, operator: Operator) -> bool:
    """At least one of its inputs is computed by the model."""
    return not all(tensor.is_constant for tensor in tensors_of(graph, operator))


def broadcasts(graph: Graph, operator: Operator) -> bool:
    """The shapes of its inputs broadcast to the shape of the output, which has at most four dimensions."""
    shape = first_output(graph, operator).shape
    try:
        return len(shape) <= 4 and np.broadcast_shapes(*(t.shape for t in tensors_of(graph, operator))) == shape
    except ValueError:
        return False


def same_types(*dtypes: DType) -> Constraint:
    """A constraint: inputs and output are all of one of these types, quantized with one scale each."""

    def check(graph: Graph, operator: Operator) -> bool:
        tensors = (*tensors_of(graph, operator), first_output(graph, operator))
        if len({tensor.dtype for tensor in tensors}) != 1 or tensors[0].dtype not in dtypes:
            return False
        symmetric = tensors[0].dtype is DType.INT16
        return all(checks.per_tensor(t) and not (symmetric and t.zero_point) for t in tensors)

    names = " or all ".join(dtype.value for dtype in dtypes)
    zero = " (0 for int16)" if DType.INT16 in dtypes else ""
    check.__doc__ = f"Inputs and output are all {names}, each with one scale and zero point{zero}."
    return check


def all_same_quantization(graph: Graph, operator: Operator) -> bool:
    """Its inputs and its output have the same scale (within 1e-6) and zero point."""
    target = first_output(graph, operator)
    return all(
        abs(tensor.scale - target.scale) <= 1e-6 and tensor.zero_point == target.zero_point
        for tensor in tensors_of(graph, operator)
    )

"""Short ways from an operator to its tensors."""

from __future__ import annotations

import numpy as np

from tinyedge.graph.ir import Array, Graph, Operator, Tensor


def input_tensor(graph: Graph, operator: Operator, position: int) -> Tensor | None:
    """The input at a position; None when it is absent."""
    if position >= len(operator.inputs) or operator.inputs[position] < 0:
        return None
    return graph.tensors[operator.inputs[position]]


def first_input(graph: Graph, operator: Operator) -> Tensor:
    return graph.tensors[operator.inputs[0]]


def first_output(graph: Graph, operator: Operator) -> Tensor:
    return graph.tensors[operator.outputs[0]]


def all_inputs(graph: Graph, operator: Operator) -> tuple[Tensor, ...]:
    """The inputs of an operator none of whose inputs is absent."""
    return tuple(graph.tensors[key] for key in operator.inputs)


def per_tensor(tensor: Tensor) -> bool:
    """Whether a tensor has one scale and one zero point."""
    return tensor.quantization is not None and not tensor.quantization.per_channel


def constant(tensor: Tensor) -> Array:
    """The data of a tensor that is known to be constant."""
    assert tensor.data is not None, tensor.name
    return np.asarray(tensor.data)

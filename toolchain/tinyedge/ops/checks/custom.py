"""Custom operators: their options, which are a map in flexbuffers, and the types and shapes that they state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flatbuffers import flexbuffers

from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.ops.contract import Constraint


def custom_options(operator: Operator) -> Mapping[str, int]:
    """The whole numbers and truths among the options; none where they are damaged."""
    try:
        stated = flexbuffers.Loads(operator.options.get("custom_options", b""))
    except Exception:  # whatever flexbuffers makes of damaged bytes
        return {}
    if not isinstance(stated, dict):
        return {}
    return {key: int(value) for key, value in stated.items() if isinstance(value, int)}


def states(**limits: tuple[int, int]) -> Constraint:
    """A constraint: the options have these names and no others, each within its limits, both included."""

    def check(graph: Graph, operator: Operator) -> bool:
        stated = custom_options(operator)
        # TensorFlow Lite Micro takes the values by their places in the order of the names
        return stated.keys() == limits.keys() and all(low <= stated[key] <= high for key, (low, high) in limits.items())

    listed = ", ".join(f"{key} in [{low:,}, {high:,}]" for key, (low, high) in limits.items())
    check.__doc__ = f"Its options state {listed}, and nothing else."
    return check


def types(inputs: Sequence[DType], outputs: Sequence[DType]) -> Constraint:
    """A constraint: so many inputs and outputs, all there, of these types."""

    def check(graph: Graph, operator: Operator) -> bool:
        if len(operator.inputs) != len(inputs) or len(operator.outputs) != len(outputs) or min(operator.inputs) < 0:
            return False
        tensors = [graph.tensors[key] for key in (*operator.inputs, *operator.outputs)]
        return [tensor.dtype for tensor in tensors] == [*inputs, *outputs] and all(t.elements for t in tensors)

    texts = [", ".join(dtype.value for dtype in dtypes) for dtypes in (inputs, outputs)]
    check.__doc__ = f"Its inputs are {texts[0]}; its outputs {texts[1]}."
    return check


def constants(*positions: int) -> Constraint:
    """A constraint: the inputs at these positions are constants, the first input is none."""

    def check(graph: Graph, operator: Operator) -> bool:
        tensors = [graph.tensors[key] for key in operator.inputs]
        return not tensors[0].is_constant and all(tensors[at].is_constant for at in positions)

    listed = f"input {positions[0]} is" if len(positions) == 1 else f"inputs {', '.join(map(str, positions))} are"
    check.__doc__ = f"Its first input is computed by the model; {listed} constant." if positions else ""
    return check


def computed(graph: Graph, operator: Operator) -> bool:
    """Its inputs are computed by the model."""
    return not any(graph.tensors[key].is_constant for key in operator.inputs)


def lines_of_one_length(graph: Graph, operator: Operator) -> bool:
    """Inputs and outputs have one dimension, or none where they are one number, and the same elements otherwise."""
    tensors = [graph.tensors[key] for key in (*operator.inputs, *operator.outputs)]
    flat = all(len(tensor.shape) <= 1 for tensor in tensors)
    return flat and len({tensor.elements for tensor in tensors if tensor.shape}) == 1

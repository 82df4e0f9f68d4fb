"""Remove operators whose results nobody reads, and tensors nobody names."""

from __future__ import annotations

from tinyedge.graph.ir import DType, Graph


def remove_unused(graph: Graph) -> Graph:
    """Drop what no output of the model depends on.

    Lossless: an operator is dropped only when none of its outputs is read or is an output of the model, and when it
    touches no variable or resource, so all it could do was write memory that is never looked at.
    """
    needed = set(graph.outputs)
    kept = []
    for operator in reversed(graph.operators):
        operands = [graph.tensors[key] for key in (*operator.inputs, *operator.outputs) if key >= 0]
        stateful = any(t.is_variable or t.dtype is DType.RESOURCE for t in operands)
        if stateful or needed.intersection(operator.outputs):
            kept.append(operator)
            needed.update(key for key in operator.inputs if key >= 0)
    if not kept:
        return graph
    named = needed.union(graph.inputs, *(op.outputs for op in kept))
    if len(kept) == len(graph.operators) and named >= graph.tensors.keys():
        return graph
    tensors = {key: tensor for key, tensor in graph.tensors.items() if key in named}
    return graph.evolve(operators=tuple(reversed(kept)), tensors=tensors)

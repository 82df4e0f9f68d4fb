"""Remove reshape, squeeze and expand_dims inside the graph."""

from __future__ import annotations

from tinyedge.graph.ir import Graph
from tinyedge.ops.reshape import Reshape
from tinyedge.optimize.rewrite import merge_tensors, try_parse


def remove_reshapes(graph: Graph) -> Graph:
    """Let the reader of a reshaped tensor read the original, or its writer write the reshaped one.

    Lossless: a reshape moves no byte, and it goes only where every layer around it keeps exactly the same parameters
    under the other shape (a fully connected layer does not ask how its inputs are arranged; a convolution does). One
    that must stay, between an input of the model and a convolution say, costs nothing either: the planner gives its
    two sides one piece of memory.
    """
    now = {operator.index: operator for operator in graph.operators}
    for index in tuple(now):
        operator = now[index]  # an earlier merge may have changed it
        layer = try_parse(graph, operator)
        if layer is None or not isinstance(layer.params, Reshape) or len(layer.inputs) != 1:
            continue
        source, target = layer.inputs[0], layer.outputs[0]
        if source.is_constant or source.is_variable or target.is_variable or source.dtype is not target.dtype:
            continue
        if merged := merge_tensors(graph, operator, source.index, target.index):
            graph = merged
            now.update({operator.index: operator for operator in graph.operators})
    return graph

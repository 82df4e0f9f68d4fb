"""How much of what a model computes from given samples is cut off at the ends of its range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tinyedge.artifacts import Progress
from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor
from tinyedge.ops import parse_graph
from tinyedge.ops.reference import initial_state, run_graph

_SUMS = ("conv_2d", "depthwise_conv_2d", "fully_connected", "transpose_conv", "add", "sub", "mul")
"""operators whose results can be larger than what they are quantized for"""
_RECTIFIED = ("relu", "relu6")


def clipped_shares(graph: Graph, samples: Sequence[Array], progress: Progress) -> Mapping[int, float]:
    """Tensor key -> share of its values that lie at an end of int8 where no activation puts them, for results of sums.

    graph    settled, and one that runs
    samples  [N, *shape] for each of its inputs
    """
    layers = parse_graph(graph)
    watched = [(op, graph.tensors[op.outputs[0]]) for op in graph.operators if op.name in _SUMS]
    watched = [(op, tensor) for op, tensor in watched if tensor.dtype is DType.INT8 and tensor.quantization]
    clipped = dict.fromkeys((tensor.index for _, tensor in watched), 0)
    state = initial_state(graph)
    count = len(samples[0])
    for row in range(count):
        values = run_graph(graph, [array[row] for array in samples], layers, state)
        for operator, tensor in watched:
            clipped[tensor.index] += sum(int((values[tensor.index] == end).sum()) for end in _ends(operator, tensor))
        progress(row + 1, count)
    return {tensor.index: clipped[tensor.index] / (count * max(tensor.elements, 1)) for _, tensor in watched}


def _ends(operator: Operator, tensor: Tensor) -> list[int]:
    """The ends of int8 at which values are cut off by their range and not by the activation."""
    activation = operator.options.get("fused_activation_function", "none")
    limits = np.iinfo(np.int8)
    ends = [] if activation in _RECTIFIED else [int(limits.min)]
    six = tensor.scale * (limits.max + 0.5 - tensor.zero_point) >= 6
    return ends if activation == "relu6" and six else [*ends, int(limits.max)]

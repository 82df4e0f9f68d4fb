"""Compute at compile time what does not depend on the input."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyedge.graph.ir import Graph, Operator
from tinyedge.ops.checks import computed_input
from tinyedge.ops.contract import constant
from tinyedge.optimize.rewrite import add_tensors, reference_outputs, remove_operators, try_parse


def _feeds_output_alone(graph: Graph, operator: Operator) -> bool:
    """Whether an operator that writes an output of the model would read constants only, were this one folded."""
    consumers = (consumer for key in operator.outputs for consumer in graph.consumers(key))
    return any(
        all(tensor.is_constant or tensor.index in operator.outputs for tensor in graph.present_inputs(consumer))
        for consumer in consumers
        if any(key in graph.outputs for key in consumer.outputs)
    )


def fold_constants(graph: Graph) -> Graph:
    """Replace operators that read only constants by their results.

    Lossless: the results come from the same reference that the kernels are held to. An output of the model is never
    folded: it needs memory to be read from, and the operator writes it. So one operator before it stays as well, since
    none can run that reads constants alone.
    """
    for operator in graph.operators:
        present = list(graph.present_inputs(operator))
        outputs = [graph.tensors[key] for key in operator.outputs]
        if not present or not all(t.is_constant for t in present) or len(graph.operators) == 1:
            continue
        if any(t.is_variable or t.index in graph.outputs for t in outputs) or _feeds_output_alone(graph, operator):
            continue
        layer = try_parse(graph, operator, waived=[computed_input])
        if layer is None:
            continue
        results = reference_outputs(layer, [constant(t) for t in layer.inputs])
        folded = []
        for tensor, result in zip(outputs, results, strict=True):
            data = np.ascontiguousarray(np.asarray(result, tensor.dtype.numpy).reshape(tensor.shape))
            data.flags.writeable = False
            folded.append(replace(tensor, data=data))
        graph = add_tensors(remove_operators(graph, [operator.index]), folded)
    return graph

"""Make operators in float32 that are no tables runnable. It runs before a model is checked, after `fold_islands`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tinyedge.arithmetic.float_functions import OF_LIBRARY
from tinyedge.graph.access import constant
from tinyedge.graph.ir import DType, Graph, Operator, Tensor
from tinyedge.ops import OPERATORS, is_quantized_in_part
from tinyedge.ops.checks import computed_input
from tinyedge.ops.elementwise_f32 import SUFFIX
from tinyedge.optimize.fold_islands import Column, Columns, tabulated
from tinyedge.optimize.remove_unused import remove_unused
from tinyedge.optimize.rewrite import add_tensors, reference_outputs, remove_operators, replace_operator, try_parse


def compute_floats(graph: Graph) -> Graph:
    """Give operators of float32 in a model that is quantized otherwise the names under which they have kernels.

    Those that call the C library become tables in float32, where they are functions of single int8 values and what
    follows from them is int8 before it leaves the model, which hides a last bit that depends on the library; others
    stay as they are, and are refused. Constants that are dequantized become float32.

    Lossless: the kernels round as those of TensorFlow Lite Micro do at every step.
    """
    if not is_quantized_in_part(graph):
        return graph
    columns = Columns(graph)
    computed = graph
    for operator in graph.operators:
        if operator.name == "dequantize":
            computed = _dequantized(computed, operator)
        elif operator.name in OF_LIBRARY:
            single = len(operator.outputs) == 1 and _ends_in_int8(graph, operator)
            column = columns.of(operator.outputs[0]) if single else None
            if column is not None and column.source is not None and np.isfinite(column.results).all():
                computed = replace_operator(computed, _table(operator, column))
        elif operator.name + SUFFIX in OPERATORS and _is_float(graph, operator):
            computed = replace_operator(computed, replace(operator, name=operator.name + SUFFIX))
    return graph if computed is graph else remove_unused(computed)


def _is_float(graph: Graph, operator: Operator) -> bool:
    tensors = (*graph.present_inputs(operator), *(graph.tensors[key] for key in operator.outputs))
    return any(tensor.dtype is DType.FLOAT32 and not tensor.is_constant for tensor in tensors)


def _ends_in_int8(graph: Graph, operator: Operator) -> bool:
    """Whether what an operator gives in float32 is quantized to int8 wherever it goes."""
    pending, seen = list(operator.outputs), set(operator.outputs)
    while pending:
        key = pending.pop()
        if key in graph.outputs:
            return False
        for reader in graph.consumers(key):
            found = [graph.tensors[output] for output in reader.outputs]
            if reader.name == "quantize" and any(tensor.dtype is not DType.INT8 for tensor in found):
                return False
            further = [tensor.index for tensor in found if tensor.dtype is DType.FLOAT32 and tensor.index not in seen]
            pending += further
            seen.update(further)
    return True


def _table(operator: Operator, column: Column) -> Operator:
    return tabulated(operator, column, tuple(float(value) for value in np.broadcast_to(column.results, 256)))


def _dequantized(graph: Graph, operator: Operator) -> Graph:
    """The graph with a constant in float32 instead of a dequantize of one; as it is where there is none, or where the
    operator would be refused."""
    layer = try_parse(graph, operator, waived=[computed_input])
    if layer is None or not layer.inputs[0].is_constant or layer.outputs[0].index in graph.outputs:
        return graph
    target = layer.outputs[0]
    (result,) = reference_outputs(layer, [constant(layer.inputs[0])])
    data = np.ascontiguousarray(result, np.float32).reshape(target.shape)
    data.flags.writeable = False
    folded: Tensor = replace(target, data=data)
    return add_tensors(remove_operators(graph, [operator.index]), [folded])

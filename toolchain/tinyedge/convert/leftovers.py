"""What is left in float after a quantization, and whether tinyedge can run the model."""

from __future__ import annotations

from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.graph.reader import read_model
from tinyedge.ops import check
from tinyedge.ops.checks.float_only import FLOAT_ONLY, NO_KERNEL
from tinyedge.optimize import settle_graph

_BORDERS = ("quantize", "dequantize")


def float_operators(tflite: bytes) -> list[str]:
    """Operators that compute in float32, `relu (layer name)`, in their order; and inputs and outputs that are float."""
    graph = settle_graph(read_model(tflite, "model"))
    inside = [f"`{operator.name}` ({graph.tensors[operator.outputs[0]].name})" for operator in _inside(graph)]
    return [*inside, *_borders(graph)]


def _inside(graph: Graph) -> list[Operator]:
    found = []
    for operator in graph.operators:
        used = [*graph.present_inputs(operator), *(graph.tensors[key] for key in operator.outputs)]
        if operator.name not in _BORDERS and any(tensor.dtype is DType.FLOAT32 for tensor in used):
            found.append(operator)
    return found


def _borders(graph: Graph) -> list[str]:
    return [
        f"{kind} `{tensor.name}`"
        for kind, tensors in (("input", graph.input_tensors()), ("output", graph.output_tensors()))
        for tensor in tensors
        if tensor.dtype is DType.FLOAT32
    ]


def check_result(tflite: bytes, name: str) -> list[str]:
    """What a person should know of a quantized model that can be run: operators that stay in float32.

    Raises: ModelError in the words of the operator that cannot run
    """
    left = float_operators(tflite)
    graph = settle_graph(read_model(tflite, name))
    try:
        check(graph)
    except ModelError as error:
        if left:
            error.what += f"\n       after the quantization these are left in float32: {', '.join(left)}"
        instead = {**FLOAT_ONLY, **NO_KERNEL}
        hints = [f"instead of `{op.name}`: {instead[op.name]}" for op in _inside(graph) if instead.get(op.name)]
        error.hint = "; ".join(dict.fromkeys(hints)) or error.hint
        raise
    return [f"{entry} stays in float32" for entry in left]

"""What tinyedge runs of a file and TensorFlow Lite Micro does not."""

from __future__ import annotations

from tinyedge.graph.ir import DType, Graph, Operator

MOST_JOINED = 10
"""inputs that TensorFlow Lite Micro's concatenation takes"""
_SHAPES = frozenset(
    (
        *("add", "cast", "concatenation", "div", "equal", "greater", "greater_equal", "less", "less_equal"),
        *("logical_and", "logical_not", "logical_or", "maximum", "minimum", "mul", "not_equal", "pack", "reshape"),
        *("select_v2", "shape", "slice", "squeeze", "strided_slice", "sub"),
    )
)
"""operators whose kernels take int32 and bool"""


def beyond_oracle(original: Graph, settled: Graph) -> str:
    """Why TensorFlow Lite Micro cannot run a file that tinyedge runs; empty where it can.

    settled  the same graph without what was computed at compile time
    """
    kept = {operator.index: operator for operator in settled.operators}
    for operator in original.operators:
        title = f"operator {operator.index} `{operator.name}`"
        if operator.name == "concatenation" and len(operator.inputs) > MOST_JOINED:
            return f"{title} joins {len(operator.inputs):,} tensors, it takes {MOST_JOINED}"
        for inner, after in zip(operator.subgraphs, _subgraphs(kept.get(operator.index), operator), strict=True):
            if why := beyond_oracle(inner, after):
                return why
        types = {original.tensors[key].dtype for key in operator.outputs}
        if operator.index in kept or not types <= {DType.INT32, DType.INT64, DType.BOOL}:
            continue
        if DType.INT64 in types or operator.name not in _SHAPES:
            held = " or ".join(sorted(dtype.value for dtype in types))
            return f"{title} computes a shape in {held}, for which it has no kernel"
    return ""


def _subgraphs(settled: Operator | None, operator: Operator) -> tuple[Graph, ...]:
    """What an operator runs once it is settled; what is gone computes nothing that is kept."""
    return operator.subgraphs if settled is None else settled.subgraphs

"""tinyedge's own references in the place of the oracle, for models that TensorFlow Lite Micro does not run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.artifacts import Observer
from tinyedge.graph.ir import Array, DType, Graph
from tinyedge.ops.reference import initial_state, run_graph

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


@dataclass(frozen=True, eq=False)
class OwnReference:
    """The numpy references of a graph's operators.

    why  what TensorFlow Lite Micro cannot run of the model
    """

    graph: Graph
    why: str

    @property
    def notes(self) -> tuple[str, ...]:
        return (f"outputs are compared with tinyedge's own references, not with TensorFlow Lite Micro: {self.why}",)

    def outputs(self, samples: Sequence[Array], observer: Observer) -> list[Array]:
        """One array [N, *shape] for each output of the model."""
        with observer.progress("reference on the host"):
            state = initial_state(self.graph)
            runs = [run_graph(self.graph, list(sample), state=state) for sample in zip(*samples, strict=True)]
        return [np.stack([values[key] for values in runs]) for key in self.graph.outputs]


def beyond_oracle(original: Graph, settled: Graph) -> str:
    """Why TensorFlow Lite Micro cannot run a file that tinyedge runs; empty where it can.

    settled  the same graph without what was computed at compile time
    """
    kept = {operator.index for operator in settled.operators}
    for operator in original.operators:
        title = f"operator {operator.index} `{operator.name}`"
        if operator.name == "concatenation" and len(operator.inputs) > MOST_JOINED:
            return f"{title} joins {len(operator.inputs):,} tensors, it takes {MOST_JOINED}"
        types = {original.tensors[key].dtype for key in operator.outputs}
        if operator.index in kept or not types <= {DType.INT32, DType.INT64, DType.BOOL}:
            continue
        if DType.INT64 in types or operator.name not in _SHAPES:
            held = " or ".join(sorted(dtype.value for dtype in types))
            return f"{title} computes a shape in {held}, for which it has no kernel"
    return ""

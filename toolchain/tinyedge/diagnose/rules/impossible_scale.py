"""TE308: scales that no number can have."""

from __future__ import annotations

import math
from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.graph.stored import StoredGraph, StoredTensor

_INTEGERS = ("int4", "int8", "uint8", "int16")


def find(subject: Subject) -> Iterator[Found]:
    """A scale of 0 for a channel of weights is a channel without weights (TE306)."""
    for graph in subject.graphs:
        for tensor in graph.tensors:
            if tensor.dtype not in _INTEGERS or not _is_used(graph, tensor):
                continue
            wrong = [s for s in tensor.scale if not math.isfinite(s) or s < 0 or (s == 0 and not tensor.is_constant)]
            if wrong:
                many = (
                    f"{len(wrong)} of its {len(tensor.scale)} scales are" if len(tensor.scale) > 1 else "its scale is"
                )
                yield Found(f"{many} {wrong[0]:g}", graph.number, graph.producer(tensor.index), tensor)


def _is_used(graph: StoredGraph, tensor: StoredTensor) -> bool:
    return bool(graph.consumers(tensor.index)) or graph.producer(tensor.index) is not None


RULE = Rule(
    Explanation(
        "TE308",
        "scale that means nothing",
        "error",
        "Integers stand for scale times (value - zero point). With a scale of zero every value is the same, with "
        "NaN, infinity or a negative one multipliers cannot be computed: calibration saw NaN, or nothing but one "
        "value. Runtimes do not look, and compute with whatever comes of it.",
        "It computes as TensorFlow Lite Micro does where that is defined, and refuses what is not.",
        "Look for NaN in the samples, then calibrate again:\n\n"
        "    import numpy as np\n"
        "    print(np.isnan(samples).any(), samples.min(), samples.max())",
    ),
    find,
)

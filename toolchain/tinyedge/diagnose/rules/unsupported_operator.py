"""TE201: an operator of TensorFlow Lite that tinyedge has no kernel for."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.graph.stored import UNKNOWN
from tinyedge.ops import is_builtin
from tinyedge.ops.checks.float_only import FLOAT_ONLY, NO_KERNEL, TFLM_ONLY


def find(subject: Subject) -> Iterator[Found]:
    """Where the whole graph cannot be read, those are told that no runtime here has."""
    if subject.settled is not None:
        for verdict in subject.verdicts:
            if verdict.kind == "unknown" and is_builtin(verdict.operator.name):
                yield _found(verdict.operator.name, verdict.what, verdict.operator)
        return
    for graph, operator in subject.operators():
        lacking = operator.name in FLOAT_ONLY or operator.name in NO_KERNEL
        if lacking and not operator.is_custom and not operator.name.startswith(UNKNOWN):
            yield _found(operator.name, f"`{operator.name}` is not supported", operator, graph.number)


def _found(name: str, what: str, operator: object, graph: int = 0) -> Found:
    why = ""
    if name in FLOAT_ONLY:
        why = "; TensorFlow Lite Micro computes it in float32 only"
    elif name not in TFLM_ONLY:
        why = "; TensorFlow Lite Micro has no kernel either"
    instead = FLOAT_ONLY.get(name) or NO_KERNEL.get(name)
    fix = f"In place of `{name}`: {instead}" if instead else None
    return Found(what + why, graph, operator, fix=fix)  # type: ignore[arg-type]


RULE = Rule(
    Explanation(
        "TE201",
        "unsupported operator",
        "error",
        "TensorFlow Lite has some 160 operators; runtimes for microcontrollers have those that small networks use, "
        "as each is code in flash. A model with another one fails on the device, when its tensors are allocated.",
        "It refuses the model before anything is built, and names the operator.",
        "See what there is, write the layer with that, and convert again:\n\n    tinyedge ops",
    ),
    find,
)

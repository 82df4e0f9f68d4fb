"""TE219: operators whose results nobody uses."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted
from tinyedge.graph.stored import StoredGraph

_EFFECTS = ("assign_variable", "call_once", "var_handle", "while", "if", "unidirectional_sequence_lstm", "svdf")
"""operators that do something beside their results"""


def find(subject: Subject) -> Iterator[Found]:
    for graph in subject.graphs:
        needed = _needed(graph)
        dead = [op for op in graph.operators if op.outputs and not needed.intersection(op.outputs)]
        if dead:
            names = ", ".join(dict.fromkeys(operator.name for operator in dead))
            yield Found(f"{counted(len(dead), 'operator')} ({names}) lead to no output", graph.number, dead[0])


def _needed(graph: StoredGraph) -> set[int]:
    """The tensors that an output or a change of state depends on."""
    needed = set(graph.outputs)
    for operator in reversed(graph.operators):
        effect = operator.name in _EFFECTS or operator.is_custom or not operator.outputs
        if effect or needed.intersection(operator.outputs):
            needed.update(operator.outputs, operator.inputs)
    return needed


RULE = Rule(
    Explanation(
        "TE219",
        "operators without use",
        "note",
        "A branch that was needed in training only, or that was cut off by hand. An interpreter runs it at every "
        "inference all the same.",
        "It leaves such operators out.",
        "Export only what the outputs need:\n\n    keras.Model(model.inputs, [wanted_output])",
    ),
    find,
)

"""TE203: an operator that somebody made for a runtime of their own."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.rules.flex_operator import FLEX
from tinyedge.ops import OPERATORS


def find(subject: Subject) -> Iterator[Found]:
    for graph, operator in subject.operators():
        if operator.is_custom and operator.name not in OPERATORS and not operator.name.startswith(FLEX):
            yield Found(f"`{operator.name}` is no operator of TensorFlow Lite", graph.number, operator)


RULE = Rule(
    Explanation(
        "TE203",
        "custom operator",
        "error",
        "The file only has the name and the options of a custom operator; what it computes stands in the runtime of "
        "whoever made it (`allow_custom_ops`, delegates, compilers of accelerators such as Vela or Edge TPU). No "
        "other runtime can run it.",
        "It runs the custom operators of TensorFlow Lite Micro's audio front end, and refuses others.",
        "Take the model from before the step that put the operator in, or convert without\n\n"
        "    converter.allow_custom_ops = True",
    ),
    find,
)

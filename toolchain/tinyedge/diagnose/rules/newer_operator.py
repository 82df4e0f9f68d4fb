"""TE206: an operator that is newer than the schema."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.graph.stored import UNKNOWN


def find(subject: Subject) -> Iterator[Found]:
    for graph, operator in subject.operators():
        if operator.name.startswith(UNKNOWN) and not operator.is_custom:
            number = operator.name.removeprefix(UNKNOWN)
            yield Found(f"builtin operator {number} is unknown to the schema that is installed", graph.number, operator)


RULE = Rule(
    Explanation(
        "TE206",
        "operator newer than the schema",
        "error",
        "The file names an operator by a number that came into TensorFlow Lite's schema later than the one that is "
        "installed here, or the file is damaged. A runtime on a device is older still.",
        "It refuses the model.",
        "    pip install --upgrade tinyedge-toolchain ai-edge-litert\n\n"
        "If that does not help, convert with an older TensorFlow, or write the layer otherwise.",
    ),
    find,
)

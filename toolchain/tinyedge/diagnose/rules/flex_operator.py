"""TE202: an operator that needs the whole of TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject

FLEX = "Flex"
"""how the names of such operators begin"""


def find(subject: Subject) -> Iterator[Found]:
    for graph, operator in subject.operators():
        if operator.is_custom and operator.name.startswith(FLEX):
            name = operator.name.removeprefix(FLEX)
            yield Found(f"TensorFlow's `{name}`, carried along because SELECT_TF_OPS was set", graph.number, operator)


RULE = Rule(
    Explanation(
        "TE202",
        "Flex operator",
        "error",
        "With SELECT_TF_OPS the converter keeps what TensorFlow Lite lacks as calls into TensorFlow itself, a "
        "library of tens of megabytes that exists for phones and not for microcontrollers.",
        "It refuses the model.",
        "Convert without it; the converter then names what it cannot express, and that layer has to be written "
        "otherwise:\n\n    converter.target_spec.supported_ops = [\n"
        "        tf.lite.OpsSet.TFLITE_BUILTINS_INT8]",
    ),
    find,
)

"""TE108: something is computed in 64-bit integers."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted

_WIDE = ("int64",)
"""the uint64 energies of the audio front end are meant so"""


def find(subject: Subject) -> Iterator[Found]:
    refused = {verdict.operator.index for verdict in subject.verdicts}
    left = None if subject.settled is None else {operator.index for operator in subject.settled.operators}
    for graph, operator in subject.operators():
        wide = [tensor for tensor in graph.results(operator) if tensor.dtype in _WIDE]
        if not wide or (graph.number == 0 and left is not None and operator.index not in left):
            continue
        runs = left is not None and not (graph.number == 0 and operator.index in refused)
        tensor = wide[0]
        yield Found(
            f"it computes {counted(tensor.elements, 'value')} of {tensor.dtype}, {tensor.bytes:,} B",
            graph.number,
            operator,
            tensor,
            severity="warning" if runs else "error",
        )


RULE = Rule(
    Explanation(
        "TE108",
        "64-bit integers",
        "error",
        "Indices, classes or shapes are int64, TensorFlow's default. A 32-bit core adds, compares and moves them in "
        "two steps, multiplies in four, and they take twice the RAM. TensorFlow Lite Micro has hardly a kernel for "
        "them: ARG_MAX to int64, for one, is refused. The int64 biases of int16 models are meant so, and are not "
        "told.",
        "What follows from shapes alone is computed at build time. What is left is an error where no kernel takes it.",
        "Ask for 32 bits where the index is made, or leave it to the application:\n\n"
        "    tf.argmax(x, axis=-1, output_type=tf.int32)",
    ),
    find,
)

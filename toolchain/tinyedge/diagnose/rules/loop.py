"""TE210: a recurrent layer that was left as a loop."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted

_LISTS = ("TensorList", "FlexTensorList")


def find(subject: Subject) -> Iterator[Found]:
    for graph, operator in subject.operators():
        if operator.name == "while":
            number = operator.options.get("body_subgraph_index", 0)
            body = len(subject.stored.graphs[number].operators) if 0 < number < len(subject.stored.graphs) else 0
            yield Found(f"a loop whose body has {counted(body, 'operator')}", graph.number, operator)


RULE = Rule(
    Explanation(
        "TE210",
        "loop instead of a recurrent operator",
        "warning",
        "An LSTM that the converter could not recognize, and every GRU or simple RNN, becomes a WHILE with "
        "subgraphs. Each step goes through a dozen small operators, copies its state, and often stays in float, as "
        "the converter does not calibrate loops. UNIDIRECTIONAL_SEQUENCE_LSTM does the same in one kernel.",
        "It runs loops whose bodies it can run in integers, TensorFlow Lite Micro's way; one in float is refused "
        "(TE101 or TE103).",
        "Fix the batch, so that an LSTM is recognized; a GRU has to be unrolled:\n\n"
        "    spec = tf.TensorSpec([1, 49, 10])\n"
        "    function = tf.function(model).get_concrete_function(spec)\n"
        "    converter = tf.lite.TFLiteConverter.from_concrete_functions(\n"
        "        [function], model)\n\n"
        "    layers.GRU(16, unroll=True)",
    ),
    find,
)

"""TE401: more models in the file than the one that runs."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted


def find(subject: Subject) -> Iterator[Found]:
    model = subject.stored
    used = {graph.number for graph in subject.graphs}
    unused = [graph for graph in model.graphs if graph.number not in used]
    if unused or len(model.signatures) > 1:
        names = f" ({', '.join(model.signatures[:4])})" if model.signatures else ""
        operators = sum(len(graph.operators) for graph in unused)
        yield Found(
            f"{counted(len(model.signatures), 'signature')}{names} and {counted(len(model.graphs), 'subgraph')}; "
            "only the first runs, "
            f"{counted(operators, 'operator')} of others never do"
        )


RULE = Rule(
    Explanation(
        "TE401",
        "several signatures",
        "warning",
        "A file can hold several functions: training and inference, encoder and decoder. Runtimes for "
        "microcontrollers run the first subgraph. It may not be the one that is meant, and the others take flash.",
        "It runs the first subgraph, and leaves the weights of others out of the firmware.",
        "Export the one that the device needs:\n\n"
        "    tf.lite.TFLiteConverter.from_saved_model(\n"
        '        folder, signature_keys=["serving_default"])',
    ),
    find,
)

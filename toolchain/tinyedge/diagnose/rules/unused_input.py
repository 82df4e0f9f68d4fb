"""TE218: an input that nothing reads."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject


def find(subject: Subject) -> Iterator[Found]:
    graph = subject.main
    for key in graph.inputs:
        if not graph.consumers(key) and key not in graph.outputs:
            tensor = graph.tensors[key]
            yield Found(f"no operator reads it; it takes {tensor.bytes:,} B", tensor=tensor)


RULE = Rule(
    Explanation(
        "TE218",
        "unused input",
        "warning",
        "An application has to fill a buffer that changes nothing; often the wrong branch was exported.",
        "It keeps the input, as others may fill inputs by their numbers.",
        "Export the model without it:\n\n    keras.Model(inputs=[image], outputs=model.outputs)",
    ),
    find,
)

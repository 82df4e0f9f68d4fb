"""TE216: a softmax that only the loss needed."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted


def find(subject: Subject) -> Iterator[Found]:
    graph = subject.main
    for key in graph.outputs:
        producer = graph.producer(key)
        if producer is not None and producer.name in ("dequantize", "quantize") and producer.inputs:
            producer = graph.producer(producer.inputs[0])
        if producer is not None and producer.name == "softmax":
            count = graph.tensors[producer.outputs[0]].elements
            yield Found(
                f"it makes an output of {counted(count, 'value')}; the largest was the largest before", 0, producer
            )


RULE = Rule(
    Explanation(
        "TE216",
        "softmax that could go",
        "note",
        "Softmax keeps the order of the classes, so the class is known without it. It costs some 40 instructions a "
        "class, a table of exponentials, and squeezes small differences into 1/256. It is needed where the "
        "probability itself is used.",
        "It runs it, bit-exactly.",
        "Train on logits, without the last activation:\n\n"
        "    layers.Dense(classes)\n"
        "    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)",
    ),
    find,
)

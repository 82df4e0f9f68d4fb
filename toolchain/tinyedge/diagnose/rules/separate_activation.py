"""TE208: an activation that could be part of the layer before it."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted

_FUSED = ("relu", "relu6", "relu_n1_to_1")
_BEFORE = ("conv_2d", "depthwise_conv_2d", "fully_connected", "add", "mul", "sub", "average_pool_2d", "max_pool_2d")


def find(subject: Subject) -> Iterator[Found]:
    for graph, operator in subject.operators():
        if operator.name not in _FUSED or not operator.inputs or operator.inputs[0] < 0:
            continue
        source = operator.inputs[0]
        producer = graph.producer(source)
        if producer is None or producer.name not in _BEFORE or len(graph.consumers(source)) > 1:
            continue
        if producer.options.get("fused_activation_function", "none") == "none" and source not in graph.outputs:
            count = graph.tensors[source].elements
            yield Found(
                f"a pass over {counted(count, 'value')} that operator {producer.index} `{producer.name}` could do as "
                "it stores them",
                graph.number,
                operator,
            )


RULE = Rule(
    Explanation(
        "TE208",
        "separate activation",
        "warning",
        "A ReLU of its own reads and writes every value once more, takes a second buffer, and the layer before it "
        "spends half of its 8 bits on negative numbers that are thrown away. In training that knows of quantization "
        "a layer with a separate ReLU behind it is even left out (TE209).",
        "It runs the activation as a layer of its own.",
        'State the activation in the layer, and convert again:\n\n    layers.Conv2D(16, 3, activation="relu")',
    ),
    find,
)

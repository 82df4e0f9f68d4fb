"""TE102: weights are integers, activations floats."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.floats import AGAIN, float_operators, hybrid_weights


def find(subject: Subject) -> Iterator[Found]:
    for graph, operator in float_operators(subject):
        weights = hybrid_weights(graph, operator)
        if weights is not None and weights.dtype != "float16":
            yield Found(
                f"its weights `{weights.name}` are {weights.dtype}, its activations float32",
                graph.number,
                operator,
                weights,
            )


RULE = Rule(
    Explanation(
        "TE102",
        "dynamic-range (hybrid) quantization",
        "error",
        "The converter had no representative data set, so it quantized the weights alone. Activations stay 32-bit "
        "floats and are quantized at every inference, or weights are turned back into floats: RAM is that of a float "
        "model, and so is the time. TensorFlow Lite Micro has no kernels for it.",
        "It refuses the model. The float model that it was made from can be converted.",
        AGAIN,
    ),
    find,
)

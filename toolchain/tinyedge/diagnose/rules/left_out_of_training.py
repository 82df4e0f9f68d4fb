"""TE209: layers that quantization-aware training did not reach."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject

_TRAINED = ("LastValueQuant", "FakeQuant")
"""what stands in the names of weights that were quantized in training, by tensorflow_model_optimization"""


def find(subject: Subject) -> Iterator[Found]:
    layers = [layer for layer in subject.weighted if layer.operator.name != "transpose_conv"]
    aware = [any(word in layer.weights.name for word in _TRAINED) for layer in layers]
    if not any(aware):
        return
    for layer, reached in zip(layers, aware, strict=True):
        if not reached:
            yield Found(
                f"its weights `{layer.weights.name}` were not quantized in training, those of {sum(aware)} other "
                "layers were",
                layer.graph.number,
                layer.operator,
                layer.weights,
            )


RULE = Rule(
    Explanation(
        "TE209",
        "layer left out of quantization-aware training",
        "warning",
        "tensorflow_model_optimization gives a convolution or Dense layer that is followed by a ReLU layer of its "
        "own no quantizer for its weights, and says nothing. The layer is quantized after the training, from "
        "calibration alone, so the accuracy that was trained for is not the one that is got.",
        "`tinyedge train` joins such layers before it trains. A finished file it runs as it is.",
        "State the activation in the layer, and train again:\n\n"
        '    layers.Conv2D(16, 3, activation="relu")    # not Conv2D and ReLU()',
    ),
    find,
)

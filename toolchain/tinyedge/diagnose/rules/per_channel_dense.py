"""TE302: a fully connected layer with a scale for each output, which old runtimes do not know."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.words import counted


def find(subject: Subject) -> Iterator[Found]:
    layers = [
        layer for layer in subject.weighted if layer.operator.name == "fully_connected" and layer.weights.per_channel
    ]
    if layers:
        first = layers[0]
        yield Found(
            f"{counted(len(layers), 'layer')} with a scale for each output ({first.channels} in the first)",
            first.graph.number,
            first.operator,
            first.weights,
        )


RULE = Rule(
    Explanation(
        "TE302",
        "per-channel fully connected",
        "note",
        "Converters have done so since 2024, and it is the more accurate way. Versions of TensorFlow Lite Micro and "
        "CMSIS-NN from before that read the first scale only: outputs are wrong, or allocation fails, without a word "
        "of why. Vendors' SDKs are often years behind.",
        "It runs such layers, compiled or with a new TensorFlow Lite Micro; `--runtime tflm` refuses a tree that is "
        "too old.",
        "For an old runtime, when converting with TensorFlow:\n\n"
        '    dense = "_experimental_disable_per_channel_quantization_for_dense_layers"\n'
        "    setattr(converter, dense, True)",
    ),
    find,
)

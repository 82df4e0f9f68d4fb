"""TE310: int8 weights with a zero point."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject


def find(subject: Subject) -> Iterator[Found]:
    refused = {verdict.operator.index for verdict in subject.verdicts}
    for layer in subject.weighted:
        zeros = [zero for zero in layer.weights.zero_point if zero]
        if zeros and layer.weights.dtype == "int8":
            runs = layer.graph.number > 0 or layer.operator.index not in refused
            yield Found(
                f"its weights have zero point {zeros[0]}",
                layer.graph.number,
                layer.operator,
                layer.weights,
                severity="warning" if runs else "error",
            )


RULE = Rule(
    Explanation(
        "TE310",
        "weights with a zero point",
        "error",
        "The rules of TensorFlow Lite's int8 want the zero point of weights to be 0. With another one every product "
        "needs a correction that depends on the input; kernels for microcontrollers leave it out, CMSIS-NN among "
        "them, so that results differ from runtime to runtime.",
        "It refuses convolutions with such weights (an error). Where TensorFlow Lite Micro takes the zero point into "
        "account, as in fully connected layers, it does so too (a warning).",
        "Quantize the float model again with symmetric weights, the default everywhere:\n\n"
        "    tinyedge convert float_model.tflite --data samples.npz",
    ),
    find,
)

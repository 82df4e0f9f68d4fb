"""TE106: a model of TensorFlow 1, in uint8."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.floats import AGAIN
from tinyedge.diagnose.words import counted

_BORDERS = ("quantize", "dequantize")


def find(subject: Subject) -> Iterator[Found]:
    places = [
        (graph, operator)
        for graph, operator in subject.operators()
        if operator.name not in _BORDERS
        and not operator.is_custom
        and any(
            tensor.dtype == "uint8" and not tensor.is_constant
            for tensor in (*graph.operands(operator), *graph.results(operator))
        )
    ]
    if places:
        graph, first = places[0]
        yield Found(f"uint8 is computed in {counted(len(places), 'operator')}", graph.number, first)


RULE = Rule(
    Explanation(
        "TE106",
        "uint8 model",
        "error",
        "TensorFlow 1 quantized to uint8 with one scale for all channels. Today's kernels for microcontrollers, "
        "those of CMSIS-NN among them, are for int8, and TensorFlow Lite Micro has dropped uint8. A uint8 input or "
        "output behind a QUANTIZE is something else, and fine.",
        "It refuses the model: no exact int8 form of it exists, as rounding differs.",
        AGAIN,
    ),
    find,
)

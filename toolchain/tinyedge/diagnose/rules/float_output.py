"""TE105: an output is float."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.rules.float_input import BORDERS
from tinyedge.diagnose.words import counted


def find(subject: Subject) -> Iterator[Found]:
    if not subject.is_quantized_in_part:
        return
    for key in subject.main.outputs:
        tensor = subject.main.tensors[key]
        if tensor.dtype == "float32":
            yield Found(f"{counted(tensor.elements, 'value')} of float32", tensor=tensor)


RULE = Rule(
    Explanation(
        "TE105",
        "float output",
        "note",
        "The model ends with a DEQUANTIZE, which pulls floating point into a firmware that may need none. The class "
        "with the largest output is the same before it, and a threshold can be compared as an int8.",
        "It runs such models bit-exactly; the DEQUANTIZE is a layer of its own.",
        "Where the model is converted with TensorFlow:\n\n" + BORDERS,
    ),
    find,
)

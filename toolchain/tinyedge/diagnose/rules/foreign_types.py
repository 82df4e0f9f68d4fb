"""TE109: tensors of types that no runtime for microcontrollers computes."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.graph.ir import DType

_TOLD_ELSEWHERE = ("float16", "variant")
_KNOWN = {dtype.value for dtype in DType}


def find(subject: Subject) -> Iterator[Found]:
    for graph in subject.graphs:
        for tensor in graph.tensors:
            if tensor.dtype not in _KNOWN and tensor.dtype not in _TOLD_ELSEWHERE:
                yield Found(f"its type is {tensor.dtype}", graph.number, tensor=tensor)


RULE = Rule(
    Explanation(
        "TE109",
        "type without kernels",
        "error",
        "Strings, float64, bfloat16, complex numbers and their like are made for servers: the kernels of TensorFlow "
        "Lite Micro do not take them, and a microcontroller would compute them in software.",
        "It refuses the model.",
        "Feed numbers instead of strings, and build the network in float32 before it is converted:\n\n"
        '    keras.backend.set_floatx("float32")',
    ),
    find,
)

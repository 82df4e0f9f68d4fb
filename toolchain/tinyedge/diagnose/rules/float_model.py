"""TE101: nothing of the model is quantized."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.floats import CONVERT, float_operators, hybrid_weights


def find(subject: Subject) -> Iterator[Found]:
    found = list(float_operators(subject))
    if not found or subject.is_quantized_in_part or any(hybrid_weights(*place) for place in found):
        return
    graph, first = found[0]
    weights = sum(
        tensor.bytes for each in subject.graphs for tensor in each.tensors if tensor.is_constant and tensor.is_float
    )
    yield Found(
        f"all {len(found)} of its operators compute in floating point; its constants take {weights:,} B, in int8 "
        "about a quarter of that",
        graph.number,
        first,
    )


RULE = Rule(
    Explanation(
        "TE101",
        "float model",
        "error",
        "Weights and activations are 32-bit floats: four times the flash and the RAM of int8, and on a core without "
        "a floating-point unit (Cortex-M0+, M3, many RISC-V) every multiplication is a call of a library, 30 to 100 "
        "instructions. The fast kernels of microcontrollers are made for int8.",
        "It refuses to build the model as it is, and converts it to int8 when it gets samples of its inputs.",
        CONVERT,
    ),
    find,
)

"""TE107: weights are stored as float16."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject
from tinyedge.diagnose.floats import AGAIN
from tinyedge.diagnose.words import counted


def find(subject: Subject) -> Iterator[Found]:
    halves = [tensor for tensor in subject.main.tensors if tensor.dtype == "float16"]
    if halves:
        size = sum(tensor.bytes for tensor in halves)
        yield Found(f"{counted(len(halves), 'tensor')} of float16, {size:,} B", tensor=halves[0])


RULE = Rule(
    Explanation(
        "TE107",
        "float16 weights",
        "error",
        "Weights are stored in half precision and turned into float32 before they are used. That halves a download; "
        "on a microcontroller the float32 copies have to be in RAM, and all is computed in float. Few cores have "
        "arithmetic for float16.",
        "It refuses the model. The float32 model that it was made from can be converted.",
        AGAIN,
    ),
    find,
)

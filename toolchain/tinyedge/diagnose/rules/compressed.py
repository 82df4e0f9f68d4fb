"""TE405: a file of TensorFlow Lite Micro's compression tool."""

from __future__ import annotations

from collections.abc import Iterator

from tinyedge.artifacts.diagnosis import Explanation
from tinyedge.diagnose.contract import Found, Rule, Subject

METADATA = "COMPRESSION_METADATA"


def find(subject: Subject) -> Iterator[Found]:
    if METADATA in subject.stored.metadata:
        yield Found(f"its metadata has `{METADATA}`: constants are indices into tables of values")


RULE = Rule(
    Explanation(
        "TE405",
        "compressed by TensorFlow Lite Micro's tool",
        "error",
        "The bytes of compressed tensors are indices; a runtime that does not know that computes with them as if "
        "they were weights. Only interpreters that were built with USE_TFLM_COMPRESSION read such files.",
        "It refuses the model.",
        "Give the model from before the compression:\n\n    tinyedge check uncompressed.tflite",
    ),
    find,
)

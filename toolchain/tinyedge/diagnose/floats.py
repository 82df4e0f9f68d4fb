"""What computes in floating point, as several rules ask it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tinyedge.graph.stored import StoredGraph, StoredOperator, StoredTensor

if TYPE_CHECKING:
    from tinyedge.diagnose.contract import Subject

CONVERT = (
    "With samples of its inputs tinyedge quantizes it:\n\n"
    "    tinyedge convert MODEL --data samples.npz\n\n"
    "or with TensorFlow:\n\n"
    "    converter.optimizations = [tf.lite.Optimize.DEFAULT]\n"
    "    converter.representative_dataset = samples\n"
    "    converter.target_spec.supported_ops = [\n"
    "        tf.lite.OpsSet.TFLITE_BUILTINS_INT8]"
)
"""how a float model becomes an int8 one"""
AGAIN = CONVERT.replace("MODEL", "float_model.tflite").replace(
    "With samples of its inputs tinyedge quantizes it", "Take the float model that this file was made from, and samples"
)
"""the same where the file at hand is not that model any more"""
_BORDERS = ("quantize", "dequantize")
_INTEGERS = ("int4", "int8", "uint8", "int16", "float16")


def float_operators(subject: Subject) -> Iterator[tuple[StoredGraph, StoredOperator]]:
    """The operators, but for quantize and dequantize, that read or write floats that are computed."""
    for graph, operator in subject.operators():
        used = (*graph.operands(operator), *graph.results(operator))
        if operator.name not in _BORDERS and any(t.is_float and not t.is_constant for t in used):
            yield graph, operator


def hybrid_weights(graph: StoredGraph, operator: StoredOperator) -> StoredTensor | None:
    """The weights of a float operator that are kept in fewer bits, given directly or through a dequantize."""
    for tensor in graph.operands(operator):
        if tensor.is_constant and tensor.dtype in _INTEGERS:
            return tensor
        producer = graph.producer(tensor.index)
        if producer is not None and producer.name == "dequantize":
            sources = [source for source in graph.operands(producer) if source.is_constant]
            if sources:
                return sources[0]
    return None

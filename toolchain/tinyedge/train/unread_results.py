"""Lets TensorFlow's quantizer treat results that nobody reads in one way.

Of an operator with several results, as the first split of an unrolled GRU, some may have no reader. Whether the
quantizer makes such an operator int8 or leaves it in float32 depends on addresses in memory, so one model converts to
several files. While every result is an output of the model, the operator becomes int8 always.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def all_results_read() -> Iterator[None]:
    """Within the block, TensorFlow's converter quantizes as if each result in float32 were read."""
    lite: Any = importlib.import_module("tensorflow.lite.python.lite")
    quantize = lite._mlir_quantize

    def quantize_all(model: bytes, *options: Any, **named: Any) -> bytes:
        return quantize_with_unread(model, lambda extended: bytes(quantize(extended, *options, **named)))

    lite._mlir_quantize = quantize_all
    try:
        yield
    finally:
        lite._mlir_quantize = quantize


def quantize_with_unread(model: bytes, quantize: Callable[[bytes], bytes]) -> bytes:
    """What `quantize` makes of a float .tflite to which unread results were added as outputs, without these outputs.

    A model without unread results reaches `quantize` as it is.
    """
    parsed = _unpack(model)
    graph = parsed.subgraphs[0]
    unread = _unread_results(graph)
    if not unread:
        return quantize(model)
    count = len(graph.outputs)
    graph.outputs = [*graph.outputs, *unread]
    quantized = _unpack(quantize(_pack(parsed)))
    quantized.subgraphs[0].outputs = list(quantized.subgraphs[0].outputs[:count])
    return _pack(quantized)


def _unread_results(graph: Any) -> list[int]:
    """Indices of tensors of float32 that operators compute and nobody reads."""
    from ai_edge_litert.schema_py_generated import TensorType

    read = {key for operator in graph.operators for key in operator.inputs} | set(graph.outputs)
    results = [key for operator in graph.operators for key in operator.outputs if key not in read]
    return [key for key in results if graph.tensors[key].type == TensorType.FLOAT32]


def _unpack(model: bytes) -> Any:
    from ai_edge_litert.schema_py_generated import Model, ModelT

    return ModelT.InitFromObj(Model.GetRootAs(bytearray(model)))


def _pack(parsed: Any) -> bytes:
    import flatbuffers

    builder = flatbuffers.Builder(1024)
    builder.Finish(parsed.Pack(builder), b"TFL3")
    return bytes(builder.Output())

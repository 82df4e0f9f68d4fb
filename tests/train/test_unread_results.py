"""Results that nobody reads are read while a model is quantized, and by nobody afterwards."""

from __future__ import annotations

import numpy as np

from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.reader import read_model
from tinyedge.train.unread_results import quantize_with_unread


def _parts(read: tuple[int, ...]) -> bytes:
    """A split of float32 into three, of which some are read, and an arg_max, whose int32 nobody reads."""
    builder = TfliteBuilder()
    source = builder.tensor((1, 6), "float32")
    axis = builder.tensor((), "int32", data=np.int32(1))
    parts = [builder.tensor((1, 2), "float32") for _ in range(3)]
    builder.operator("split", [axis, source], parts, num_splits=3)
    builder.operator("arg_max", [source, axis], [builder.tensor((1,), "int32")])
    outputs = [builder.tensor((1, 2), "float32") for _ in read]
    for part, output in zip(read, outputs, strict=True):
        builder.operator("neg", [parts[part]], [output])
    return builder.build([source], outputs)


def test_unread_results_are_outputs_during_the_quantization_alone() -> None:
    seen: list[tuple[int, ...]] = []

    def quantize(model: bytes) -> bytes:
        graph = read_model(model, "seen")
        seen.append(graph.outputs)
        return model

    quantized = quantize_with_unread(_parts((0, 2)), quantize)
    assert seen == [(6, 7, 3)]  # the middle part, and not the int32
    graph = read_model(quantized, "m")
    assert graph.outputs == (6, 7)
    assert [operator.name for operator in graph.operators] == ["split", "arg_max", "neg", "neg"]


def test_a_model_without_unread_results_is_quantized_as_it_is() -> None:
    model = _parts((0, 1, 2))
    assert quantize_with_unread(model, lambda given: given) is model

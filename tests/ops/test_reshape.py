"""reshape, squeeze and expand_dims against TensorFlow Lite Micro, and their refusals."""

from __future__ import annotations

import numpy as np
import pytest

from kits import tflm
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph

Shape = tuple[int, ...]


def reshaped(operator: str, before: Shape, after: Shape, *second: int, dtype: str = "int8") -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor(before, dtype, scale=0.1)
    operands = [source]
    if second:
        operands.append(builder.tensor((len(second),), "int32", data=np.array(second, np.int32)))
    target = builder.tensor(after, dtype, scale=0.1)
    builder.operator(operator, operands, [target])
    return builder.build([source], [target])


@pytest.mark.parametrize(
    "tflite",
    [
        reshaped("reshape", (2, 3, 4), (1, 24), 1, 24),
        reshaped("reshape", (2, 3, 4), (6, 4), -1, 4),
        reshaped("reshape", (2, 3, 4), (24,)),
        reshaped("reshape", (2, 6), (3, 4), 3, 4, dtype="int16"),
        reshaped("squeeze", (1, 3, 1, 4), (3, 4)),
        reshaped("expand_dims", (3, 4), (3, 1, 4), 1),
    ],
)
def test_equals_tflm(tflite: bytes) -> None:
    tflm.assert_bit_exact(tflite, 1)


def test_bytes() -> None:
    (layer,) = parse_graph(read_model(reshaped("reshape", (2, 6), (12,), dtype="int16"), "m"))
    assert layer.params.bytes == 24


def test_another_number_of_elements_is_refused() -> None:
    with pytest.raises(ModelError, match="same number of elements"):
        check(read_model(reshaped("reshape", (2, 3), (7,)), "m"))


def test_a_computed_shape_is_refused() -> None:
    builder = TfliteBuilder()
    x, s, y = builder.tensor((2, 3), scale=0.1), builder.tensor((1,), "int32"), builder.tensor((6,), scale=0.1)
    builder.operator("reshape", [x, s], [y])
    with pytest.raises(ModelError, match="is a constant"):
        check(read_model(builder.build([x, s], [y]), "m"))

"""relu and relu6 against TensorFlow Lite Micro, and their refusals."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import tflm
from support.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph


def activation(operator: str, scales: tuple[float, float], zero_points: tuple[int, int]) -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor((1, 512), scale=scales[0], zero_point=zero_points[0])
    target = builder.tensor((1, 512), scale=scales[1], zero_point=zero_points[1])
    builder.operator(operator, [source], [target])
    return builder.build([source], [target])


@settings(max_examples=80, deadline=None)
@given(
    scales=st.tuples(tflm.scales, tflm.scales),
    zero_points=st.tuples(tflm.zero_points, tflm.zero_points),
    seed=tflm.seeds,
)
def test_relu_equals_tflm(scales: tuple[float, float], zero_points: tuple[int, int], seed: int) -> None:
    tflm.assert_bit_exact(activation("relu", scales, zero_points), seed)


@settings(max_examples=80, deadline=None)
@given(scale=tflm.scales, zero_point=tflm.zero_points, seed=tflm.seeds)
def test_relu6_equals_tflm(scale: float, zero_point: int, seed: int) -> None:
    tflm.assert_bit_exact(activation("relu6", (scale, scale), (zero_point, zero_point)), seed)


def test_table_has_one_entry_for_each_value() -> None:
    (layer,) = parse_graph(read_model(activation("relu6", (0.1, 0.1), (-10, -10)), "m"))
    assert layer.params.table.shape == (256,)
    assert (layer.params.table.min(), layer.params.table.max()) == (-10, 50)
    assert layer.params.elements == 512


def test_relu6_with_another_output_quantization_is_refused() -> None:
    with pytest.raises(ModelError, match="same scale"):
        check(read_model(activation("relu6", (0.1, 0.2), (0, 0)), "m"))

"""quantize and dequantize against TensorFlow Lite Micro, and their refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.reference import run_graph
from tinyedge.ops.requantize import FloatBorder, Requantize

INTEGER_PAIRS = [
    ("int8", "int8"),
    ("int8", "uint8"),
    ("uint8", "int8"),
    ("int8", "int16"),
    ("int8", "int32"),
    ("int16", "int8"),
    ("int16", "int16"),
    ("int16", "int32"),
    ("int32", "int8"),
    ("int32", "int16"),
]


def conversion(
    types: tuple[str, str],
    *,
    scales: tuple[float, float] = (0.05, 0.03),
    zero_points: tuple[int, int] = (3, -5),
    operator: str = "quantize",
    shape: tuple[int, ...] = (2, 64),
    output_shape: tuple[int, ...] = (2, 64),
) -> bytes:
    builder = TfliteBuilder()
    keys = []
    for kind, scale, zero_point, size in zip(types, scales, zero_points, (shape, output_shape), strict=True):
        quantization: dict[str, Any] = {} if kind == "float32" else {"scale": scale, "zero_point": zero_point}
        keys.append(builder.tensor(size, kind, **quantization))
    builder.operator(operator, [keys[0]], [keys[1]])
    return builder.build([keys[0]], [keys[1]])


@settings(max_examples=150, deadline=None)
@given(
    types=st.sampled_from(INTEGER_PAIRS),
    scales=st.tuples(tflm.scales, tflm.scales),
    same=st.booleans(),
    zero_points=st.tuples(tflm.zero_points, tflm.zero_points),
    seed=tflm.seeds,
)
def test_between_integers(
    types: tuple[str, str], scales: tuple[float, float], same: bool, zero_points: tuple[int, int], seed: int
) -> None:
    zeros = [zero % 256 if kind == "uint8" else zero for kind, zero in zip(types, zero_points, strict=True)]
    zeros = [0 if kind in ("int16", "int32") else zero for kind, zero in zip(types, zeros, strict=True)]
    scales = (scales[0], scales[0]) if same else scales
    # A left shift that leaves 32 bits is undefined in the interpreter's C++.
    assume(types[0] != "int32" or scales[0] < scales[1])
    tflm.assert_bit_exact(conversion(types, scales=scales, zero_points=(zeros[0], zeros[1])), seed)


@settings(max_examples=60, deadline=None)
@given(
    target=st.sampled_from(["int8", "int16"]),
    scale=tflm.scales,
    zero_point=tflm.zero_points,
    seed=tflm.seeds,
)
def test_from_float(target: str, scale: float, zero_point: int, seed: int) -> None:
    tflm.assert_bit_exact(conversion(("float32", target), scales=(1.0, scale), zero_points=(0, zero_point)), seed)


def test_halves_and_values_out_of_range() -> None:
    tflite = conversion(("float32", "int8"), scales=(1.0, 0.5), shape=(1, 8), output_shape=(1, 8))
    graph = read_model(tflite, "m")
    values = np.array([[0.25, 0.75, -0.25, -0.75, 1e9, -1e9, 63.9, -65.0]], np.float32)
    output = run_graph(graph, [values])[1]
    np.testing.assert_array_equal(output, tflm.interpret(tflite, [values])[0])
    np.testing.assert_array_equal(output, [[-4, -3, -6, -7, 127, -128, 123, -128]])


def test_values_no_integer_holds_saturate() -> None:
    graph = read_model(conversion(("float32", "int8"), shape=(1, 3), output_shape=(1, 3)), "m")
    values = np.array([[np.inf, -np.inf, np.nan]], np.float32)
    np.testing.assert_array_equal(run_graph(graph, [values])[1], [[127, -128, -5]])


@settings(max_examples=60, deadline=None)
@given(
    source=st.sampled_from(["int8", "uint8", "int16"]),
    scale=tflm.scales,
    zero_point=tflm.zero_points,
    seed=tflm.seeds,
)
def test_to_float(source: str, scale: float, zero_point: int, seed: int) -> None:
    zero_point = zero_point % 256 if source == "uint8" else zero_point
    tflite = conversion((source, "float32"), scales=(scale, 1.0), zero_points=(zero_point, 0), operator="dequantize")
    tflm.assert_bit_exact(tflite, seed)


def test_parameters() -> None:
    (integer,) = parse_graph(read_model(conversion(("int16", "int8"), zero_points=(0, 4)), "m"))
    assert isinstance(integer.params, Requantize)
    assert integer.params.elements == 128
    (border,) = parse_graph(read_model(conversion(("float32", "int8")), "m"))
    assert isinstance(border.params, FloatBorder)
    assert border.params.zero_point == -5


@pytest.mark.parametrize(
    ("tflite", "rule"),
    [
        (conversion(("int32", "int32"), zero_points=(0, 0)), "goes from float32"),
        (conversion(("float32", "uint8"), zero_points=(0, 0)), "goes from float32"),
        (conversion(("int32", "float32"), operator="dequantize"), "goes from int8, uint8 or int16"),
        (conversion(("int8", "int8"), output_shape=(128,)), "same shape"),
        (conversion(("int8", "int8"), scales=(1e9, 1e-9)), "2\\*\\*30 times"),
    ],
)
def test_refusals(tflite: bytes, rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(tflite, "m"))

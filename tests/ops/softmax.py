"""softmax in int8 and int16."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.draft import Draft
from kits.kernel_layers import INT31, KernelCases, Rng, make_layer
from kits.operator_models import Operand, one_to_one, scale, shape_of
from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.reference import run_graph
from tinyedge.ops.softmax import Softmax, exponentials

UNIT = Operand("int16", 2.0**-15)


def softmax(
    *,
    shape: tuple[int, ...] = (2, 5),
    scale: float = 0.1,
    zero_point: int = 4,
    beta: float = 1.0,
    output_scale: float = 1 / 256,
    output_zero_point: int = -128,
    output_dtype: str = "int8",
) -> bytes:
    builder = TfliteBuilder()
    source = builder.tensor(shape, scale=scale, zero_point=zero_point)
    if output_dtype == "int16":
        output_scale, output_zero_point = 1 / 65536, -32768
    target = builder.tensor(shape, output_dtype, scale=output_scale, zero_point=output_zero_point)
    builder.operator("softmax", [source], [target], beta=beta)
    return builder.build([source], [target])


@settings(max_examples=150, deadline=None)
@given(
    shape=st.lists(st.integers(1, 6), min_size=1, max_size=3).flatmap(
        lambda front: st.integers(1, 40).map(lambda last: (*front, last))
    ),
    scale=st.one_of(tflm.scales, st.floats(-20, 6).map(lambda e: float(np.float32(2.0**e)))),
    beta=st.sampled_from([1.0, 0.5, 2.0, 10.0]),
    zero_point=tflm.zero_points,
    output_dtype=st.sampled_from(["int8", "int16"]),
    seed=tflm.seeds,
)
def test_equals_tflm(seed: int, **arguments: Any) -> None:
    tflm.assert_bit_exact(softmax(**arguments), seed)


@pytest.mark.parametrize("output_dtype", ["int8", "int16"])
@pytest.mark.parametrize("scale", [2.0**-25, 0.0007, 0.01, 0.1, 0.4, 1.0, 7.0, 300.0])
def test_every_difference_to_the_maximum(scale: float, output_dtype: str) -> None:
    tflite = softmax(shape=(256, 2), scale=scale, output_dtype=output_dtype)
    graph = read_model(tflite, "m")
    rows = np.stack([np.full(256, 127), np.arange(-128, 128)], axis=1).astype(np.int8)
    np.testing.assert_array_equal(run_graph(graph, [rows])[1], tflm.interpret(tflite, [rows])[0])


def test_many_values() -> None:
    tflm.assert_bit_exact(softmax(shape=(1, 1001)), 1)
    graph = read_model(softmax(shape=(1, 511)), "m")
    equal = np.full((1, 511), 9, np.int8)
    np.testing.assert_array_equal(run_graph(graph, [equal])[1], tflm.interpret(softmax(shape=(1, 511)), [equal])[0])


def test_more_equal_values_than_tflm_can_sum_have_no_probability() -> None:
    graph = read_model(softmax(shape=(1, 600)), "m")
    assert (run_graph(graph, [np.zeros((1, 600), np.int8)])[1] == -128).all()


def test_exponentials_are_close_to_the_real_ones() -> None:
    (layer,) = parse_graph(read_model(softmax(scale=0.05), "m"))
    table, counts = exponentials(layer.params)
    assert counts.all()
    np.testing.assert_allclose(table / 2**31, np.exp(-0.05 * np.arange(256)), atol=1e-6)


def int16(name: str, shape: tuple[int, ...], source: Operand, target: Operand, **options: Any) -> bytes:
    return one_to_one(np.random.default_rng(0), name, shape, source, target, **options)


def test_every_difference_of_int16() -> None:
    """So every point of the table of exponentials is used; and sums of many sizes use the one of reciprocals."""
    differences = np.arange(-65535, 1).reshape(64, 1024)
    rows = np.insert(differences + 32767, 0, 32767, axis=1).astype(np.int16)
    tflite = int16("softmax", rows.shape, Operand("int16", 10 / 65535), UNIT, beta=1.0)
    tflm.assert_same(tflite, rows)


def test_int16_adds_up_to_one() -> None:
    values = np.random.default_rng(4).integers(-32768, 32768, (8, 20)).astype(np.int16)
    output = tflm.assert_same(int16("softmax", (8, 20), Operand("int16", 2.0**-13), UNIT, beta=1.0), values)
    real = 2.0**-13 * values.astype(np.float64)
    exact = np.exp(real) / np.exp(real).sum(axis=1, keepdims=True)
    assert np.abs(output / 32768 - exact).max() < 1e-3


REFUSALS: list[tuple[bytes, str]] = [
    *(
        (softmax(**arguments), rule)
        for arguments, rule in [
            ({"output_scale": 0.1}, "scale 1/256"),
            ({"output_zero_point": 0}, "zero point -128"),
            ({"shape": (1, 4096)}, "1 to 4095"),
            ({"scale": 2.0**-27}, "more than 2\\*\\*-26"),
            ({"beta": -1.0}, "more than 2\\*\\*-26"),
        ]
    ),
    (int16("softmax", (2, 4), Operand("int8", 0.1), UNIT, beta=1.0), "of int8 scale 1/65536"),
    (int16("softmax", (2, 4), UNIT, Operand("int8", 1 / 256, -128), beta=1.0), "from int16 to int16"),
    (int16("softmax", (2, 4), Operand("int16", 1.0), UNIT, beta=2.0), "between 0 and 2 for int16"),
    (int16("softmax", (2, 4), Operand("int16", 1.0), UNIT, beta=-1.0), "between 0 and 2 for int16"),
    (int16("softmax", (2, 4), UNIT, Operand("int16", 0.1), beta=1.0), "an int16 output of int16 scale 1/32768"),
]
"""models that are refused, and words of the rule they break"""


def softmax_s16(rng: Rng) -> bytes:
    shape = (*shape_of(rng, rank=2), int(rng.choice([1, 2, 5, 12, 300])))
    source = Operand("int16", scale(rng, -20, 0))
    return one_to_one(rng, "softmax", shape, source, Operand("int16", 2.0**-15), beta=float(rng.choice([1.0, 0.5])))


def softmax_s8_s16(rng: Rng) -> bytes:
    shape = (*shape_of(rng, rank=2), int(rng.choice([1, 2, 5, 12, 300])))
    source = Operand("int8", scale(rng, -14, 2), 3)
    return one_to_one(rng, "softmax", shape, source, Operand("int16", 2.0**-16, -32768), beta=1.0)


def softmax_node(draft: Draft) -> None:
    kind = draft.kind()
    source = draft.take(draft.number(1, 4), kind)
    beta = draft.pick(1.0, 1.0, 0.5, 3.0)
    scale, zero_point = (1 / 256, -128) if kind == "int8" else (2.0**-15, 0)
    if kind == "int8" and draft.flip(0.15):
        target = draft.wide_probabilities(source.shape)
        draft.put_all("softmax", [source], [target], beta=beta)
        draft.put("quantize", [target], source.shape, scale=1 / 256, zero_point=-128)
        return
    draft.put("softmax", [source], source.shape, kind, scale=scale, zero_point=zero_point, beta=beta)


def softmax_layer(rng: Rng, *, rows: int | None = None, depth: int | None = None) -> Layer:
    """A softmax with input scales from very fine to so coarse that one value takes all."""
    rows = rows or int(rng.integers(1, 4))
    depth = depth or int(rng.choice([1, 2, 3, 10, 12, 40]))
    multiplier, left_shift = int(rng.integers(1 << 30, INT31)), int(rng.integers(16, 29))
    params = Softmax(rows, depth, multiplier, left_shift, -int(31 * (1 << 26) / (1 << left_shift)))
    shapes = [((rows, depth), DType.INT8)], [((rows, depth), DType.INT8)]
    return make_layer("softmax", params, *shapes)


def _corners(rng: Rng) -> list[Layer]:
    return [
        softmax_layer(rng, rows=1, depth=511),
        softmax_layer(rng, rows=1, depth=4095),
        softmax_layer(rng, rows=30, depth=2),
    ]


MODELS = {"softmax_s16": softmax_s16, "softmax_s8_s16": softmax_s8_s16}
NODES = {"softmax": softmax_node}
LAYERS = {"softmax": softmax_layer}
KERNEL_CASES = {"portable/softmax": KernelCases(corners=_corners)}

"""fully_connected against TensorFlow Lite Micro, and its refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph


def dense(
    *,
    rows: int = 1,
    inputs: int = 7,
    outputs: int = 5,
    keep_num_dims: bool = False,
    activation: str = "none",
    per_channel: bool = False,
    bias: str = "int32",
    weights_type: str = "int8",
    zero_points: tuple[int, int] = (-3, 5),
    weights_zero_point: int = 0,
    input_scale: float = 0.05,
    bias_scale: float = 1.0,
    spread: float = 1.0,
    seed: int = 1,
    input_shape: tuple[int, ...] | None = None,
) -> bytes:
    rng = np.random.default_rng(seed)
    builder = TfliteBuilder()
    leading = (1, rows) if keep_num_dims else (rows,)
    source = builder.tensor(input_shape or (*leading, inputs), scale=input_scale, zero_point=zero_points[0])
    low, high = (-8, 8) if weights_type == "int4" else (-128, 128)
    scale = rng.uniform(0.001, 0.02, outputs if per_channel else 1)
    data = rng.integers(low, high, (outputs, inputs)).astype(np.int8)
    operands = [
        source,
        builder.tensor((outputs, inputs), weights_type, scale=scale, zero_point=weights_zero_point, data=data),
    ]
    if bias == "int32":
        values = rng.integers(-20000, 20000, outputs).astype(np.int32)
        operands.append(builder.tensor((outputs,), "int32", scale=input_scale * scale * bias_scale, data=values))
    elif bias == "absent":
        operands.append(-1)
    output_scale = input_scale * 0.1 * high**0.5 * np.sqrt(inputs) * spread
    target = builder.tensor((*leading, outputs), scale=output_scale, zero_point=zero_points[1])
    builder.operator(
        "fully_connected",
        operands,
        [target],
        fused_activation_function=activation,
        keep_num_dims=keep_num_dims,
    )
    return builder.build([source], [target])


@settings(max_examples=120, deadline=None)
@given(
    rows=st.integers(1, 4),
    inputs=st.integers(1, 80),
    outputs=st.integers(1, 12),
    keep_num_dims=st.booleans(),
    activation=tflm.activations,
    kind=st.sampled_from([("int8", False), ("int8", True), ("int4", False)]),
    bias=st.sampled_from(["int32", "absent", "none"]),
    zero_points=st.tuples(tflm.zero_points, tflm.zero_points),
    input_scale=tflm.scales,
    spread=st.sampled_from([0.1, 0.3, 1.0, 30.0]),
    seed=tflm.seeds,
)
def test_equals_tflm(kind: tuple[str, bool], seed: int, **arguments: Any) -> None:
    tflm.assert_bit_exact(dense(weights_type=kind[0], per_channel=kind[1], seed=seed, **arguments), seed)


def test_weights_with_a_zero_point() -> None:
    tflite = dense(weights_zero_point=9, inputs=40)
    assert parse_graph(read_model(tflite, "m"))[0].params.weight_zero_point == 9
    tflm.assert_bit_exact(tflite, 2)


def test_an_image_is_flattened() -> None:
    tflite = dense(inputs=12, input_shape=(1, 2, 3, 2))
    tflm.assert_bit_exact(tflite, 2)
    (layer,) = parse_graph(read_model(tflite, "m"))
    assert (layer.params.batches, layer.params.inputs, layer.params.outputs) == (1, 12, 5)
    assert layer.macs == 60


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"input_shape": (1, 6)}, "the input holds as many rows"),
        ({"per_channel": True, "weights_zero_point": 1}, "zero points 0"),
        ({"per_channel": True, "weights_type": "int4"}, "int4 are quantized per tensor"),
        ({"bias_scale": 500.0}, "bias scale is input scale times weights scale"),
        ({"activation": "tanh"}, "none, relu, relu_n1_to_1 or relu6"),
    ],
)
def test_refusals(arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(dense(**arguments), "m"))

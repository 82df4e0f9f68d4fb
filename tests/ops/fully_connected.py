"""fully_connected: models, layers and nodes, corners and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.draft import Draft
from kits.kernel_layers import KernelCases, Pair, Rng, any_zero_point, clamp, filters, make_layer, right_shifting
from kits.nodes import fused_activation, weighted
from kits.stored_weights import bits, with_weights
from kits.tflite_builder import TfliteBuilder
from kits.weighted_models import S4, S16, Kind, both_kinds, weighted_model
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.fully_connected import FullyConnected
from tinyedge.ops.reference import run_graph


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


def dense_of_kind(kind: Kind = S16, inputs: int = 6, **arguments: Any) -> bytes:
    rng = np.random.default_rng(3)
    shapes = (2, inputs), (4, inputs), (2, 4)
    return weighted_model(rng, kind, "fully_connected", *shapes, axis=0, per_channel=False, **arguments)


@pytest.mark.parametrize("spread", [3e-5, 1e-4, 0.01, 1.0, 1e5, 1e12])
def test_every_size_of_multiplier(spread: float) -> None:
    """Multipliers far above one, where sums saturate, and so far below that nothing is left."""
    tflite = dense_of_kind(spread=spread, inputs=70, bias="none")
    (layer,) = parse_graph(read_model(tflite, "m"))
    assert layer.params.bias.dtype == np.int64
    for seed in range(8):
        tflm.assert_bit_exact(tflite, seed)


def test_sums_beyond_32_bits() -> None:
    """40,000 products of the largest values are 2**37, which the interpreter and the reference both hold."""
    inputs = 40_000
    builder = TfliteBuilder()
    x = builder.tensor((1, inputs), "int16", scale=0.5)
    weights = np.stack([np.full(inputs, -128, np.int8), np.full(inputs, 127, np.int8)])
    w = builder.tensor((2, inputs), scale=[0.25, 0.25], data=weights)
    b = builder.tensor((2,), "int64", scale=[0.125, 0.125], data=np.array([1 << 40, -(1 << 40)]))
    y = builder.tensor((1, 2), "int16", scale=2.0**24)
    builder.operator("fully_connected", [x, w, b], [y], fused_activation_function="none")
    tflite = builder.build([x], [y])
    graph = read_model(tflite, "m")
    for value in (-32768, 32767, 77):
        values = np.full((1, inputs), value, np.int16)
        ours = run_graph(graph, [values])[graph.outputs[0]]
        np.testing.assert_array_equal(ours, tflm.interpret(tflite, [values])[0])
        sums = weights.astype(np.int64).sum(axis=1) * value + np.array([1 << 40, -(1 << 40)])
        assert np.abs(ours - np.clip(sums / 2.0**27, -32768, 32767)).max() <= 1


def _mixed(zero_points: tuple[int, int], weights_zero_point: int = 0, bias: int = 0) -> bytes:
    builder = TfliteBuilder()
    x = builder.tensor((1, 2), "int16", scale=0.1, zero_point=zero_points[0])
    w = builder.tensor((1, 2), scale=0.1, zero_point=weights_zero_point, data=np.ones((1, 2), np.int8))
    b = builder.tensor((1,), "int64", scale=0.01, data=np.array([bias]))
    y = builder.tensor((1, 1), "int16", scale=0.1, zero_point=zero_points[1])
    builder.operator("fully_connected", [x, w, b], [y], fused_activation_function="none")
    return builder.build([x], [y])


REFUSALS: list[tuple[bytes, str]] = [
    *(
        (dense(**arguments), rule)
        for arguments, rule in [
            ({"input_shape": (1, 6)}, "the input holds as many rows"),
            ({"per_channel": True, "weights_zero_point": 1}, "zero points 0"),
            ({"per_channel": True, "weights_type": "int4"}, "int4 are quantized per tensor"),
            ({"bias_scale": 500.0}, "bias scale is input scale times weights scale"),
            ({"activation": "tanh"}, "none, relu, relu_n1_to_1 or relu6"),
        ]
    ),
    (dense_of_kind(Kind("int16", "int4")), "int8, or with int8 activations int4"),
    (dense_of_kind(bias="int32"), "int64 for int16"),
    (dense_of_kind(S4, bias="int64"), "int64 for int16"),
    (dense_of_kind(bias="none", quantized_bias_type=2), "quantized_bias_type does not say int32"),
    (dense_of_kind(spread=1e-9, bias="none"), "2\\*\\*7 times for int16"),
    (_mixed((1, 0)), "which is 0 for int16"),
    (_mixed((0, 1)), "which is 0 for int16"),
    (_mixed((0, 0), weights_zero_point=1), "for int16, have zero points 0"),
    (_mixed((0, 0), bias=1 << 47), "2\\*\\*47 for int16"),
    (_mixed((0, 0), bias=-(1 << 63)), "2\\*\\*47 for int16"),
]
"""models that are refused, and words of the rule they break"""


def fully_connected_model(rng: Rng, kind: Kind, *, inputs: int | None = None, **arguments: Any) -> bytes:
    """Per output only where TensorFlow Lite Micro takes that: not with weights of int4."""
    rows, outputs = int(rng.integers(1, 4)), int(rng.integers(1, 14))
    inputs = inputs or int(rng.integers(1, 90))
    per_channel = kind.weights == "int8" and bool(rng.random() < 0.5)
    shapes = (rows, inputs), (outputs, inputs), (rows, outputs)
    return weighted_model(rng, kind, "fully_connected", *shapes, axis=0, per_channel=per_channel, **arguments)


def fully_connected_node(draft: Draft) -> None:
    source = draft.take(draft.pick(2, 2, 2, 4, 3), draft.kind())
    outputs = draft.pick(draft.number(1, 5), draft.number(1, 24), 8)
    inputs = source.shape[-1]
    keep = len(source.shape) > 2 and draft.flip(0.5)
    per_channel = draft.flip(0.5)
    rows = source.elements // inputs
    weighted(
        draft, "fully_connected", source, (outputs, inputs), (*source.shape[:-1], outputs) if keep else (rows, outputs),
        axis=0, taps=inputs, per_channel=per_channel, four_bits=draft.flip(0.2) and not per_channel,
        keep_num_dims=keep, fused_activation_function=fused_activation(draft),
    )  # fmt: skip


def fully_connected_layer(
    rng: Rng,
    *,
    batches: int | None = None,
    inputs: int | None = None,
    outputs: int | None = None,
    weight_zero_point: int | None = None,
    input_zero_point: int | None = None,
    output_zero_point: int | None = None,
    limits: Pair | None = None,
    per_output: bool | None = None,
    corners: bool = True,
) -> Layer:
    """A fully connected layer."""
    batches = batches or int(rng.choice([1, 1, 2, 3]))
    inputs = inputs or int(rng.integers(1, 70))
    outputs = outputs or int(rng.integers(1, 20))
    f = filters(rng, outputs, inputs, corners)
    if weight_zero_point is None:
        weight_zero_point = 0 if rng.random() < 0.7 else int(rng.integers(-5, 6))
    zero = any_zero_point(rng, corners) if output_zero_point is None else output_zero_point
    low, high = limits or clamp(rng, zero, corners)
    alike = rng.random() < 0.4 if per_output is None else not per_output
    params = FullyConnected(
        batches=batches,
        inputs=inputs,
        outputs=outputs,
        input_zero_point=any_zero_point(rng, corners) if input_zero_point is None else input_zero_point,
        weight_zero_point=weight_zero_point,
        output_zero_point=zero,
        weights=f.weights,
        weight_bits=8,
        bias=f.bias if weight_zero_point == 0 else rng.integers(-20000, 20000, outputs).astype(np.int32),
        multiplier=np.full_like(f.multiplier, f.multiplier[0]) if alike else f.multiplier,
        shift=np.full_like(f.shift, f.shift[0]) if alike else f.shift,
        activation_min=low,
        activation_max=high,
    )
    shapes = [((batches, inputs), DType.INT8)], [((batches, outputs), DType.INT8)]
    return make_layer("fully_connected", params, *shapes, macs=batches * inputs * outputs)


def connected_blocks_layer(rng: Rng, **wanted: Any) -> Layer:
    """A fully connected layer for kernels that take four inputs and compute four outputs at a time."""
    fixed = {"inputs": 4 * int(rng.integers(1, 12)), "outputs": int(rng.integers(4, 15)), "weight_zero_point": 0}
    return right_shifting(fully_connected_layer(rng, **{**fixed, **wanted}))


def _corners(rng: Rng) -> list[Layer]:
    return [
        fully_connected_layer(rng, batches=1, inputs=640, outputs=13),
        fully_connected_layer(rng, batches=1, inputs=1, outputs=1),
        fully_connected_layer(rng, weight_zero_point=-128),
        fully_connected_layer(rng, weight_zero_point=127),
    ]


def _block_corners(rng: Rng) -> list[Layer]:
    return [
        connected_blocks_layer(rng, batches=1, inputs=640, outputs=13),
        connected_blocks_layer(rng, batches=3, inputs=4, outputs=4),
    ]


def int4_connected_layer(rng: Rng, **wanted: Any) -> Layer:
    """A fully connected layer for kernels of blocks, with weights of 4 bits."""
    return with_weights(rng, connected_blocks_layer(rng, **wanted), bits(4))


def _int4_corners(rng: Rng) -> list[Layer]:
    return [with_weights(rng, layer, bits(4)) for layer in _block_corners(rng)]


MODELS = both_kinds("fully_connected", fully_connected_model)
NODES = {"fully_connected": fully_connected_node}
LAYERS = {"fully_connected": fully_connected_layer}
KERNEL_CASES = {
    "portable/fully_connected": KernelCases(
        corners=_corners, sensitive=lambda rng: fully_connected_layer(rng, weight_zero_point=0, corners=False)
    ),
    "portable/fully_connected_blocks": KernelCases(
        connected_blocks_layer, _block_corners, lambda rng: connected_blocks_layer(rng, corners=False)
    ),
    "portable/fully_connected_int4": KernelCases(
        int4_connected_layer, _int4_corners, lambda rng: int4_connected_layer(rng, corners=False)
    ),
}

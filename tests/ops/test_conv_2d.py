"""conv_2d against TensorFlow Lite Micro, and its refusals."""

from __future__ import annotations

from dataclasses import replace
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


def convolution(
    *,
    size: tuple[int, int] = (5, 6),
    channels: tuple[int, int] = (3, 4),
    kernel: tuple[int, int] = (3, 2),
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    groups: int = 1,
    padding: str = "same",
    activation: str = "none",
    per_channel: bool = True,
    bias: bool = True,
    weights_type: str = "int8",
    zero_points: tuple[int, int] = (-3, 5),
    input_scale: float = 0.05,
    spread: float = 1.0,
    seed: int = 1,
    batch: int = 1,
    weights_zero_point: int = 0,
    weights_axis: int = 0,
    output_size: tuple[int, int] | None = None,
    bias_value: int | None = None,
) -> bytes:
    rng = np.random.default_rng(seed)
    inputs, outputs = channels
    rows, columns = output_size or tuple(
        tflm.output_size(size[i], kernel[i], stride[i], dilation[i], padding) for i in (0, 1)
    )
    builder = TfliteBuilder()
    source = builder.tensor((batch, *size, inputs), scale=input_scale, zero_point=zero_points[0])
    shape = (outputs, *kernel, inputs // groups)
    low, high = (-8, 8) if weights_type == "int4" else (-128, 128)
    scale = rng.uniform(0.001, 0.02, outputs if per_channel else 1)
    weights = builder.tensor(
        shape,
        weights_type,
        scale=scale,
        zero_point=weights_zero_point,
        axis=weights_axis,
        data=rng.integers(low, high, shape).astype(np.int8),
    )
    operands = [source, weights]
    if bias:
        data = rng.integers(-20000, 20000, outputs) if bias_value is None else np.full(outputs, bias_value)
        operands.append(builder.tensor((outputs,), "int32", scale=input_scale * scale, data=data.astype(np.int32)))
    output_scale = input_scale * 0.01 * 70 * high**0.5 * np.sqrt(np.prod(shape[1:])) * spread / 10
    target = builder.tensor((batch, rows, columns, outputs), scale=output_scale, zero_point=zero_points[1])
    builder.operator(
        "conv_2d",
        operands,
        [target],
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        dilation_h_factor=dilation[0],
        dilation_w_factor=dilation[1],
        fused_activation_function=activation,
    )
    return builder.build([source], [target])


small = st.integers(1, 4)


@settings(max_examples=120, deadline=None)
@given(
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    depth=small,
    share=small,
    groups=st.sampled_from([1, 1, 2, 3]),
    kernel=st.tuples(small, small),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=tflm.paddings,
    activation=tflm.activations,
    per_channel=st.booleans(),
    bias=st.booleans(),
    weights_type=st.sampled_from(["int8", "int8", "int4"]),
    zero_points=st.tuples(tflm.zero_points, tflm.zero_points),
    input_scale=tflm.scales,
    spread=st.sampled_from([0.01, 0.5, 1.0, 5.0, 300.0]),
    seed=tflm.seeds,
)
def test_equals_tflm(depth: int, share: int, groups: int, seed: int, **arguments: Any) -> None:
    channels = (depth * groups, share * groups)
    assume(tflm.window_fits(arguments))
    tflm.assert_bit_exact(convolution(channels=channels, groups=groups, seed=seed, **arguments), seed)


def test_multiplier_above_one_shifts_left() -> None:
    tflite = convolution(spread=1e-5)
    params = parse_graph(read_model(tflite, "m"))[0].params
    assert (params.shift > 0).all()
    tflm.assert_bit_exact(tflite, 3)


def test_factor_too_small_for_a_multiplier_gives_the_zero_point() -> None:
    tflite = convolution(spread=1e12)
    params = parse_graph(read_model(tflite, "m"))[0].params
    assert not params.multiplier.any()
    (output,) = tflm.assert_bit_exact(tflite, 3)
    assert (output == 5).all()


def test_parameters() -> None:
    (layer,) = parse_graph(read_model(convolution(groups=1, per_channel=False, weights_type="int4"), "m"))
    params = layer.params
    assert params.weights.shape == (4, 3, 2, 3)
    assert params.weights.dtype == np.int8
    assert params.weight_bits == 4
    assert params.multiplier.shape == params.shift.shape == params.bias.shape == (4,)
    assert (params.multiplier == params.multiplier[0]).all()
    assert (params.window.pad_top, params.window.pad_left) == (1, 0)
    assert (params.input_zero_point, params.output_zero_point) == (-3, 5)
    assert layer.macs == 5 * 6 * 4 * 3 * 2 * 3
    assert [tensor.index for tensor in layer.inputs] == [0]


def test_explicit_padding_equals_a_pad_before() -> None:
    top, left, bottom, right = 2, 0, 1, 3
    plain = read_model(convolution(padding="valid", size=(8, 9), output_size=(6, 8)), "m")
    x = tflm.random_inputs(plain, 1)[0]
    small_x = x[:, top : 8 - bottom, left : 9 - right]
    padded = np.full_like(x, -3)
    padded[:, top : 8 - bottom, left : 9 - right] = small_x
    expected = run_graph(plain, [padded])[plain.outputs[0]]

    folded_operator = replace(
        plain.operators[0],
        options={**plain.operators[0].options, "explicit_padding": (top, left, bottom, right)},
    )
    tensors = {**plain.tensors, 0: replace(plain.tensors[0], shape=small_x.shape)}
    folded = plain.evolve(tensors=tensors, operators=(folded_operator,))
    window = parse_graph(folded)[0].params.window
    assert (window.pad_top, window.pad_left) == (top, left)
    np.testing.assert_array_equal(run_graph(folded, [small_x])[folded.outputs[0]], expected)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"batch": 2}, "batch size 1"),
        ({"weights_zero_point": 3}, "zero points of the weights are 0"),
        ({"channels": (3, 3), "weights_axis": 3}, "per channel along axis 0"),
        ({"output_size": (4, 6)}, "height and width that padding"),
        ({"stride": (0, 1), "output_size": (5, 6)}, "height and width that padding"),
        ({"bias_value": 2**31 - 1}, "leave int32"),
        ({"spread": 1e-13}, "2**30 times the output scale"),
    ],
)
def test_refusals(arguments: dict[str, Any], rule: str) -> None:
    graph = read_model(convolution(**arguments), "m")
    with pytest.raises(ModelError) as caught:
        check(graph)
    assert "operator 0 `conv_2d` (int8 [" in caught.value.what
    assert rule in caught.value.what
    assert caught.value.hint


def test_computed_weights_are_refused() -> None:
    builder = TfliteBuilder()
    x = builder.tensor((1, 4, 4, 1), scale=0.1)
    w = builder.tensor((1, 2, 2, 1), scale=0.1)
    y = builder.tensor((1, 4, 4, 1), scale=0.1)
    options = {"padding": "same", "stride_h": 1, "stride_w": 1, "fused_activation_function": "none"}
    builder.operator("conv_2d", [x, w], [y], **options)
    with pytest.raises(ModelError, match="weights are a constant"):
        check(read_model(builder.build([x, w], [y]), "m"))

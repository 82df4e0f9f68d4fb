"""conv_2d: models, layers and nodes, corners and refusals."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.draft import Draft
from kits.kernel_layers import (
    KernelCases,
    Pair,
    Rng,
    any_zero_point,
    clamp,
    filters,
    image_layer,
    right_shifting,
    window,
)
from kits.nodes import fused_activation, weighted, window_options
from kits.stored_weights import Draw, bits, pruned, shared, with_weights
from kits.tflite_builder import TfliteBuilder
from kits.weighted_models import S4, Kind, both_kinds, geometry, weighted_model
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
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


def test_a_batch() -> None:
    tflite = convolution(batch=3, padding="valid")
    assert tflm.assert_bit_exact(tflite, 5)[0].shape == (3, 3, 5, 4)
    (single,), (batch,) = (parse_graph(read_model(file, "m")) for file in (convolution(padding="valid"), tflite))
    assert batch.macs == 3 * single.macs


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
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


def test_parameters_of_int4() -> None:
    (layer,) = parse_graph(read_model(conv_2d_model(np.random.default_rng(1), S4), "m"))
    assert layer.params.weight_bits == 4
    assert layer.params.weights.dtype == np.int8
    assert (layer.params.weights.min(), layer.params.weights.max()) == (-8, 7)
    assert layer.params.bias.dtype == np.int32


def conv_2d_model(rng: Rng, kind: Kind, **arguments: Any) -> bytes:
    size, kernel, output, options = geometry(rng)
    groups = int(rng.choice([1, 1, 1, 2, 3]))
    depth, outputs = int(rng.integers(1, 10)), groups * int(rng.integers(1, 7))
    shapes = (1, *size, groups * depth), (outputs, *kernel, depth), (1, *output, outputs)
    per_channel = bool(rng.random() < 0.7)
    return weighted_model(rng, kind, "conv_2d", *shapes, axis=0, per_channel=per_channel, **options, **arguments)


STORED = (bits(4), bits(2), shared(16), shared(8), shared(4), pruned(0.75))
"""weights that kernels store in fewer bytes"""


def _stored_node(draft: Draft) -> None:
    rows, columns, inputs = draft.number(4, 7), draft.number(4, 7), draft.pick(4, 8)
    source = draft.input((1, rows, columns, inputs), "int8")
    outputs, size = draft.pick(4, 8, 12), draft.pick(1, 3)
    shape = (outputs, size, size, inputs)
    weights = STORED[draft.number(0, len(STORED) - 1)](draft.chance, math.prod(shape)).reshape(shape)
    weighted(
        draft, "conv_2d", source, shape, (source.shape[0], rows, columns, outputs), axis=0, taps=size * size * inputs,
        four_bits=False, weights=weights, fused_activation_function=fused_activation(draft), padding="same",
        stride_h=1, stride_w=1,
    )  # fmt: skip


def conv_2d_node(draft: Draft) -> None:
    if draft.flip(0.3):
        _stored_node(draft)
        return
    source = draft.images(draft.kind())
    options, kernel, size = window_options(draft, source)
    inputs, outputs = source.shape[3], draft.pick(draft.number(1, 4), draft.number(1, 12), 8, 8, draft.number(1, 34))
    groups = 1
    if inputs <= 8 and draft.flip(0.12):
        groups = draft.pick(*(g for g in range(1, inputs + 1) if inputs % g == 0))
        outputs = groups * draft.number(1, 3)
    depth = inputs // groups
    weighted(
        draft, "conv_2d", source, (outputs, *kernel, depth), (source.shape[0], *size, outputs), axis=0,
        taps=math.prod(kernel) * depth, four_bits=None if groups == 1 else False,
        fused_activation_function=fused_activation(draft), **options,
    )  # fmt: skip


# -- layers ----------------------------------------------------------------------------------------------------------


LARGEST_BIAS = 1 << 22


def conv_2d_layer(
    rng: Rng,
    *,
    input_channels: int | None = None,
    output_channels: int | None = None,
    groups: int | None = None,
    input_zero_point: int | None = None,
    output_zero_point: int | None = None,
    limits: Pair | None = None,
    corners: bool = True,
    **geometry: Any,
) -> Layer:
    """A convolution; `geometry` as for `window`."""
    w = window(rng, **geometry)
    groups = groups or (1 if input_channels or output_channels else int(rng.choice([1, 1, 1, 2, 3])))
    inputs = input_channels or groups * int(rng.integers(1, 9))
    outputs = output_channels or groups * int(rng.integers(1, 9))
    taps = w.kernel_h * w.kernel_w * (inputs // groups)
    f = filters(rng, outputs, taps, corners)
    zero = any_zero_point(rng, corners) if output_zero_point is None else output_zero_point
    low, high = limits or clamp(rng, zero, corners)
    params = Conv2D(
        window=w,
        input_channels=inputs,
        output_channels=outputs,
        groups=groups,
        input_zero_point=any_zero_point(rng, corners) if input_zero_point is None else input_zero_point,
        output_zero_point=zero,
        weights=f.weights.reshape(outputs, w.kernel_h, w.kernel_w, inputs // groups),
        weight_bits=8,
        bias=f.bias,
        multiplier=f.multiplier,
        shift=f.shift,
        activation_min=low,
        activation_max=high,
    )
    return image_layer("conv_2d", params, w, inputs, outputs, w.output_h * w.output_w * outputs * taps)


def conv_layer(rng: Rng, **wanted: Any) -> Layer:
    """A convolution without groups or weights of -128, that scales to the right, with biases that leave room."""
    channels = {"input_channels": int(rng.integers(1, 13)), "output_channels": int(rng.integers(4, 15))}
    layer = conv_2d_layer(rng, **{**channels, "groups": 1, **wanted})
    p = layer.params
    fixed = dataclasses.replace(
        p,
        weights=np.maximum(p.weights, -127),
        multiplier=np.where(p.multiplier == 0, 1 << 30, p.multiplier).astype(np.int32),
        shift=np.minimum(p.shift, -1).astype(np.int32),
        bias=np.clip(p.bias, -LARGEST_BIAS, LARGEST_BIAS).astype(np.int32),
    )
    return dataclasses.replace(layer, params=fixed)


def relu_layer(rng: Rng, **wanted: Any) -> Layer:
    """A convolution as with a fused ReLU: a healthy scale, nothing below the output's zero point of -128."""
    return conv_layer(rng, **{"output_zero_point": -128, "limits": (-128, 127), "corners": False, **wanted})


def blocks_layer(rng: Rng, **wanted: Any) -> Layer:
    """A convolution for kernels that compute some channels by two pixels."""
    channels = {"input_channels": int(rng.integers(1, 13)), "output_channels": int(rng.integers(4, 15))}
    return right_shifting(conv_2d_layer(rng, **{**channels, "groups": 1, **wanted}))


def _corners(rng: Rng) -> list[Layer]:
    return [
        conv_2d_layer(rng, size=(25, 5), kernel=(1, 1), stride=(1, 1), input_channels=64, output_channels=16),
        conv_2d_layer(rng, size=(49, 10), kernel=(10, 4), stride=(2, 2), dilation=(1, 1), input_channels=1),
        conv_2d_layer(rng, size=(9, 9), kernel=(3, 3), stride=(2, 2), padding="same", input_channels=3),
        conv_2d_layer(rng, size=(1, 40), kernel=(1, 5), padding="valid", input_channels=4, dilation=(1, 1)),
        conv_2d_layer(rng, size=(4, 6), kernel=(4, 6), padding="valid", input_channels=5, dilation=(1, 1)),
        conv_2d_layer(rng, size=(1, 1), kernel=(3, 3), padding="same", input_channels=9, output_channels=1),
        conv_2d_layer(rng, size=(5, 5), kernel=(2, 2), dilation=(3, 3), padding="same", groups=4),
    ]


def _block_corners(rng: Rng) -> list[Layer]:
    return [
        blocks_layer(rng, size=(25, 5), kernel=(1, 1), stride=(1, 1), input_channels=64, output_channels=16),
        blocks_layer(rng, size=(49, 10), kernel=(10, 4), stride=(2, 2), dilation=(1, 1), input_channels=1),
        blocks_layer(
            rng, size=(9, 9), kernel=(3, 3), stride=(1, 1), dilation=(1, 1), padding="same", input_channels=16
        ),
        blocks_layer(
            rng, size=(9, 6), kernel=(3, 3), stride=(1, 1), dilation=(1, 1), padding="valid", input_channels=8
        ),
        blocks_layer(rng, size=(12, 9), kernel=(3, 3), dilation=(2, 3), padding="same", input_channels=20),
        blocks_layer(rng, size=(9, 9), kernel=(1, 3), stride=(3, 2), padding="same", input_channels=8),
        blocks_layer(rng, size=(1, 1), kernel=(1, 1), padding="valid", input_channels=7, output_channels=4),
        blocks_layer(rng, size=(5, 6), kernel=(3, 2), padding=(5, 7), input_channels=12),
    ]


def _narrow_block_corners(rng: Rng) -> list[Layer]:
    return [*_block_corners(rng), blocks_layer(rng, output_channels=2), blocks_layer(rng, output_channels=3)]


def _every_cell_counts(rng: Rng) -> Layer:
    """A convolution that reads each cell of the input, also where its rows are copied whole."""
    return blocks_layer(rng, corners=False, stride=(1, 1), dilation=(1, 1))


def int4_layer(rng: Rng, **wanted: Any) -> Layer:
    """A convolution for kernels of blocks, with weights of 4 bits."""
    return with_weights(rng, blocks_layer(rng, **wanted), bits(4))


def _int4_corners(rng: Rng) -> list[Layer]:
    return [with_weights(rng, layer, bits(4)) for layer in _block_corners(rng)]


def _unpacked_layer(rng: Rng, draws: tuple[Draw, ...], **wanted: Any) -> Layer:
    """A convolution for kernels of blocks, of pixels enough for its weights to be unpacked."""
    size = int(rng.integers(5, 9)), int(rng.integers(8, 11))
    geometry = {"size": size, "padding": "same", "stride": (1, 1), "kernel": (1, int(rng.integers(1, 4))), **wanted}
    return with_weights(rng, blocks_layer(rng, **geometry), draws[int(rng.integers(len(draws)))])


def clusters_layer(rng: Rng, **wanted: Any) -> Layer:
    """One of 16, 8 or 4 different weights."""
    return _unpacked_layer(rng, (shared(16), shared(8), shared(4)), **wanted)


def bitmap_layer(rng: Rng, **wanted: Any) -> Layer:
    """One of which many weights are 0."""
    return _unpacked_layer(rng, (pruned(0.6), pruned(0.9)), **wanted)


MODELS = both_kinds("conv_2d", conv_2d_model)
NODES = {"conv_2d": conv_2d_node}
LAYERS = {"conv_2d": conv_2d_layer}
KERNEL_CASES = {
    "portable/conv_2d": KernelCases(corners=_corners, sensitive=lambda rng: conv_2d_layer(rng, corners=False)),
    "portable/conv_2d_blocks_4x2": KernelCases(blocks_layer, _block_corners, _every_cell_counts),
    "portable/conv_2d_int4": KernelCases(
        int4_layer, _int4_corners, lambda rng: with_weights(rng, _every_cell_counts(rng), bits(4))
    ),
    "portable/conv_2d_clusters": KernelCases(clusters_layer, None, lambda rng: clusters_layer(rng, corners=False)),
    "portable/conv_2d_bitmap": KernelCases(bitmap_layer),
    "portable/conv_2d_blocks_2x2": KernelCases(blocks_layer, _narrow_block_corners, _every_cell_counts),
}

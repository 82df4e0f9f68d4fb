"""transpose_conv: nodes, corners and refusals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.draft import Draft
from kits.kernel_layers import Rng, drafted
from kits.nodes import weighted
from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.reader import read_model
from tinyedge.kernels.batches import one_image
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer

Shape = tuple[int, ...]


def transposed(
    *,
    size: tuple[int, int] = (3, 4),
    kernel: tuple[int, int] = (3, 2),
    stride: tuple[int, int] = (2, 2),
    output: tuple[int, int] = (6, 8),
    padding: str = "same",
    activation: str = "none",
    channels: tuple[int, int] = (3, 2),
    weights_shape: Shape | None = None,
    weights_type: str = "int8",
    axis: int = 0,
    stated: Shape | None = None,
    output_scale: float = 0.05,
    bias_size: int | None = None,
    bias_type: str = "",
    known_shape: bool = True,
    dtype: str = "int8",
) -> bytes:
    rng = np.random.default_rng(3)
    builder = TfliteBuilder()
    inputs, outputs = channels
    shape = weights_shape or (outputs, *kernel, inputs)
    data = rng.integers(-8, 8, shape) if weights_type == "int4" else rng.integers(-127, 128, shape)
    scales = [0.002 * (1 + number) for number in range(shape[axis])]
    target_shape = (1, *output, outputs)
    numbers = np.array(stated or target_shape, np.int32)
    named = builder.tensor(numbers.shape, "int32", data=numbers if known_shape else None)
    wide = dtype == "int16"
    source = builder.tensor((1, *size, inputs), dtype, scale=0.05, zero_point=0 if wide else -7)
    weights = builder.tensor(shape, weights_type, scale=scales, axis=axis, data=data.astype(np.int8))
    keys = [named, weights, source]
    if bias_size is not None:
        kind = bias_type or ("int64" if wide else "int32")
        values = rng.integers(-2000, 2000, bias_size).astype(kind)
        keys.append(builder.tensor(values.shape, kind, scale=0.0001, data=values))
    target = builder.tensor(target_shape, dtype, scale=output_scale, zero_point=0 if wide else 5)
    builder.operator(
        "transpose_conv", keys, [target], padding=padding, stride_h=stride[0], stride_w=stride[1],
        fused_activation_function=activation,
    )  # fmt: skip
    return builder.build([source] if known_shape else [named, source], [target])


@st.composite
def windows(draw_: st.DrawFn) -> dict[str, Any]:
    """Any sizes: the output need not be what the input and the stride suggest."""
    pair = st.tuples(st.integers(1, 5), st.integers(1, 5))
    case = {
        "size": draw_(pair),
        "kernel": draw_(pair),
        "stride": draw_(st.tuples(st.integers(1, 3), st.integers(1, 3))),
    }
    output = draw_(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    padding = draw_(tflm.paddings)
    if padding == "valid":  # the kernel must fit into the output
        output = (max(output[0], case["kernel"][0]), max(output[1], case["kernel"][1]))
    return {**case, "output": output, "padding": padding}


@settings(max_examples=60, deadline=None)
@given(case=windows(), activation=tflm.activations, bias=st.booleans(), seed=tflm.seeds)
def test_any_size_equals_tflm(case: dict[str, Any], activation: str, bias: bool, seed: int) -> None:
    tflm.assert_bit_exact(transposed(**case, activation=activation, bias_size=2 if bias else None), seed)


@settings(max_examples=60, deadline=None)
@given(
    case=windows(),
    activation=tflm.activations,
    bias=st.sampled_from(["", "int16", "int64"]),
    scale=st.sampled_from([0.001, 0.05, 40.0]),
    seed=tflm.seeds,
)
def test_any_size_of_int16_equals_tflm(
    case: dict[str, Any], activation: str, bias: str, scale: float, seed: int
) -> None:
    given_bias = {"bias_size": 2, "bias_type": bias} if bias else {}
    tflite = transposed(**case, **given_bias, activation=activation, dtype="int16", output_scale=scale)
    tflm.assert_bit_exact(tflite, seed)


def test_a_shape_that_is_computed_is_not_looked_at() -> None:
    tflite = transposed(known_shape=False)
    graph = read_model(tflite, "m")
    (layer,) = parse_graph(graph)
    assert [tensor.shape for tensor in layer.inputs] == [(1, 3, 4, 3)]
    tflm.assert_bit_exact(tflite, 2)


def test_parameters() -> None:
    (layer,) = parse_graph(read_model(transposed(), "m"))
    p = layer.params
    assert (p.pad_top, p.pad_left, p.stride_h, layer.macs) == (0, 0, 2, 3 * 4 * 3 * 2 * 3 * 2)


REFUSALS = [
    (transposed(**arguments), rule)
    for arguments, rule in (
        ({"weights_shape": (2, 3, 2, 4)}, "output channels, height, width, input channels"),
        ({"weights_type": "int4"}, "The weights are int8"),
        ({"axis": 3}, "per channel along axis 0"),
        ({"stated": (1, 6, 8, 3)}, "where it is a constant, is that of the output"),
        ({"bias_size": 3}, "one value per output channel"),
        ({"bias_size": 2, "bias_type": "int32", "dtype": "int16"}, "for int16 int64 or int16"),
        ({"output_scale": 1e-6, "dtype": "int16"}, "2\\*\\*7 times for int16"),
        ({"padding": "valid", "kernel": (7, 2)}, "leads back from output to input exists"),
        ({"output_scale": 1e-30}, "less than 2\\*\\*30 times"),
    )
]
"""models that are refused, and words of the rule they break"""


def transpose_conv_node(draft: Draft) -> None:
    source = draft.images(draft.kind())
    kernel = (draft.number(1, 4), draft.number(1, 4))
    stride = (draft.number(1, 2), draft.number(1, 2))
    padding = draft.pick("same", "valid")
    outputs = draft.number(1, 6)
    rows, columns = (
        size * step if padding == "same" else size * step + max(width - step, 0)
        for size, step, width in zip(source.shape[1:3], stride, kernel, strict=True)
    )
    shape = (source.shape[0], rows, columns, outputs)
    weighted(
        draft, "transpose_conv", source, (outputs, *kernel, source.shape[3]), shape, axis=0,
        taps=math.prod(kernel) * source.shape[3], leading=(draft.shape_constant(shape),), per_channel=True,
        four_bits=False, padding=padding, stride_h=stride[0], stride_w=stride[1], fused_activation_function="none",
    )  # fmt: skip


def transpose_conv_s16(rng: Rng) -> bytes:
    draft = Draft(rng)
    image = draft.input((1, draft.number(1, 4), draft.number(1, 4), draft.number(1, 5)), "int16")
    draft.images = lambda dtype="int16": image  # type: ignore[method-assign]
    transpose_conv_node(draft)
    return draft.finish()


MODELS = {"transpose_conv_s16": transpose_conv_s16}
NODES = {"transpose_conv": transpose_conv_node}
_drafted_layer = drafted(transpose_conv_node, "transpose_conv")


def transpose_conv_layer(rng: Rng) -> Layer:
    """One image of a batch, as kernels compute it."""
    return one_image(_drafted_layer(rng))


LAYERS = {"transpose_conv": transpose_conv_layer}

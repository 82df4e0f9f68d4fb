"""average_pool_2d and max_pool_2d in int8 and int16."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.draft import Draft, Entry
from kits.kernel_layers import KernelCases, Pair, Rng, any_zero_point, clamp, image_layer, window
from kits.nodes import fused_activation, window_options
from kits.operator_models import activation, scale
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check
from tinyedge.ops.contract import Layer
from tinyedge.ops.pool_2d import Pool2D


def pooling(
    *,
    operator: str = "average_pool_2d",
    size: tuple[int, int] = (5, 6),
    channels: int = 3,
    output_channels: int | None = None,
    kernel: tuple[int, int] = (3, 2),
    stride: tuple[int, int] = (2, 2),
    padding: str = "same",
    activation: str = "none",
    scale: float = 0.05,
    zero_point: int = 3,
    output_zero_point: int | None = None,
) -> bytes:
    rows, columns = (tflm.output_size(size[i], kernel[i], stride[i], 1, padding) for i in (0, 1))
    builder = TfliteBuilder()
    source = builder.tensor((1, *size, channels), scale=scale, zero_point=zero_point)
    target = builder.tensor(
        (1, rows, columns, output_channels or channels),
        scale=scale,
        zero_point=zero_point if output_zero_point is None else output_zero_point,
    )
    builder.operator(
        operator,
        [source],
        [target],
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        filter_height=kernel[0],
        filter_width=kernel[1],
        fused_activation_function=activation,
    )
    return builder.build([source], [target])


@settings(max_examples=120, deadline=None)
@given(
    operator=st.sampled_from(["average_pool_2d", "max_pool_2d"]),
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    channels=st.integers(1, 5),
    kernel=st.tuples(st.integers(1, 8), st.integers(1, 8)),
    stride=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    padding=tflm.paddings,
    activation=tflm.activations,
    scale=tflm.scales,
    zero_point=tflm.zero_points,
    seed=tflm.seeds,
)
def test_equals_tflm(seed: int, **arguments: Any) -> None:
    assume(tflm.window_fits(arguments))
    tflm.assert_bit_exact(pooling(**arguments), seed)


def test_a_gigantic_filter_is_handled_in_no_time() -> None:
    tflm.assert_bit_exact(pooling(kernel=(50_000, 60_000)), 1)


def test_padding_beyond_16_bits_is_refused() -> None:
    with pytest.raises(ModelError, match="none above 32767"):
        check(read_model(pooling(kernel=(1 << 20, 1)), "m"))


def pooling_s16(size: int, kernel: int, *, types: tuple[str, str] = ("int16", "int16")) -> bytes:
    builder = TfliteBuilder()
    x = builder.tensor((1, size, size, 1), types[0], scale=0.1)
    y = builder.tensor((1, size - kernel + 1, size - kernel + 1, 1), types[1], scale=0.1)
    window = {"stride_h": 1, "stride_w": 1, "filter_height": kernel, "filter_width": kernel}
    builder.operator("average_pool_2d", [x], [y], padding="valid", fused_activation_function="none", **window)
    return builder.build([x], [y])


def test_the_largest_window_that_cannot_overflow() -> None:
    assert tflm.assert_same(pooling_s16(255, 255), np.full((1, 255, 255, 1), -32768, np.int16)).item() == -32768
    with pytest.raises(ModelError, match="at most 65535 cells"):
        check(read_model(pooling_s16(256, 256), "m"))


REFUSALS: list[tuple[bytes, str]] = [
    *(
        (pooling(**arguments), rule)
        for arguments, rule in [
            ({"output_zero_point": 4}, "same scale"),
            ({"output_channels": 2}, "same number of channels"),
        ]
    ),
    (pooling_s16(3, 2, types=("int8", "int16")), "both int8 or both int16"),
]
"""models that are refused, and words of the rule they break"""


def pool_s16(rng: Rng, name: str) -> bytes:
    size, kernel, stride = ([int(v) for v in rng.integers(1, most, 2)] for most in (9, 5, 4))
    padding = str(rng.choice(["same", "valid"]))
    if padding == "valid":
        size = [max(n, k) for n, k in zip(size, kernel, strict=True)]
        output = [(n - k) // s + 1 for n, k, s in zip(size, kernel, stride, strict=True)]
    else:
        output = [-(-n // s) for n, s in zip(size, stride, strict=True)]
    channels = int(rng.integers(1, 9))
    common = scale(rng)
    builder = TfliteBuilder()
    x, y = (builder.tensor((1, *axes, channels), "int16", scale=common) for axes in (size, output))
    builder.operator(
        name,
        [x],
        [y],
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        filter_height=kernel[0],
        filter_width=kernel[1],
        fused_activation_function=activation(rng),
    )
    return builder.build([x], [y])


def pool_2d_layer(
    rng: Rng,
    name: str,
    *,
    channels: int | None = None,
    limits: Pair | None = None,
    corners: bool = True,
    **geometry: Any,
) -> Layer:
    """A pooling layer, `average_pool_2d` or `max_pool_2d`; every window covers a cell."""
    geometry = {"padding": str(rng.choice(["same", "valid"])), **geometry, "dilation": (1, 1)}
    w = window(rng, **geometry)
    channels = channels or int(rng.integers(1, 14))
    low, high = limits or clamp(rng, any_zero_point(rng), corners)
    return image_layer(name, Pool2D(w, channels, low, high), w, channels, channels, 0)


def _corners(rng: Rng) -> list[Layer]:
    return [
        pool_2d_layer(rng, "average_pool_2d", size=(25, 5), kernel=(25, 5), padding="valid", channels=64),
        pool_2d_layer(rng, "average_pool_2d", size=(19, 19), kernel=(19, 19), padding="valid", channels=5),
        pool_2d_layer(
            rng, "average_pool_2d", size=(19, 20), kernel=(19, 19), padding="same", stride=(7, 7), channels=6
        ),
        pool_2d_layer(rng, "average_pool_2d", size=(40, 40), kernel=(40, 40), padding="same", channels=4),
    ]


def pool_2d_node(operator: str) -> Entry:
    """average_pool_2d, max_pool_2d: the quantization stays."""

    def entry(draft: Draft) -> None:
        source = draft.images(draft.kind())
        options, kernel, size = window_options(draft, source, dilated=False)
        if draft.flip(0.15):  # all of the image
            kernel, size = source.shape[1:3], (1, 1)
            options |= {"padding": "valid", "stride_h": 1, "stride_w": 1}
        draft.same(
            operator, [source], (source.shape[0], *size, source.shape[3]), source,
            filter_height=kernel[0], filter_width=kernel[1],
            fused_activation_function=fused_activation(draft), **options,
        )  # fmt: skip

    return entry


MODELS = {
    "average_pool_2d_s16": lambda rng: pool_s16(rng, "average_pool_2d"),
    "max_pool_2d_s16": lambda rng: pool_s16(rng, "max_pool_2d"),
}
NODES = {"average_pool_2d": pool_2d_node("average_pool_2d"), "max_pool_2d": pool_2d_node("max_pool_2d")}
LAYERS = {
    "average_pool_2d": lambda rng: pool_2d_layer(rng, "average_pool_2d"),
    "max_pool_2d": lambda rng: pool_2d_layer(rng, "max_pool_2d"),
}
KERNEL_CASES = {
    "portable/average_pool_2d": KernelCases(
        corners=_corners, sensitive=lambda rng: pool_2d_layer(rng, "average_pool_2d", corners=False)
    ),
    "portable/max_pool_2d": KernelCases(sensitive=lambda rng: pool_2d_layer(rng, "max_pool_2d", corners=False)),
}

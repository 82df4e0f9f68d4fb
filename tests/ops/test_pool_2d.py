"""average_pool_2d and max_pool_2d against TensorFlow Lite Micro, and their refusals."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check


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


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"output_zero_point": 4}, "same scale"),
        ({"output_channels": 2}, "same number of channels"),
    ],
)
def test_refusals(arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(pooling(**arguments), "m"))


def test_a_gigantic_filter_is_handled_in_no_time() -> None:
    tflm.assert_bit_exact(pooling(kernel=(50_000, 60_000)), 1)


def test_padding_beyond_16_bits_is_refused() -> None:
    with pytest.raises(ModelError, match="none above 32767"):
        check(read_model(pooling(kernel=(1 << 20, 1)), "m"))

"""pad and padv2 against TensorFlow Lite Micro, and their refusals."""

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

Pairs = list[tuple[int, int]]


def pad(
    *,
    shape: tuple[int, ...] = (1, 2, 3, 2),
    pairs: Pairs | None = None,
    value: int | None = None,
    value_scale: float = 0.1,
    zero_point: int = -7,
    output_shape: tuple[int, ...] | None = None,
    pairs_type: str = "int32",
) -> bytes:
    pairs = [(0, 0), (1, 2), (2, 0), (0, 0)] if pairs is None else pairs
    builder = TfliteBuilder()
    source = builder.tensor(shape, scale=0.1, zero_point=zero_point)
    operands = [source, builder.tensor((len(pairs), 2), pairs_type, data=np.array(pairs, pairs_type))]
    if value is not None:
        data = np.array([value], np.int8)
        operands.append(builder.tensor((1,), scale=value_scale, zero_point=zero_point, data=data))
    grown = tuple(size + sum(pair) for size, pair in zip(shape, pairs, strict=False))
    target = builder.tensor(output_shape or grown, scale=0.1, zero_point=zero_point)
    builder.operator("pad" if value is None else "padv2", operands, [target])
    return builder.build([source], [target])


@st.composite
def cases(draw: st.DrawFn) -> dict[str, Any]:
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=4)))
    pairs = [draw(st.tuples(st.integers(0, 3), st.integers(0, 3))) for _ in shape]
    return {"shape": shape, "pairs": pairs}


@settings(max_examples=80, deadline=None)
@given(
    case=cases(),
    value=st.one_of(st.none(), st.integers(-128, 127)),
    zero_point=tflm.zero_points,
    seed=tflm.seeds,
)
def test_equals_tflm(case: dict[str, Any], seed: int, **arguments: Any) -> None:
    tflm.assert_bit_exact(pad(**case, **arguments), seed)


def test_parameters_are_of_rank_four() -> None:
    (layer,) = parse_graph(read_model(pad(shape=(2, 3), pairs=[(1, 0), (0, 2)]), "m"))
    assert layer.params.input_shape == (1, 1, 2, 3)
    assert layer.params.before == (0, 0, 1, 0)
    assert layer.params.after == (0, 0, 0, 2)
    assert layer.params.value == -7


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"pairs": [(0, 0), (-1, 2), (0, 0), (0, 0)]}, "none negative"),
        ({"pairs": [(0, 0), (1, 2)], "output_shape": (1, 5, 3, 2)}, "a pair per dimension"),
        ({"pairs_type": "int64"}, "constant of int32"),
        ({"output_shape": (1, 2, 3, 3)}, "larger than the input by the paddings"),
        ({"value": 3, "value_scale": 0.2}, "output's scale and zero point"),
        ({"shape": (1, 1, 1, 1, 2), "pairs": [(0, 1)] * 5}, "one to four dimensions"),
    ],
)
def test_refusals(arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(pad(**arguments), "m"))

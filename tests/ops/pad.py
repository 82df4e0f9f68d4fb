"""pad and padv2."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.draft import Draft
from kits.kernel_layers import KernelCases, Rng, any_zero_point, make_layer
from kits.nodes import padded, paddings, small
from kits.operator_models import shape_of
from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.ir import DType
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.ops.pad import Pad

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
    dtype: str = "int8",
) -> bytes:
    pairs = [(0, 0), (1, 2), (2, 0), (0, 0)] if pairs is None else pairs
    builder = TfliteBuilder()
    zero_point = zero_point if dtype == "int8" else 0
    source = builder.tensor(shape, dtype, scale=0.1, zero_point=zero_point)
    operands = [source, builder.tensor((len(pairs), 2), pairs_type, data=np.array(pairs, pairs_type))]
    if value is not None:
        data = np.array([value], dtype)
        operands.append(builder.tensor((1,), dtype, scale=value_scale, zero_point=zero_point, data=data))
    grown = tuple(size + sum(pair) for size, pair in zip(shape, pairs, strict=False))
    target = builder.tensor(output_shape or grown, dtype, scale=0.1, zero_point=zero_point)
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


@settings(max_examples=60, deadline=None)
@given(case=cases(), value=st.one_of(st.none(), st.sampled_from([0, -1, 77, -32768])), seed=tflm.seeds)
def test_int16_equals_tflm(case: dict[str, Any], seed: int, **arguments: Any) -> None:
    tflm.assert_bit_exact(pad(**case, **arguments, dtype="int16"), seed)


def test_parameters_are_of_rank_four() -> None:
    (layer,) = parse_graph(read_model(pad(shape=(2, 3), pairs=[(1, 0), (0, 2)]), "m"))
    assert layer.params.input_shape == (1, 1, 2, 3)
    assert layer.params.before == (0, 0, 1, 0)
    assert layer.params.after == (0, 0, 0, 2)
    assert layer.params.value == -7


REFUSALS = [
    (pad(**arguments), rule)
    for arguments, rule in (
        ({"pairs": [(0, 0), (-1, 2), (0, 0), (0, 0)]}, "none negative"),
        ({"pairs": [(0, 0), (1, 2)], "output_shape": (1, 5, 3, 2)}, "a pair per dimension"),
        ({"pairs_type": "int64"}, "constant of int32"),
        ({"output_shape": (1, 2, 3, 3)}, "larger than the input by the paddings"),
        ({"value": 3, "value_scale": 0.2}, "output's type, scale and zero point"),
        ({"shape": (1, 1, 1, 1, 2), "pairs": [(0, 1)] * 5}, "one to four dimensions"),
    )
]
"""models that are refused, and words of the rule they break"""


def pad_node(draft: Draft) -> None:
    source = small(draft, draft.pick(4, 4, 3, 2, 1), draft.kind())
    pairs = paddings(draft, source.shape, lambda size: 2)
    draft.same("pad", [source, draft.constant(np.array(pairs, np.int32))], padded(source.shape, pairs), source)


def padv2_node(draft: Draft) -> None:
    source = small(draft, draft.pick(4, 4, 3, 2), draft.kind())
    pairs = paddings(draft, source.shape, lambda size: 2)
    value = draft.values_like((1,), source)
    keys = [source, draft.constant(np.array(pairs, np.int32)), value]
    draft.same("padv2", keys, padded(source.shape, pairs), source)


def pad_s16(rng: Rng) -> bytes:
    shape = shape_of(rng)
    pairs = [(int(rng.choice([0, 1, 3])), int(rng.choice([0, 0, 2]))) for _ in shape]
    value = int(rng.choice([0, 5, -300])) if rng.random() < 0.6 else None
    return pad(shape=shape, pairs=pairs, value=value, dtype="int16")


def pad_layer(rng: Rng, *, rank: int | None = None) -> Layer:
    """A border of random widths, on any axis."""
    rank = rank or int(rng.integers(1, 5))
    sizes = tuple(int(v) for v in rng.integers(1, 6, rank))

    def amounts() -> list[int]:
        return [int(v) for v in rng.choice([0, 0, 1, 2, 5], rank)]

    missing = (4 - rank) * (0,)
    before, after = amounts(), amounts()
    params = Pad((4 - rank) * (1,) + sizes, (*missing, *before), (*missing, *after), any_zero_point(rng))  # type: ignore[arg-type]
    output = tuple(map(sum, zip(sizes, before, after, strict=True)))
    return make_layer("pad", params, [(sizes, DType.INT8)], [(output, DType.INT8)])


MODELS = {"pad_s16": pad_s16}
NODES = {"pad": pad_node, "padv2": padv2_node}
LAYERS = {"pad": pad_layer}
KERNEL_CASES = {"portable/pad": KernelCases(sensitive=pad_layer)}

"""Shapes that a file computes from what it fixes become constants; what is not exact stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.ops import check
from tinyedge.optimize import settle_graph
from tinyedge.optimize.fold_shapes import fold_shapes

SHAPE = (2, 6, 5)


class _Chain:
    """SHAPE of an input [2, 6, 5], operators on integers, and a reshape that reads the last."""

    def __init__(self, dtype: str = "int32") -> None:
        self.builder = TfliteBuilder()
        self.source = self.builder.tensor(SHAPE, scale=0.1, zero_point=3)
        self.last = self.builder.tensor((3,), dtype)
        self.builder.operator("shape", [self.source], [self.last])

    def constant(self, values: Any, dtype: str = "int32") -> int:
        data = np.array(values, dtype)
        return self.builder.tensor(data.shape, dtype, data=data)

    def then(
        self, operator: str, *others: int, shape: tuple[int, ...] = (3,), dtype: str = "int32", **o: Any
    ) -> _Chain:
        target = self.builder.tensor(shape, dtype)
        self.builder.operator(operator, [self.last, *others], [target], **o)
        self.last = target
        return self

    def graph(self) -> Graph:
        target = self.builder.tensor((4, 15), scale=0.1, zero_point=3)
        self.builder.operator("reshape", [self.source, self.last], [target])
        return read_model(self.builder.build([self.source], [target]), "m")


NO_MASKS = {"begin_mask": 0, "end_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 0}
PLAIN = {"fused_activation_function": "none"}


def _one(mask: str) -> dict[str, Any]:
    return NO_MASKS | {f"{mask}_mask": 1}


@pytest.mark.parametrize(
    ("operator", "others", "options", "wanted"),
    [
        ("mul", [[2, 3, 4]], PLAIN, [4, 18, 20]),
        ("add", [7], PLAIN, [9, 13, 12]),
        ("sub", [[3, 3, 3]], PLAIN, [-1, 3, 2]),
        ("div", [[-3, 4, 2]], PLAIN, [0, 1, 2]),
        ("floor_div", [[-3, 4, 2]], {}, [-1, 1, 2]),
        ("floor_mod", [[-3, 4, 2]], {}, [-1, 2, 1]),
        ("maximum", [[3, 3, 3]], {}, [3, 6, 5]),
        ("minimum", [[3, 3, 3]], {}, [2, 3, 3]),
        ("reduce_prod", [[0]], {"keep_dims": False}, 60),
        ("sum", [[-1]], {"keep_dims": True}, [13]),
        ("gather", [[2, 0]], {"axis": 0}, [5, 2]),
        ("concatenation", [[4]], {"axis": 0, **PLAIN}, [2, 6, 5, 4]),
        ("pack", [[1, 2, 3]], {"axis": 1, "values_count": 2}, [[2, 1], [6, 2], [5, 3]]),
        ("slice", [[1], [-1]], {}, [6, 5]),
        ("strided_slice", [[0], [1], [1]], _one("shrink_axis"), 2),
        ("strided_slice", [[-2], [0], [1]], _one("end"), [6, 5]),
        ("strided_slice", [[2], [0], [-1]], _one("end"), [5, 6, 2]),
        ("reshape", [[3, 1]], {}, [[2], [6], [5]]),
        ("expand_dims", [0], {}, [[2, 6, 5]]),
        ("cast", [], {}, [2, 6, 5]),
        ("neg", [], {}, [-2, -6, -5]),
    ],
)
def test_functions(operator: str, others: list[Any], options: dict[str, Any], wanted: Any) -> None:
    chain = _Chain()
    keys = [chain.constant(values) for values in others]
    chain.then(operator, *keys, shape=np.shape(wanted), **options)
    folded = fold_shapes(chain.graph())
    assert [op.name for op in folded.operators] == ["reshape"]
    found = folded.tensors[chain.last].data
    assert found is not None
    assert found.dtype == np.int32
    assert found.tolist() == wanted


def test_a_long_way_in_int64() -> None:
    chain = _Chain("int64")
    chain.then("reduce_prod", chain.constant([0]), shape=(), dtype="int64", keep_dims=False)
    chain.then("floor_div", chain.constant(4, "int64"), shape=(), dtype="int64")
    chain.then("cast", shape=()).then("expand_dims", chain.constant(0), shape=(1,))
    graph = chain.graph()
    settled = settle_graph(graph)
    check(settled)
    assert [op.name for op in settled.operators] == ["reshape"]
    data = settled.tensors[chain.last].data
    assert data is not None
    assert data.tolist() == [15]


@pytest.mark.parametrize(
    ("operator", "values", "shape"),
    [("mul", [1 << 30, 1, 1], (3,)), ("div", [0, 1, 1], (3,)), ("add", [1, 2], (3,)), ("add", [1, 2, 3], (4,))],
    ids=["overflow", "division by zero", "no broadcast", "another shape"],
)
def test_what_is_not_exact_stays(operator: str, values: list[int], shape: tuple[int, ...]) -> None:
    chain = _Chain()
    chain.then(operator, chain.constant(values), shape=shape, **PLAIN)
    graph = chain.graph()
    assert operator in [op.name for op in fold_shapes(graph).operators]


def test_data_is_no_shape() -> None:
    chain = _Chain()
    given = chain.builder.tensor((3,), "int32")
    chain.then("mul", given, **PLAIN)
    target = chain.builder.tensor((4, 15), scale=0.1, zero_point=3)
    chain.builder.operator("reshape", [chain.source, chain.last], [target])
    graph = read_model(chain.builder.build([chain.source, given], [target]), "m")
    assert [op.name for op in fold_shapes(graph).operators] == ["mul", "reshape"]


def test_outputs_and_what_would_lose_its_input_stay() -> None:
    """An output needs memory; a cast to int8 takes nothing that is constant."""
    builder = TfliteBuilder()
    source = builder.tensor(SHAPE, scale=0.1)
    sizes, small = builder.tensor((3,), "int32"), builder.tensor((3,), "int8", scale=1.0)
    builder.operator("shape", [source], [sizes])
    builder.operator("cast", [sizes], [small])
    graph = read_model(builder.build([source], [small]), "m")
    check(graph)
    assert fold_shapes(graph) is graph

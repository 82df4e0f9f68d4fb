"""Resource variables become variable tensors, and what cannot is refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from kits import tflm
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model


class _Model:
    """An input [1, 4], and a handle for each name."""

    def __init__(self, *names: str) -> None:
        self.builder = TfliteBuilder()
        self.source = self.tensor()
        self.handles = [self.handle(name) for name in names]

    def tensor(self, size: int = 4, dtype: str = "int8") -> int:
        return self.builder.tensor((1, size), dtype, scale=0.1, zero_point=3 if dtype == "int8" else 0)

    def handle(self, name: str) -> int:
        key = self.builder.tensor((1,), "resource")
        self.builder.operator("var_handle", [], [key], container="", shared_name=name)
        return key

    def read(self, handle: int, size: int = 4, dtype: str = "int8") -> int:
        target = self.tensor(size, dtype)
        self.builder.operator("read_variable", [handle], [target])
        return target

    def assign(self, handle: int, value: int) -> None:
        self.builder.operator("assign_variable", [handle, value], [])

    def build(self, *outputs: int) -> bytes:
        return self.builder.build([self.source], outputs)


def test_a_variable_is_one_tensor_however_many_handles_name_it() -> None:
    model = _Model("count", "count", "other")
    first = model.read(model.handles[0])
    model.assign(model.handles[1], model.source)
    model.assign(model.handles[2], model.source)
    graph = read_model(model.build(first), "m")
    assert [operator.name for operator in graph.operators] == ["read_variable", "assign_variable", "assign_variable"]
    assert [operator.index for operator in graph.operators] == [3, 4, 5]
    variables = [tensor for tensor in graph.tensors.values() if tensor.is_variable]
    assert [variable.name for variable in variables] == ["count", "other"]
    assert graph.operators[0].inputs == graph.operators[1].outputs == (variables[0].index,)
    assert graph.operators[2].outputs == (variables[1].index,)
    assert graph.operators[1].inputs == (model.source,)
    assert (variables[0].shape, variables[0].zero_point, variables[0].start_byte) == ((1, 4), 3, 3)
    assert not set(model.handles) & set(graph.tensors)


def test_a_graph_without_handles_stays_as_it_is() -> None:
    model = _Model()
    target = model.tensor()
    model.builder.operator("relu", [model.source], [target])
    graph = read_model(model.build(target), "m")
    assert [operator.name for operator in graph.operators] == ["relu"]


def _start(model: _Model, name: str, values: Sequence[int], dtype: str = "int8") -> None:
    """A subgraph that assigns a variable once."""
    builder = model.builder
    with builder.subgraph() as number:
        handle = builder.tensor((1,), "resource")
        builder.operator("var_handle", [], [handle], container="", shared_name=name)
        data = np.array([values], dtype)
        value = builder.tensor(data.shape, dtype, scale=0.1, zero_point=3 if dtype == "int8" else 0, data=data)
        builder.operator("assign_variable", [handle, value], [])
    builder.call_once(number)


def test_a_variable_starts_as_a_subgraph_says() -> None:
    model = _Model("state", "other")
    _start(model, "state", [1, -2, 3, 4])
    first = model.read(model.handles[0])
    model.assign(model.handles[0], model.source)
    model.assign(model.handles[1], model.source)
    tflite = model.build(first)
    graph = read_model(tflite, "m")
    assert graph.calls_once
    assert [operator.name for operator in graph.operators] == ["read_variable", "assign_variable", "assign_variable"]
    state, other = (tensor for tensor in graph.tensors.values() if tensor.is_variable)
    assert state.start is not None
    assert state.start.tolist() == [[1, -2, 3, 4]]
    assert other.start is None
    rows = [[np.array([[n, n, n, n]], np.int8)] for n in (5, 6, 7)]
    outputs = tflm.assert_exact_over_time(tflite, rows)
    assert [output[0].ravel().tolist() for output in outputs] == [[1, -2, 3, 4], [5] * 4, [6] * 4]


def test_a_variable_that_no_inference_changes_is_a_constant() -> None:
    model = _Model("table")
    _start(model, "table", [1, -2, 3, 4])
    table = model.read(model.handles[0])
    target = model.tensor()
    model.builder.operator("maximum", [model.source, table], [target])
    tflite = model.build(target)
    graph = read_model(tflite, "m")
    assert [operator.name for operator in graph.operators] == ["maximum"]
    assert not any(tensor.is_variable for tensor in graph.tensors.values())
    tflm.assert_exact_over_time(tflite, [[np.array([[0, 0, 0, 0]], np.int8)]])


def _start_of_another_size() -> bytes:
    model = _Model("state")
    _start(model, "state", [1, 2])
    target = model.read(model.handles[0])
    model.assign(model.handles[0], model.source)
    return model.build(target)


def _late_start() -> bytes:
    model = _Model("state")
    _start(model, "state", [1, 2, 3, 4])
    target = model.read(model.handles[0])
    model.assign(model.handles[0], model.source)
    operators = model.builder.graph.operators
    operators.append(operators.pop(0))
    return model.build(target)


def _computed_start() -> bytes:
    model = _Model("state")
    _start(model, "state", [1, 2, 3, 4])
    target = model.read(model.handles[0])
    model.assign(model.handles[0], model.source)
    builder = model.builder
    with builder.subgraph() as number:
        first, second = builder.tensor((1, 4), scale=0.1), builder.tensor((1, 4), scale=0.1)
        builder.operator("relu", [first], [second])
    builder.call_once(number)
    return model.build(target)


def _never_assigned() -> bytes:
    model = _Model("state")
    return model.build(model.read(model.handles[0]))


def _other_size() -> bytes:
    model = _Model("state")
    target = model.read(model.handles[0], size=5)
    model.assign(model.handles[0], model.source)
    return model.build(target)


def _other_type() -> bytes:
    model = _Model("state")
    target = model.read(model.handles[0], size=1, dtype="int32")
    model.assign(model.handles[0], model.source)
    return model.build(target)


def _handle_as_output() -> bytes:
    model = _Model("state")
    model.assign(model.handles[0], model.source)
    return model.build(model.read(model.handles[0]), model.handles[0])


def _handle_computed_with() -> bytes:
    model = _Model("state")
    model.assign(model.handles[0], model.source)
    target = model.tensor()
    model.builder.operator("relu", [model.handles[0]], [target])
    return model.build(target)


def _handle_as_value() -> bytes:
    model = _Model("state", "other")
    model.assign(model.handles[0], model.source)
    model.assign(model.handles[0], model.handles[1])
    return model.build(model.read(model.handles[0]))


def _handle_written_twice() -> bytes:
    model = _Model("state")
    model.builder.operator("var_handle", [], [model.handles[0]], container="", shared_name="other")
    model.assign(model.handles[0], model.source)
    return model.build(model.read(model.handles[0]))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (_never_assigned, "`state` is never assigned"),
        (_other_size, r"holds int8 \[1, 4\], operator 1 `read_variable` moves something else"),
        (_other_type, "moves something else"),
        (_start_of_another_size, r"`state` holds int8 \[1, 4\], it starts as int8 \[1, 2\]"),
        (_late_start, "`call_once` gives variables their start values after one was used"),
        (_computed_start, "operator 0 `relu` of its subgraph; tinyedge takes constants as start values"),
        (_handle_as_output, "is an input or output of the model"),
        (_handle_computed_with, "in a way tinyedge does not know"),
        (_handle_as_value, "never assigned"),
        (_handle_written_twice, "is written twice"),
    ],
)
def test_refusals(model, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match=message):
        read_model(model(), "m")


def test_a_handle_that_is_an_input_is_no_variable() -> None:
    """Without a var_handle nothing says what it holds: the rules of the operators refuse it."""
    from tinyedge.ops import check

    model = _Model()
    handle = model.builder.tensor((1,), "resource")
    target = model.read(handle)
    graph = read_model(model.builder.build([model.source, handle], [target]), "m")
    with pytest.raises(ModelError, match="read_variable"):
        check(graph)


def test_constants_can_be_assigned() -> None:
    model = _Model("state")
    value = model.builder.tensor((1, 4), scale=0.1, zero_point=3, data=np.arange(4, dtype=np.int8).reshape(1, 4))
    target = model.read(model.handles[0])
    model.assign(model.handles[0], value)
    graph = read_model(model.build(target), "m")
    (variable,) = [tensor for tensor in graph.tensors.values() if tensor.is_variable]
    assert variable.data is None
    assert graph.tensors[value].is_constant

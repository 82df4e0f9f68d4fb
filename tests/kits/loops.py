"""Models of loops and branches, by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kits.tflite_builder import TfliteBuilder

INT8: dict[str, Any] = {"scale": 0.02, "zero_point": 3}
NO_ACTIVATION = {"fused_activation_function": "none"}


def whole(builder: TfliteBuilder, value: int | None = None) -> int:
    """A counter, or a constant."""
    return builder.tensor((), "int32", data=None if value is None else np.array(value, np.int32))


class LoopModel:
    """x, and a loop that changes a counter and a state [1, 4]; `x` is passed on.

    change  what the body does: from (builder, counter, state, x) to the new state
    test    what the condition is: from (builder, counter, state) to a bool; by default counter < 5
    """

    def __init__(
        self,
        change: Callable[[TfliteBuilder, int, int, int], int],
        test: Callable[[TfliteBuilder, int, int], int] | None = None,
        *,
        start: int | None = 0,
    ) -> None:
        self.builder = builder = TfliteBuilder()
        with builder.subgraph() as self.condition:
            counter, state, x = self._operands()
            holds = (test or self._less)(builder, counter, state)
            builder.graph.inputs, builder.graph.outputs = [counter, state, x], [holds]
        with builder.subgraph() as self.body:
            counter, state, x = self._operands()
            after = whole(builder)
            builder.operator("add", [counter, whole(builder, 1)], [after], **NO_ACTIVATION)
            builder.graph.inputs = [counter, state, x]
            builder.graph.outputs = [after, change(builder, counter, state, x), x]
        self.x = builder.tensor((5, 4), **INT8)
        self.first = whole(builder, start)
        state = builder.tensor((1, 4), data=np.array([[3, -9, 70, 3]], np.int8), **INT8)
        self.results = self._operands()
        numbers = {"cond_subgraph_index": self.condition, "body_subgraph_index": self.body}
        builder.operator("while", [self.first, state, self.x], self.results, **numbers)

    def _operands(self) -> tuple[int, int, int]:
        return whole(self.builder), self.builder.tensor((1, 4), **INT8), self.builder.tensor((5, 4), **INT8)

    @staticmethod
    def _less(builder: TfliteBuilder, counter: int, state: int) -> int:
        holds = builder.tensor((), "bool")
        builder.operator("less", [counter, whole(builder, 5)], [holds])
        return holds

    def build(self, *outputs: int) -> bytes:
        """A model of some of the loop's results: 0 the counter, 1 the state, 2 x."""
        given = [self.x] if self.builder.graph.tensors[self.first].buffer else [self.first, self.x]
        return self.builder.build(given, [self.results[at] for at in outputs])


def added_row(builder: TfliteBuilder, counter: int, state: int, x: int) -> int:
    """The state and row `counter` of x."""
    row, index, total = builder.tensor((1, 4), **INT8), builder.tensor((1,), "int32"), builder.tensor((1, 4), **INT8)
    builder.operator("reshape", [counter, builder.tensor((1,), "int32", data=np.array([1], np.int32))], [index])
    builder.operator("gather", [x, index], [row], axis=0, batch_dims=0)
    builder.operator("add", [state, row], [total], **NO_ACTIVATION)
    return total


def negated(builder: TfliteBuilder, state: int) -> int:
    target = builder.tensor((1, 4), **INT8)
    builder.operator("relu", [state], [target])
    return target


def chosen(
    condition: str = "bool", *, shape: tuple[int, ...] = (), known: bool | None = None, constant: bool = False
) -> bytes:
    """One of two functions of x, as an input or a constant decides; the second passes x on, which may be a constant."""
    builder = TfliteBuilder()
    numbers = []
    for branch in range(2):
        with builder.subgraph() as number:
            x = builder.tensor((1, 4), **INT8)
            builder.graph.inputs, builder.graph.outputs = [x], [x if branch else negated(builder, x)]
            numbers.append(number)
    data = None if known is None else np.full(shape, known, np.bool_)
    values = np.array([[-7, 3, 8, 120]], np.int8) if constant else None
    first, x = builder.tensor(shape, condition, data=data), builder.tensor((1, 4), data=values, **INT8)
    target = builder.tensor((1, 4), **INT8)
    builder.operator("if", [first, x], [target], then_subgraph_index=numbers[0], else_subgraph_index=numbers[1])
    given = [key for key, data in ((first, data), (x, values)) if data is None]
    return builder.build(given, [target])


def known_condition(builder: TfliteBuilder, counter: int, state: int) -> int:
    """Never."""
    return builder.tensor((), "bool", data=np.array(False))


def flagged() -> bytes:
    """A loop whose condition is a value that the body changes, and nothing else."""
    builder = TfliteBuilder()
    with builder.subgraph() as condition:
        flag, state = builder.tensor((1,), "bool"), builder.tensor((1, 4), **INT8)
        builder.graph.inputs, builder.graph.outputs = [flag, state], [flag]
    with builder.subgraph() as body:
        flag, state = builder.tensor((1,), "bool"), builder.tensor((1, 4), **INT8)
        off, other = builder.tensor((1,), "bool"), negated(builder, state)
        builder.operator("logical_not", [flag], [off])
        builder.graph.inputs, builder.graph.outputs = [flag, state], [off, other]
    flag, state = builder.tensor((1,), "bool"), builder.tensor((1, 4), **INT8)
    results = [builder.tensor((1,), "bool"), builder.tensor((1, 4), **INT8)]
    builder.operator("while", [flag, state], results, cond_subgraph_index=condition, body_subgraph_index=body)
    return builder.build([flag, state], results)


def nested() -> bytes:
    """A loop within a branch within a loop."""

    def change(builder: TfliteBuilder, counter: int, state: int, x: int) -> int:
        odd, target = builder.tensor((), "bool"), builder.tensor((1, 4), **INT8)
        builder.operator("less", [counter, whole(builder, 3)], [odd])
        with builder.subgraph() as inner_condition:
            inner, state_inside = whole(builder), builder.tensor((1, 4), **INT8)
            holds = LoopModel._less(builder, inner, state_inside)
            builder.graph.inputs, builder.graph.outputs = [inner, state_inside], [holds]
        with builder.subgraph() as inner_body:
            inner, state_inside, after = whole(builder), builder.tensor((1, 4), **INT8), whole(builder)
            builder.operator("add", [inner, whole(builder, 2)], [after], **NO_ACTIVATION)
            scaled = builder.tensor((1, 4), **INT8)
            builder.operator("add", [state_inside, state_inside], [scaled], **NO_ACTIVATION)
            builder.graph.inputs, builder.graph.outputs = [inner, state_inside], [after, scaled]
        with builder.subgraph() as then:
            inner, state_inside = whole(builder), builder.tensor((1, 4), **INT8)
            results = [whole(builder), builder.tensor((1, 4), **INT8)]
            numbers = {"cond_subgraph_index": inner_condition, "body_subgraph_index": inner_body}
            builder.operator("while", [inner, state_inside], results, **numbers)
            builder.graph.inputs, builder.graph.outputs = [inner, state_inside], [results[1]]
        with builder.subgraph() as otherwise:
            inner, state_inside = whole(builder), builder.tensor((1, 4), **INT8)
            builder.graph.inputs = [inner, state_inside]
            builder.graph.outputs = [negated(builder, state_inside)]
        builder.operator("if", [odd, counter, state], [target], then_subgraph_index=then, else_subgraph_index=otherwise)
        return target

    return LoopModel(change).build(0, 1)


def swapped() -> bytes:
    """Two states of which each becomes the other, and one is read by a further operator first."""
    builder = TfliteBuilder()
    with builder.subgraph() as condition:
        counter, *operands = whole(builder), *(builder.tensor((1, 4), **INT8) for _ in range(3))
        holds = LoopModel._less(builder, counter, operands[0])
        builder.graph.inputs, builder.graph.outputs = [counter, *operands], [holds]
    with builder.subgraph() as body:
        counter, *operands = whole(builder), *(builder.tensor((1, 4), **INT8) for _ in range(3))
        after, total = whole(builder), builder.tensor((1, 4), **INT8)
        builder.operator("add", [counter, whole(builder, 1)], [after], **NO_ACTIVATION)
        builder.operator("add", [operands[0], operands[2]], [total], **NO_ACTIVATION)
        builder.graph.inputs = [counter, *operands]
        builder.graph.outputs = [after, operands[1], operands[0], total]
    given = [builder.tensor((1, 4), **INT8) for _ in range(3)]
    results = [whole(builder), *(builder.tensor((1, 4), **INT8) for _ in range(3))]
    numbers = {"cond_subgraph_index": condition, "body_subgraph_index": body}
    builder.operator("while", [whole(builder, 0), *given], results, **numbers)
    return builder.build(given, results[1:])


def stopped_by_state() -> bytes:
    """A loop whose rounds depend on the input: it ends once the first value is above the limit."""

    def test(builder: TfliteBuilder, counter: int, state: int) -> int:
        parts = [builder.tensor((1, 1), **INT8), builder.tensor((), "bool"), builder.tensor((1, 1), "bool")]
        limit = builder.tensor((1, 1), data=np.array([[100]], np.int8), **INT8)
        numbers = [builder.tensor((2,), "int32", data=np.array(n, np.int32)) for n in ([0, 2], [1, 1])]
        builder.operator("slice", [state, *numbers], [parts[0]])
        low, holds = builder.tensor((1, 1), "bool"), builder.tensor((1, 1), "bool")
        builder.operator("less", [parts[0], limit], [low])
        builder.operator("less", [counter, whole(builder, 5)], [parts[1]])
        builder.operator("logical_and", [low, parts[1]], [holds])
        return holds

    return LoopModel(added_row, test).build(0, 1)


def _variable(builder: TfliteBuilder, name: str = "v") -> int:
    """A handle."""
    handle = builder.tensor((1,), "resource")
    builder.operator("var_handle", [], [handle], container="", shared_name=name)
    return handle


def _read(builder: TfliteBuilder, handle: int) -> int:
    value = builder.tensor((1, 4), **INT8)
    builder.operator("read_variable", [handle], [value])
    return value


def _sum(builder: TfliteBuilder, first: int, second: int) -> int:
    target = builder.tensor((1, 4), **INT8)
    builder.operator("add", [first, second], [target], **NO_ACTIVATION)
    return target


def _start(builder: TfliteBuilder) -> None:
    with builder.subgraph() as number:
        values = builder.tensor((1, 4), data=np.array([[5, -60, 3, 0]], np.int8), **INT8)
        builder.operator("assign_variable", [_variable(builder), values], [])
    builder.call_once(number)


def counted_branch(*, started: bool) -> bytes:
    """A branch that adds x to a variable and gives it; the other one only reads it."""
    builder = TfliteBuilder()
    numbers = []
    for adds in (True, False):
        with builder.subgraph() as number:
            x = builder.tensor((1, 4), **INT8)
            handle = _variable(builder)
            value = _read(builder, handle)
            if adds:
                value = _sum(builder, value, x)
                builder.operator("assign_variable", [handle, value], [])
            builder.graph.inputs, builder.graph.outputs = [x], [value]
            numbers.append(number)
    taken, x, target = builder.tensor((1,), "bool"), builder.tensor((1, 4), **INT8), builder.tensor((1, 4), **INT8)
    builder.operator("if", [taken, x], [target], then_subgraph_index=numbers[0], else_subgraph_index=numbers[1])
    if started:
        _start(builder)
    return builder.build([taken, x], [target])


def counted_loop(*, started: bool) -> bytes:
    """A loop of five rounds that adds a row of x to a variable and the variable to its state; then it is read again."""

    def change(builder: TfliteBuilder, counter: int, state: int, x: int) -> int:
        handle = _variable(builder)
        total = added_row(builder, counter, _read(builder, handle), x)
        builder.operator("assign_variable", [handle, total], [])
        return _sum(builder, state, total)

    model = LoopModel(change)
    after = _sum(model.builder, _read(model.builder, _variable(model.builder)), model.results[1])
    if started:
        _start(model.builder)
    return model.builder.build([model.x], [after])

"""if and while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from kits.draft import Draft, Node
from kits.inner_draft import INNER, InnerDraft
from kits.tflite_builder import TfliteBuilder
from tinyedge.boards import CORES
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.control_flow import MOST_ROUNDS, While
from tinyedge.ops.reference import run_graph
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import make_plan

INT8: dict[str, Any] = {"scale": 0.02, "zero_point": 3}
NO_ACTIVATION = {"fused_activation_function": "none"}
M4 = CORES["cortex-m4f"]


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


def chosen(condition: str = "bool", *, shape: tuple[int, ...] = (), known: bool | None = None) -> bytes:
    """One of two functions of x, as an input or a constant decides; the second passes x on."""
    builder = TfliteBuilder()
    numbers = []
    for branch in range(2):
        with builder.subgraph() as number:
            x = builder.tensor((1, 4), **INT8)
            builder.graph.inputs, builder.graph.outputs = [x], [x if branch else negated(builder, x)]
            numbers.append(number)
    data = None if known is None else np.full(shape, known, np.bool_)
    first, x = builder.tensor(shape, condition, data=data), builder.tensor((1, 4), **INT8)
    target = builder.tensor((1, 4), **INT8)
    builder.operator("if", [first, x], [target], then_subgraph_index=numbers[0], else_subgraph_index=numbers[1])
    return builder.build([x] if known is not None else [first, x], [target])


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


CORNERS = [
    LoopModel(added_row).build(1),
    LoopModel(added_row).build(0, 1, 2),
    LoopModel(added_row).build(0),
    LoopModel(added_row, start=9).build(0, 1),
    LoopModel(lambda builder, counter, state, x: state).build(0, 1),
    chosen(),
    chosen(shape=(1,)),
    chosen(known=True),
    chosen(known=False),
    nested(),
    swapped(),
    stopped_by_state(),
]
"""models that equal TensorFlow Lite Micro"""


def _floating(builder: TfliteBuilder, counter: int, state: int, x: int) -> int:
    real, target = builder.tensor((1, 4), "float32"), builder.tensor((1, 4), **INT8)
    other = builder.tensor((1, 4), "float32")
    builder.operator("dequantize", [state], [real])
    builder.operator("cumsum", [real, whole(builder, 1)], [other])
    builder.operator("quantize", [other], [target])
    return target


REFUSALS = [
    (LoopModel(lambda builder, counter, state, x: counter).build(1), "Condition and body take its inputs"),
    (LoopModel(added_row, lambda builder, counter, state: state).build(1), "the condition gives one bool"),
    (chosen("int8"), "one bool"),
    (chosen(shape=(2,)), "one bool"),
    (LoopModel(_floating).build(1), "subgraph 2.*float32"),
]
"""models that are refused, and words of the rule they break"""


@pytest.mark.parametrize(
    ("tflite", "rounds"), [(LoopModel(added_row).build(1), 5), (LoopModel(added_row, start=9).build(1), 0)]
)
def test_rounds_that_follow_from_constants_are_counted(tflite: bytes, rounds: int) -> None:
    (layer,) = parse_graph(settle_graph(read_model(tflite, "m")))
    assert isinstance(layer.params, While)
    assert layer.params.rounds == rounds


def test_rounds_that_the_data_decides_are_not() -> None:
    (layer,) = parse_graph(settle_graph(read_model(stopped_by_state(), "m")))
    assert layer.params.rounds is None


def test_a_loop_without_an_end_is_an_error() -> None:
    def always(builder: TfliteBuilder, counter: int, state: int) -> int:
        holds = builder.tensor((), "bool")
        builder.operator("less", [whole(builder, 0), counter], [holds])
        return holds

    graph = settle_graph(read_model(LoopModel(added_row, always, start=1).build(0), "m"))
    with pytest.raises(ModelError, match=f"has run {MOST_ROUNDS:,} rounds"):
        run_graph(graph, [np.zeros((5, 4), np.int8)])


def test_what_no_round_changes_is_read_where_it_lies() -> None:
    """The loop has no memory for x beside x, none for what nobody reads, and changes the state in place."""
    plan = make_plan(optimize_graph(settle_graph(read_model(LoopModel(added_row).build(1), "m"))), M4, "balanced")
    (planned,) = plan.layers
    assert [tensor.shape for tensor in planned.layer.outputs] == [(), (1, 4)]
    assert planned.scratch is not None
    assert plan.arena_bytes <= 20 + 4 + 4 + planned.scratch.bytes


def test_loops_that_run_themselves_are_refused() -> None:
    model = LoopModel(added_row)
    model.builder.model.subgraphs[model.body].operators.append(model.builder.graph.operators[-1])
    with pytest.raises(ModelError, match="which it is part of"):
        read_model(model.build(1), "m")


def test_variables_within_a_loop_are_refused() -> None:
    model = LoopModel(added_row)
    body = model.builder.model.subgraphs[model.body]
    body.tensors[1].isVariable = True
    with pytest.raises(ModelError, match="uses a variable") as caught:
        check(read_model(model.build(1), "m"))
    assert "in front of the loop" in caught.value.hint


def while_node(draft: Draft) -> None:
    """A loop over a counter and some tensors, of random operators; what it changes may be passed on or swapped."""
    first = draft.any()
    carried = [first, *(draft.any() for _ in range(draft.number(0, 1)))]
    counter = draft.input((), "int32", (0, 3)) if draft.flip(0.3) else _counter(draft, draft.number(0, 2))
    with draft.builder.subgraph() as body:
        inner = InnerDraft(draft, [counter, *carried])
        after = inner.put(
            "add", [inner.operands[0][1], inner.constant(np.array(1, np.int32))], (), "int32", **NO_ACTIVATION
        )
        _fill(inner)
        operands = [node for node, _ in inner.operands]
        passed = len(operands) - 1 - len(carried)
        inner.close(
            [
                after,
                *(inner.alike(node) for node in carried),
                *(inside for _, inside in inner.operands[len(operands) - passed :]),
            ]
        )
    with draft.builder.subgraph() as condition:
        inner = InnerDraft(draft, operands)
        limit = inner.constant(np.array(draft.number(0, 5), np.int32))
        inner.close([inner.put("less", [inner.operands[0][1], limit], (), "bool")])
    results = [draft.target(node.shape, node) for node in operands]
    draft.put_all("while", operands, results, cond_subgraph_index=condition, body_subgraph_index=body)
    draft.read.update(node.key for node in results[1 + len(carried) :] if draft.flip(0.8))


def _counter(draft: Draft, value: int) -> Node:
    return Node(draft.constant(np.array(value, np.int32)), (), "int32", 1.0, 0)


def _fill(inner: InnerDraft) -> None:
    from kits.operators import NODES  # which holds this file's

    for _ in range(inner.number(1, 3)):
        NODES[inner.pick(*INNER)](inner)


def if_node(draft: Draft) -> None:
    """One of two subgraphs of random operators; the second makes its results fit those of the first."""
    condition = draft.any("bool", accept=lambda node: node.elements == 1)
    if condition.elements != 1:
        condition = draft.input((1,), "bool")
    given = [draft.any() for _ in range(draft.number(1, 2))]
    with draft.builder.subgraph() as then:
        inner = InnerDraft(draft, given)
        _fill(inner)
        # What one branch asks for goes into the other too.
        given = [node for node, _ in inner.operands]
        fitting = [node for node in inner.nodes if node.dtype == "int8"]
        picked = [fitting[-1], *(inner.pick(*fitting) for _ in range(inner.number(0, 1)))]
        inner.close(picked)
    with draft.builder.subgraph() as otherwise:
        inner = InnerDraft(draft, given)
        inner.close([_of_size(inner, node) for node in picked])
    results = [draft.target(node.shape, node) for node in picked]
    numbers = {"then_subgraph_index": then, "else_subgraph_index": otherwise}
    draft.put_all("if", [condition, *given], results, **numbers)


def _of_size(inner: InnerDraft, like: Node) -> Node | int:
    found = [node for node in inner.nodes if (node.dtype, node.elements) == (like.dtype, like.elements)]
    if not found:
        return inner.values_like(like.shape, like)
    source = found[inner.number(0, len(found) - 1)]
    return source if inner.flip(0.4) else inner.same("relu", [source], source.shape, source)


NODES = {"if": if_node, "while": while_node}

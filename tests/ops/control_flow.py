"""if and while."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from kits import tflm
from kits.draft import Draft, Node
from kits.inner_draft import INNER, InnerDraft
from kits.loops import (
    INT8,
    NO_ACTIVATION,
    LoopModel,
    added_row,
    chosen,
    counted_branch,
    counted_loop,
    flagged,
    known_condition,
    nested,
    stopped_by_state,
    swapped,
    whole,
)
from kits.tflite_builder import TfliteBuilder
from tinyedge.boards import CORES
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.control_flow import MOST_ROUNDS, While
from tinyedge.ops.reference import initial_state, run_graph
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import make_plan

M4 = CORES["cortex-m4f"]


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
    chosen(constant=True),
    flagged(),
    LoopModel(added_row, known_condition).build(0, 1),
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


@pytest.mark.parametrize(
    ("depth", "wide", "words"), [(12, 1, "more than 8 deep"), (7, 6, "operators, counted wherever")]
)
def test_subgraphs_that_multiply_are_refused_unread(depth: int, wide: int, words: str) -> None:
    """Each subgraph runs the next one several times: the file is small, and what it runs is not."""
    builder = TfliteBuilder()
    inner = None
    for _ in range(depth):
        with builder.subgraph() as number:
            flag, x = builder.tensor((), "bool"), builder.tensor((1, 4), **INT8)
            at = x
            for _ in range(wide if inner is not None else 0):
                target = builder.tensor((1, 4), **INT8)
                builder.operator("if", [flag, flag, at], [target], then_subgraph_index=inner, else_subgraph_index=inner)
                at = target
            builder.graph.inputs, builder.graph.outputs = [flag, x], [at]
        inner = number
    flag, x, target = builder.tensor((), "bool"), builder.tensor((1, 4), **INT8), builder.tensor((1, 4), **INT8)
    builder.operator("if", [flag, flag, x], [target], then_subgraph_index=inner, else_subgraph_index=inner)
    with pytest.raises(ModelError, match=words):
        read_model(builder.build([flag, x], [target]), "m")


def test_state_of_other_kinds_within_a_loop_is_refused() -> None:
    model = LoopModel(added_row)
    body = model.builder.model.subgraphs[model.body]
    body.tensors[1].isVariable = True
    with pytest.raises(ModelError, match="keeps state within a loop") as caught:
        check(read_model(model.build(1), "m"))
    assert "in front of the loop" in caught.value.hint


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("model", [counted_branch, counted_loop])
def test_variables_go_in_and_come_out(model: Callable[..., bytes], started: bool) -> None:
    """Over several inferences: a branch that adds to a variable, a loop that reads and assigns one."""
    tflite = model(started=started)
    graph = read_model(tflite, "m")
    assert not any(t.is_variable for op in graph.operators for g in op.subgraphs for t in g.tensors.values())
    rng = np.random.default_rng(5)
    rows = []
    for number in range(6):
        values = [rng.integers(-128, 128, tensor.shape) for tensor in graph.input_tensors()]
        rows.append(
            [
                np.asarray(v % 3 == 0 if t.dtype.value == "bool" else v, t.dtype.numpy)
                for v, t in zip(values, graph.input_tensors(), strict=True)
            ]
        )
        if graph.input_tensors()[0].dtype.value == "bool":
            rows[-1][0] = np.array([number % 3 != 1])
    outputs = tflm.assert_exact_over_time(tflite, rows)
    assert len({output[0].tobytes() for output in outputs}) > 2
    state = initial_state(graph)
    optimized = optimize_graph(settle_graph(graph))
    layers = parse_graph(optimized)
    for row, (wanted,) in zip(rows, outputs, strict=True):
        np.testing.assert_array_equal(run_graph(optimized, row, layers, state)[optimized.outputs[0]], wanted)


def while_node(draft: Draft) -> None:
    """A loop over a counter and some tensors, of random operators; what it changes may be passed on or swapped."""
    first = draft.any()
    carried = [first, *(draft.any() for _ in range(draft.number(0, 1)))]
    counter = draft.input((), "int32", (0, 3), scale=1.0) if draft.flip(0.3) else _counter(draft, draft.number(0, 2))
    with draft.builder.subgraph() as body:
        inner = InnerDraft(draft, [counter, *carried])
        one = inner.constant(np.array(1, np.int32))
        after = inner.put("add", [inner.operands[0][1], one], (), "int32", scale=1.0, **NO_ACTIVATION)
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
    if inner.flip(0.3):
        _remember(inner)


def _remember(inner: InnerDraft) -> None:
    """A variable of the network that is read and assigned here."""
    value, outer = inner.any(), inner.outer
    outer.variables += 1
    name = f"inner_variable{outer.variables}"
    handle = Node(inner.builder.tensor((1,), "resource"), (1,), "resource", 1.0, 0)
    inner.builder.operator("var_handle", [], [handle.key], container="", shared_name=name)
    remembered = inner.target(value.shape, value)
    if inner.flip(0.4):
        outer.starts.append((name, value))
    inner.put_all("read_variable", [handle], [remembered])
    options = {"fused_activation_function": "none", "pot_scale_int16": True}
    total = inner.same("add", [value, remembered], value.shape, value, **options)
    inner.put_all("assign_variable", [handle, total], [])


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

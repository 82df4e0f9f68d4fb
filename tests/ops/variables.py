"""circular_buffer, read_variable and assign_variable: tensors that last from one inference to the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from flatbuffers import flexbuffers

from kits import tflm
from kits.draft import Draft, Node
from kits.kernel_layers import Rng
from kits.movement_layers import moved_tensor
from kits.state_models import samples
from kits.tflite_builder import TfliteBuilder
from tinyedge.arithmetic.movement import View, make_copies
from tinyedge.graph.ir import DType, Graph, Operator
from tinyedge.graph.reader import read_model
from tinyedge.ops.contract import Layer, movement_layer
from tinyedge.ops.reference import initial_state, run_graph
from tinyedge.ops.variables import SLIDE, parse_slide


def test_state_starts_at_the_zero_point_and_goes_on() -> None:
    tflite = buffered(slots=3)
    graph = read_model(tflite, "m")
    state = initial_state(graph)
    (key,) = state
    assert (state[key] == -7).all()
    first, second = (np.full((1, 1, 2, 3), value, np.int8) for value in (10, 20))
    run_graph(graph, [first], state=state)
    run_graph(graph, [second], state=state)
    assert state[key][0, :, 0, 0].tolist() == [-7, 10, 20]
    again = run_graph(graph, [first])  # without state it is the first inference
    assert again[key][0, :, 0, 0].tolist() == [-7, -7, 10]


def buffered(
    *,
    slots: int = 3,
    source: tuple[int, ...] = (1, 1, 2, 3),
    cycles: Any = 1,
    is_variable: bool = True,
    dtype: str = "int8",
    raw: bytes | None = None,
) -> bytes:
    builder = TfliteBuilder()
    given: dict[str, Any] = {"scale": 0.1, "zero_point": -7 if dtype == "int8" else 0}
    x = builder.tensor(source, dtype, **given)
    target = builder.tensor((1, slots, 2, 3), dtype, is_variable=is_variable, **given)
    builder.operator("CIRCULAR_BUFFER", [x], [target])
    options = raw if raw is not None else b"" if cycles is None else bytes(flexbuffers.Dumps({"cycles_max": cycles}))
    if options:
        builder.graph.operators[0].customOptions = np.frombuffer(options, np.uint8)
    result = builder.tensor((1, slots, 2, 3), dtype, **given)
    builder.operator("relu", [target], [result])
    return builder.build([x], [result])


@pytest.mark.parametrize("slots", [5, 13, 25])
def test_a_buffer_that_does_not_say_how_often_may_run_every_time(slots: int) -> None:
    tflite = buffered(slots=slots, cycles=None)
    tflm.assert_exact_over_time(tflite, samples(tflite, slots))


REFUSALS = [
    (buffered(**arguments), rule)
    for arguments, rule in (
        ({"cycles": 2}, "What follows runs in every inference"),
        ({"cycles": None}, "What follows runs in every inference"),
        ({"cycles": "often"}, "What follows runs in every inference"),
        ({"raw": b"\x07\xff\x01"}, "What follows runs in every inference"),
        ({"is_variable": False}, "The output is a variable"),
        ({"source": (1, 2, 2, 3)}, "The input is"),
        ({"dtype": "int16"}, "are int8"),
    )
]
"""models that are refused, and words of the rule they break"""


_EVERY_TIME = 5
"""slots of a circular buffer that runs in every inference though its options do not say so"""


def circular_buffer_node(draft: Draft) -> None:
    source = draft.image()
    if source.shape[1] != 1:
        source = draft.input((1, 1, draft.number(1, 4), draft.number(1, 5)))
    stated = draft.flip(0.5)
    slots = draft.number(1, 6) if stated else _EVERY_TIME
    target = draft.target((1, slots, *source.shape[2:]), source, is_variable=True)
    draft.put_all("CIRCULAR_BUFFER", [source], [target])
    if stated:
        options = flexbuffers.Dumps({"cycles_max": 1})
        draft.builder.graph.operators[-1].customOptions = np.frombuffer(bytes(options), np.uint8)


def variable_node(draft: Draft) -> None:
    """A variable_node that is read before it is assigned, or assigned before it is read."""
    value = draft.any()
    draft.variables += 1
    name = f"variable_node{draft.variables}"
    handle = Node(draft.builder.tensor((1,), "resource"), (1,), "resource", 1.0, 0)
    draft.builder.operator("var_handle", [], [handle.key], container="", shared_name=name)
    remembered = draft.target(value.shape, value)
    if draft.flip(0.4):
        draft.starts.append((name, value))
    if draft.flip(0.7):
        draft.put_all("read_variable", [handle], [remembered])
        draft.put_all("assign_variable", [handle, _next(draft, value, remembered)], [])
    else:
        draft.put_all("assign_variable", [handle, value], [])
        draft.put_all("read_variable", [handle], [remembered])


def sliding_node(draft: Draft) -> None:
    """A variable whose rows move down by those that come in: four operators, which a pass makes one."""
    source = draft.image()
    kept, (_, new, width, depth) = draft.number(1, 4), source.shape
    draft.variables += 1
    handle = Node(draft.builder.tensor((1,), "resource"), (1,), "resource", 1.0, 0)
    draft.builder.operator("var_handle", [], [handle.key], container="", shared_name=f"rows{draft.variables}")
    old, cut = (draft.target((1, kept, width, depth), source) for _ in range(2))
    whole = draft.target((1, kept + new, width, depth), source)
    add = draft.builder.operator  # parts that others read would keep the pass from it
    add("read_variable", [handle.key], [old.key])
    draft.read.add(source.key)
    add("concatenation", [old.key, source.key], [whole.key], axis=1, fused_activation_function="none")
    corners = ([0, new, 0, 0], [1, kept + new, width, depth], [1, 1, 1, 1])
    masks = {"begin_mask": 0, "end_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 0}
    add("strided_slice", [whole.key, *(draft.shape_constant(corner) for corner in corners)], [cut.key], **masks)
    add("assign_variable", [handle.key, cut.key], [])
    draft.same("relu", [whole], whole.shape, whole)


def _next(draft: Draft, value: Node, remembered: Node) -> Node:
    """What the variable_node holds from now on: the value itself, or something made of it and of what was there."""
    if draft.flip(0.5):
        return value
    return draft.same(
        "add", [value, remembered], value.shape, value, fused_activation_function="none", pot_scale_int16=True
    )


def shifted_layer(rng: Rng) -> Layer:
    """A circular buffer: a variable whose slots move down by one."""
    slots, depth = int(rng.integers(1, 6)), int(rng.integers(1, 9))
    source = moved_tensor(0, (1, 1, 1, depth), DType.INT8)
    buffer = replace(moved_tensor(1, (1, slots, 1, depth), DType.INT8), is_variable=True)
    whole = View.whole((slots, depth))
    pairs = [(whole.part(0, 1, slots - 1), whole.part(0, 0, slots - 1))]
    last = [(View.whole((1, depth)), whole.part(0, slots - 1, 1))]
    copies = [*make_copies(1, 0, pairs), *make_copies(0, 0, last)]
    return movement_layer(Operator(0, "circular_buffer", (0,), (1,)), [source, buffer], [buffer], copies)


def slid_layer(rng: Rng) -> Layer:
    """A variable whose elements move down by as many as come in."""
    kept, new = int(rng.integers(1, 30)), int(rng.integers(1, 12))
    source = moved_tensor(0, (1, new), DType.INT8)
    buffer = replace(moved_tensor(1, (1, kept + new), DType.INT8), is_variable=True)
    graph = Graph("slid", {0: source, 1: buffer}, (Operator(0, SLIDE, (0,), (1,)),), (0,), (1,))
    return parse_slide(graph, graph.operators[0])


NODES = {
    "assign_variable": variable_node,
    "circular_buffer": circular_buffer_node,
    "read_variable": variable_node,
    SLIDE: sliding_node,
}
LAYERS = {"circular_buffer": shifted_layer, SLIDE: slid_layer}

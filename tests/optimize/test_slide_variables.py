"""A variable that is read, joined with what is new, cut and assigned is one buffer that slides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kits import tflm
from kits.kernel_layers import Array
from kits.tflite_builder import TfliteBuilder
from tinyedge.boards import CORES
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.ops.reference import initial_state, run_graph
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import make_plan

CHANNELS = 6
INFERENCES = 5


def streaming(
    kept: int = 3,
    new: int = 1,
    *,
    begin: int | None = None,
    new_first: bool = False,
    shared: str = "",
    assigned: str = "cut",
) -> bytes:
    """A model that keeps `kept` rows and takes `new` ones.

    begin      the first row that is kept for the next inference, if not the last `kept` are
    new_first  they come in front
    shared     what is an output of the model, too: old, whole, cut
    assigned   what becomes the variable: cut, or old
    """
    builder = TfliteBuilder()

    def rows(count: int) -> int:
        return builder.tensor((1, count, 1, CHANNELS), "int8", scale=0.1, zero_point=-7)

    handle = builder.tensor((1,), "resource")
    builder.operator("var_handle", [], [handle], container="", shared_name="rows")
    x, old, whole, cut = rows(new), rows(kept), rows(kept + new), rows(kept)
    builder.operator("read_variable", [handle], [old])
    pieces = [x, old] if new_first else [old, x]
    builder.operator("concatenation", pieces, [whole], axis=1, fused_activation_function="none")
    first = new if begin is None else begin
    corners = ([0, first, 0, 0], [1, first + kept, 1, CHANNELS], [1, 1, 1, 1])
    keys = [builder.tensor((4,), "int32", data=np.array(corner, np.int32)) for corner in corners]
    masks = {"begin_mask": 0, "end_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 0}
    builder.operator("strided_slice", [whole, *keys], [cut], **masks)
    builder.operator("assign_variable", [handle, old if assigned == "old" else cut], [])
    result = rows(kept + new)
    builder.operator("relu", [whole], [result])
    named = {"old": old, "whole": whole, "cut": cut}
    return builder.build([x], [result, *([named[shared]] if shared else [])])


def over_time(graph: Graph, seed: int) -> list[list[Array]]:
    """The outputs of several inferences one after the other."""
    rng, state = np.random.default_rng(seed), initial_state(graph)
    found = []
    for _ in range(INFERENCES):
        inputs = [rng.integers(-128, 128, t.shape).astype(np.int8) for t in graph.input_tensors()]
        values = run_graph(graph, inputs, state=state)
        found.append([values[key] for key in graph.outputs])
    return found


def names(graph: Graph) -> list[str]:
    return [operator.name for operator in graph.operators]


@pytest.mark.parametrize(("kept", "new"), [(3, 1), (1, 1), (2, 3), (5, 2)])
def test_four_operators_become_one(kept: int, new: int) -> None:
    tflite = streaming(kept, new)
    before = settle_graph(read_model(tflite, "m"))
    after = optimize_graph(before)
    assert names(after) == ["slide", "relu"]
    for ours, theirs in zip(over_time(after, kept), over_time(before, kept), strict=True):
        assert all(map(np.array_equal, ours, theirs))
    rng = np.random.default_rng(kept)
    tflm.assert_exact_over_time(
        tflite, [[rng.integers(-128, 128, (1, new, 1, CHANNELS)).astype(np.int8)] for _ in range(INFERENCES)]
    )


def test_it_takes_its_rows_and_none_in_the_arena() -> None:
    after = optimize_graph(settle_graph(read_model(streaming(30, 2), "m")))
    plan = make_plan(after, CORES["cortex-m4f"], "balanced")
    assert plan.state_bytes == 32 * CHANNELS
    assert plan.arena_bytes <= (2 + 32) * CHANNELS + 8  # the input and the output


def test_what_the_model_says_it_starts_with_is_kept() -> None:
    graph = settle_graph(read_model(streaming(3, 2), "m"))
    (key,) = initial_state(graph)
    start = np.arange(3 * CHANNELS, dtype=np.int8).reshape(graph.tensors[key].shape)
    before = graph.evolve(tensors={**graph.tensors, key: replace(graph.tensors[key], start=start)})
    after = optimize_graph(before)
    assert names(after) == ["slide", "relu"]
    for ours, theirs in zip(over_time(after, 9), over_time(before, 9), strict=True):
        assert all(map(np.array_equal, ours, theirs))


@pytest.mark.parametrize(
    "wanted",
    [
        {"kept": 3, "new": 2, "begin": 1},
        {"kept": 3, "new": 2, "begin": 0},
        {"new_first": True},
        {"shared": "old"},
        {"shared": "whole"},
        {"shared": "cut"},
        {"assigned": "old"},
    ],
)
def test_others_stay(wanted: dict[str, Any]) -> None:
    before = settle_graph(read_model(streaming(**wanted), "m"))
    after = optimize_graph(before)
    assert "slide" not in names(after)
    for ours, theirs in zip(over_time(after, 2), over_time(before, 2), strict=True):
        assert all(map(np.array_equal, ours, theirs))

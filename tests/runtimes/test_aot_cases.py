"""Small models as people's converters wrote them, from the file to C on this machine.

The right values are the first outputs of the `tflite-micro` interpreter for `--inputs random:1`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits import tflm
from kits.graph_batch import NATIVE, NativeBatch
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.measure.oracle_limits import beyond_oracle
from tinyedge.measure.reference import NumpyReference
from tinyedge.measure.samples import load_inputs
from tinyedge.ops import check
from tinyedge.ops.reference import initial_state, run_graph
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import make_plan
from tinyedge.runtimes.tflm.operators import check_tflm

CASES = Path(__file__).parent / "cases"
RIGHT = {
    "stream_state": [[226], [186], [191], [246]],
    "k3_cnn_flatten": [[-81, -58, 10], [-71, -31, -27], [-81, -79, 32], [-80, -121, 73]],
    "bilstm": [[-26, -60, -43], [-55, -40, -32], [-46, -19, -63], [-66, 3, -65]],
    "s_scale0_channel": [[-27, -46, -55], [-16, -56, -56], [-48, -36, -44], [-52, -33, -43]],
    "s_zp_one": [[-33, -45, -50], [-48, -32, -48], [-52, -35, -40], [-63, -29, -36]],
}


def _read(name: str) -> tuple[bytes, Graph]:
    tflite = (CASES / f"{name}.tflite").read_bytes()
    return tflite, settle_graph(read_model(tflite, name))


@pytest.mark.parametrize("name", RIGHT)
def test_references_give_the_right_values(name: str) -> None:
    _, graph = _read(name)
    state = initial_state(graph)
    columns = load_inputs("random:1", graph, 4)
    found = [run_graph(graph, list(row), state=state)[graph.outputs[0]] for row in zip(*columns, strict=True)]
    assert [np.ravel(values).tolist() for values in found] == RIGHT[name]


def test_compiled_models_give_the_right_values(tmp_path: Path) -> None:
    plans, samples = {}, {}
    for number, name in enumerate(RIGHT):
        tflite, graph = _read(name)
        check(graph)
        plans[number] = make_plan(optimize_graph(graph), NATIVE, "balanced"), tflite
        samples[number] = list(zip(*load_inputs("random:1", graph, 4), strict=True))
    results = NativeBatch(plans, tmp_path).run(samples)
    for number, name in enumerate(RIGHT):
        outcomes = results[number]
        assert not isinstance(outcomes, str), (name, outcomes)
        assert [np.ravel(outcome.outputs[0]).tolist() for outcome in outcomes] == RIGHT[name], name


@pytest.mark.parametrize("name", ["keras3_flatten_int8", "stream_state"])
def test_the_interpreter_agrees(name: str) -> None:
    tflite, graph = _read(name)
    tflm.assert_exact_over_time(tflite, [list(row) for row in zip(*load_inputs("random:2", graph, 3), strict=True)])


def test_shapes_need_no_operator() -> None:
    _, graph = _read("k3_cnn_flatten")
    assert [operator.name for operator in graph.operators] == [
        "conv_2d",
        "max_pool_2d",
        "reshape",
        "fully_connected",
        "softmax",
    ]


def test_what_exceeds_the_interpreter_is_held_against_references() -> None:
    tflite = (CASES / "many_in.tflite").read_bytes()
    original = read_model(tflite, "many_in")
    check(original)
    why = beyond_oracle(original, settle_graph(original))
    assert why == "operator 0 `concatenation` joins 19 tensors, it takes 10"
    assert why in NumpyReference(original, why).notes[0]
    assert beyond_oracle(*(_read("bilstm")[1],) * 2) == ""
    with pytest.raises(ModelError) as caught:
        check_tflm(original)
    assert "14 more -> int8 [1, 19]" in str(caught.value)
    assert "at most 10 tensors" in str(caught.value)
    assert "--runtime aot" in caught.value.hint

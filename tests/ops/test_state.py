"""Operators that keep state, over several inferences against TensorFlow Lite Micro, and their refusals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flatbuffers import flexbuffers
from hypothesis import given, settings

from kits import state_models, tflm
from kits.random_graph import draw
from kits.tflite_builder import TfliteBuilder
from tinyedge.arithmetic.sigmoid_s16 import logistic_s16, tanh_factor, tanh_s16
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.reference import initial_state, run_graph

INFERENCES = 4


@pytest.mark.parametrize("operator", ["circular_buffer", "read_variable", "svdf", "unidirectional_sequence_lstm"])
@settings(max_examples=40, deadline=None)
@given(seed=tflm.seeds)
def test_equals_tflm(operator: str, seed: int) -> None:
    model = draw(seed, 0, [operator], further=0)
    tflm.assert_exact_over_time(model.tflite, model.samples(INFERENCES))


def _samples(tflite: bytes, seed: int) -> list[list[tflm.Array]]:
    rng = np.random.default_rng(seed)
    tensors = read_model(tflite, "m").input_tensors()
    return [[rng.integers(-128, 128, t.shape).astype(np.int8) for t in tensors] for _ in range(INFERENCES)]


@pytest.mark.parametrize("model", [state_models.svdf, state_models.lstm])
def test_outputs_vary_and_depend_on_the_past(model: Callable[..., bytes]) -> None:
    """So the models that are compared compute something: given the same input again, the state shows."""
    remembering = 0
    for seed in range(10):
        tflite = model(np.random.default_rng(seed))
        samples = _samples(tflite, seed)
        outputs = [output[0] for output in tflm.assert_exact_over_time(tflite, [*samples, samples[-1]])]
        remembering += not np.array_equal(outputs[-2], outputs[-1]) and len(np.unique(outputs)) > 3
    assert remembering >= 7


@pytest.mark.parametrize("power", [0, -3, -9, -11, -12, -13, -15])
@pytest.mark.parametrize("clip", [0.0, 0.25])
def test_lstm_with_any_scale_of_the_cell(power: int, clip: float) -> None:
    for seed in range(4):
        tflite = state_models.lstm(np.random.default_rng(seed), cell_scale=2.0**power, clip=clip)
        tflm.assert_exact_over_time(tflite, _samples(tflite, seed))


def test_gates_are_the_functions_they_stand_for() -> None:
    values = np.arange(-32768, 32768)
    sigmoid = 1 / (1 + np.exp(-values / 4096))
    assert np.abs(logistic_s16(values) / 32768 - sigmoid).max() < 1e-3
    for power in (-15, -12, -9):
        result = tanh_s16(values, *tanh_factor(power)) / 32768
        assert np.abs(result - np.tanh(values * 2.0**power)).max() < 1e-3


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


def svdf(**given: Any) -> bytes:
    return state_models.svdf(np.random.default_rng(1), **given)


def lstm(**given: Any) -> bytes:
    return state_models.lstm(np.random.default_rng(1), **given)


@pytest.mark.parametrize(
    ("model", "arguments", "rule"),
    [
        (buffered, {"cycles": 2}, "What follows runs in every inference"),
        (buffered, {"cycles": None}, "What follows runs in every inference"),
        (buffered, {"cycles": "often"}, "What follows runs in every inference"),
        (buffered, {"raw": b"\x07\xff\x01"}, "What follows runs in every inference"),
        (buffered, {"is_variable": False}, "The output is a variable"),
        (buffered, {"source": (1, 2, 2, 3)}, "The input is"),
        (buffered, {"dtype": "int16"}, "are int8"),
        (svdf, {"bias_scale": 0.5}, "scale of the bias"),
        (svdf, {"state_is_variable": False}, "before it is written|state is a variable"),
        (svdf, {"activation": "relu6"}, "none or relu"),
        (svdf, {"state_type": "int32"}, "both int8 or both int16"),
        (lstm, {"activation": "relu"}, "is tanh"),
        (lstm, {"cell_type": "int8"}, "cell state int16"),
        (lstm, {"cell_scale": 0.003}, "power of two"),
        (lstm, {"weights_type": "int16"}, "weights are int8"),
        (lstm, {"peephole": True}, "none of peepholes"),
        (lstm, {"hidden_is_variable": False}, "before it is written|Both states are variables"),
    ],
)
def test_refusals(model: Callable[..., bytes], arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(ModelError, match=rule):
        check(read_model(model(**arguments), "m"))


@pytest.mark.parametrize("slots", [5, 13, 25])
def test_a_buffer_that_does_not_say_how_often_may_run_every_time(slots: int) -> None:
    tflite = buffered(slots=slots, cycles=None)
    tflm.assert_exact_over_time(tflite, _samples(tflite, slots))


def test_layers_list_their_state_on_both_sides() -> None:
    (layer,) = parse_graph(read_model(lstm(), "m"))
    assert layer.inputs[1:] == layer.outputs[1:]
    assert all(tensor.is_variable for tensor in layer.outputs[1:])

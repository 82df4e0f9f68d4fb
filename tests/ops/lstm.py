"""unidirectional_sequence_lstm: models and nodes, corners and refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kits import tflm
from kits.draft import Node, float32
from kits.kernel_layers import Rng, parsed
from kits.operator_models import zero_point
from kits.state_models import assert_depends_on_the_past, one_operator, samples, stateful
from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_outputs_vary_and_depend_on_the_past(dtype: str) -> None:
    assert_depends_on_the_past(lambda rng: lstm(rng, dtype=dtype))


@pytest.mark.parametrize("power", [0, -3, -9, -11, -12, -13, -15])
@pytest.mark.parametrize("clip", [0.0, 0.25])
@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_any_scale_of_the_cell(power: int, clip: float, dtype: str) -> None:
    for seed in range(4):
        tflite = lstm(np.random.default_rng(seed), dtype=dtype, cell_scale=2.0**power, clip=clip)
        tflm.assert_exact_over_time(tflite, samples(tflite, seed))


def test_layers_list_their_state_on_both_sides() -> None:
    (layer,) = parse_graph(read_model(lstm(np.random.default_rng(1)), "m"))
    assert layer.inputs[1:] == layer.outputs[1:]
    assert all(tensor.is_variable for tensor in layer.outputs[1:])


def _weights(rng: Rng, *shape: int) -> np.ndarray[Any, Any]:
    return rng.integers(-127, 128, shape).astype(np.int8)


def add_lstm(builder: TfliteBuilder, rng: Rng, source: Node, **given: Any) -> Node:
    """Gates from nearly linear to saturated.

    given  time_major, units, clip, cell_scale, cell_type, weights_type, activation, hidden_is_variable, peephole
    """
    wide = source.dtype == "int16"
    time_major = given.get("time_major", bool(rng.random() < 0.5))
    batches, inputs, units = (
        source.shape[1 if time_major else 0],
        source.shape[2],
        given.get("units", int(rng.integers(1, 9))),
    )
    hidden_scale, hidden_zero = float32(2.0 ** rng.uniform(-1, 1) / (32768 if wide else 128)), zero_point(rng)
    hidden_zero = 0 if wide else hidden_zero
    spread = 74 * 256 if wide else 74

    def matrix(columns: int, source_scale: float) -> int:
        reach = 2.0 ** rng.uniform(-1, 4)  # what goes into a gate, about
        scale = float32(reach / (source_scale * spread * 74 * np.sqrt(columns)))
        data = _weights(rng, units, columns).astype(given.get("weights_type", "int8"))
        return builder.tensor(data.shape, data.dtype.name, scale=scale, data=data)

    def bias(weights: int) -> int:
        scale = float32(source.scale * builder.graph.tensors[weights].quantization.scale[0])
        kind = given.get("bias_type", "int64" if wide else "int32")
        values = rng.normal(0, 1.0 / scale, units).astype(kind)
        return builder.tensor((units,), kind, scale=scale, data=values)

    keys = [-1] * 24
    keys[0] = source.key
    for gate in range(4):
        keys[1 + gate] = matrix(inputs, source.scale)
        keys[5 + gate] = matrix(units, hidden_scale)
        keys[12 + gate] = bias(keys[1 + gate])
    if given.get("peephole"):
        keys[9] = keys[12]
    kept = {"scale": hidden_scale, "zero_point": hidden_zero, "is_variable": given.get("hidden_is_variable", True)}
    keys[18] = builder.tensor((batches, units), source.dtype, **kept)
    cell_scale = given.get("cell_scale", 2.0 ** int(rng.integers(-15, -8)))
    keys[19] = builder.tensor((batches, units), given.get("cell_type", "int16"), scale=cell_scale, is_variable=True)
    shape = (*source.shape[:2], units)
    seen_scale, seen_zero = hidden_scale, hidden_zero
    if rng.random() < 0.3:  # the bytes are those of the hidden state all the same
        seen_scale, seen_zero = float32(hidden_scale * 1.3), 0 if wide else zero_point(rng)
    target = builder.tensor(shape, source.dtype, scale=seen_scale, zero_point=seen_zero)
    builder.operator(
        "unidirectional_sequence_lstm",
        keys,
        [target],
        fused_activation_function=given.get("activation", "tanh"),
        cell_clip=given.get("clip", float(rng.choice([0.0, 0.0, 0.3, 100.0]))),
        time_major=time_major,
    )
    return Node(target, shape, source.dtype, seen_scale, seen_zero)


def lstm(rng: Rng, **given: Any) -> bytes:
    """A model of one LSTM; `given` as for `add_lstm`, and of its input the type and the shape, `dtype` and `shape`."""
    shape = given.pop("shape", None) or (int(rng.integers(1, 4)), int(rng.integers(1, 5)), int(rng.integers(1, 12)))
    return one_operator(rng, shape, rng.uniform(0.005, 0.05), add_lstm, given)


def lstm_s16(rng: Rng, **given: Any) -> bytes:
    """The same in int16."""
    return lstm(rng, dtype="int16", **given)


REFUSALS = [
    (lstm(np.random.default_rng(1), **arguments), rule)
    for arguments, rule in (
        ({"activation": "relu"}, "is tanh"),
        ({"cell_type": "int8"}, "cell state int16"),
        ({"cell_scale": 0.003}, "power of two"),
        ({"weights_type": "int16"}, "weights are int8"),
        ({"peephole": True}, "none of peepholes"),
        ({"hidden_is_variable": False}, "before it is written|Both states are variables"),
        ({"dtype": "int16", "bias_type": "int32"}, "int16, with zero points of 0, and int64"),
        ({"bias_type": "int64"}, "biases int32"),
    )
]
"""models that are refused, and words of the rule they break"""


NODES = {"unidirectional_sequence_lstm": stateful("unidirectional_sequence_lstm", 3, add_lstm, wide=True)}
LAYERS = {"unidirectional_sequence_lstm": parsed(lstm), "unidirectional_sequence_lstm_s16": parsed(lstm_s16)}

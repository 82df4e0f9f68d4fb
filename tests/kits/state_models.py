"""Random operators with state: svdf and unidirectional_sequence_lstm, as models of their own or within drafts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kits.draft import Draft, Entry, Node
from kits.tflite_builder import TfliteBuilder

Rng = np.random.Generator


def _scale(value: float) -> float:
    return float(np.float32(value))


def _zero_point(rng: Rng) -> int:
    return int(rng.choice([-128, 127, 0])) if rng.random() < 0.4 else int(rng.integers(-128, 128))


def _weights(rng: Rng, *shape: int) -> np.ndarray[Any, Any]:
    return rng.integers(-127, 128, shape).astype(np.int8)


def add_svdf(builder: TfliteBuilder, rng: Rng, source: Node, **given: Any) -> Node:
    """State of int8 or int16; scales that use the state's range and the output's, sometimes far too much of them.

    given  state_type, activation, rank, bias_scale, state_is_variable
    """
    batches, inputs = source.shape
    memory = int(rng.integers(1, 9))
    rank, units = given.get("rank", int(rng.integers(1, 4))), int(rng.integers(1, 6))
    filters = units * rank
    state_type = given.get("state_type", str(rng.choice(["int8", "int16"])))
    wide = state_type == "int16"
    features = builder.tensor((filters, inputs), scale=0.01, data=_weights(rng, filters, inputs))
    magnitude = source.scale * 0.01 * 80 * 74 * np.sqrt(inputs) / (12000 if wide else 60)
    state_scale = _scale(magnitude * 2.0 ** rng.uniform(-2, 2))
    high = 8192 if wide else 127  # int16 weights as converters make them: sums over time stay in int32
    times = rng.integers(-high, high + 1, (filters, memory)).astype(state_type)
    times_scale = _scale(1 / high)
    sums = _scale(np.float32(state_scale) * np.float32(times_scale))
    bias = rng.integers(-10000, 10000, units).astype(np.int32)
    kept = {
        "scale": state_scale,
        "zero_point": int(rng.integers(-20, 20)) if not wide and rng.random() < 0.5 else 0,
        "is_variable": given.get("state_is_variable", True),
    }
    keys = [
        source.key,
        features,
        builder.tensor(times.shape, state_type, scale=times_scale, data=times),
        builder.tensor((units,), "int32", scale=given.get("bias_scale", sums), data=bias),
        builder.tensor((batches, filters * memory), state_type, **kept),
    ]
    spread = sums * (12000 if wide else 60) * high * 0.5 * np.sqrt(memory * rank) / 60
    scale, zero_point = _scale(spread * 2.0 ** rng.uniform(-2, 2)), _zero_point(rng)
    target = builder.tensor((batches, units), scale=scale, zero_point=zero_point)
    activation = given.get("activation", str(rng.choice(["none", "relu"])))
    builder.operator("svdf", keys, [target], rank=rank, fused_activation_function=activation)
    return Node(target, (batches, units), "int8", scale, zero_point)


def add_lstm(builder: TfliteBuilder, rng: Rng, source: Node, **given: Any) -> Node:
    """Gates from nearly linear to saturated.

    given  time_major, clip, cell_scale, cell_type, weights_type, activation, hidden_is_variable, peephole
    """
    time_major = given.get("time_major", bool(rng.random() < 0.5))
    batches, inputs, units = source.shape[1 if time_major else 0], source.shape[2], int(rng.integers(1, 9))
    hidden_scale, hidden_zero = _scale(1 / 128 * 2.0 ** rng.uniform(-1, 1)), _zero_point(rng)

    def matrix(columns: int, source_scale: float) -> int:
        reach = 2.0 ** rng.uniform(-1, 4)  # what goes into a gate, about
        scale = _scale(reach / (source_scale * 74 * 74 * np.sqrt(columns)))
        data = _weights(rng, units, columns).astype(given.get("weights_type", "int8"))
        return builder.tensor(data.shape, data.dtype.name, scale=scale, data=data)

    def bias(weights: int) -> int:
        scale = _scale(source.scale * builder.graph.tensors[weights].quantization.scale[0])
        values = rng.normal(0, 1.0 / scale, units).astype(np.int32)
        return builder.tensor((units,), "int32", scale=scale, data=values)

    keys = [-1] * 24
    keys[0] = source.key
    for gate in range(4):
        keys[1 + gate] = matrix(inputs, source.scale)
        keys[5 + gate] = matrix(units, hidden_scale)
        keys[12 + gate] = bias(keys[1 + gate])
    if given.get("peephole"):
        keys[9] = keys[12]
    kept = {"scale": hidden_scale, "zero_point": hidden_zero, "is_variable": given.get("hidden_is_variable", True)}
    keys[18] = builder.tensor((batches, units), **kept)
    cell_scale = given.get("cell_scale", 2.0 ** int(rng.integers(-15, -8)))
    keys[19] = builder.tensor((batches, units), given.get("cell_type", "int16"), scale=cell_scale, is_variable=True)
    shape = (*source.shape[:2], units)
    target = builder.tensor(shape, scale=hidden_scale, zero_point=hidden_zero)
    builder.operator(
        "unidirectional_sequence_lstm",
        keys,
        [target],
        fused_activation_function=given.get("activation", "tanh"),
        cell_clip=given.get("clip", float(rng.choice([0.0, 0.0, 0.3, 100.0]))),
        time_major=time_major,
    )
    return Node(target, shape, "int8", hidden_scale, hidden_zero)


def svdf(rng: Rng, **given: Any) -> bytes:
    """A model of one svdf; `given` as for `add_svdf`."""
    shape = (int(rng.choice([1, 1, 2])), int(rng.integers(1, 20)))
    return _model(rng, shape, 0.05, add_svdf, given)


def lstm(rng: Rng, **given: Any) -> bytes:
    """A model of one LSTM; `given` as for `add_lstm`."""
    shape = (int(rng.integers(1, 4)), int(rng.integers(1, 5)), int(rng.integers(1, 12)))
    return _model(rng, shape, rng.uniform(0.005, 0.05), add_lstm, given)


def _model(rng: Rng, shape: tuple[int, ...], scale: float, add: Callable[..., Node], given: dict[str, Any]) -> bytes:
    builder = TfliteBuilder()
    scale, zero_point = _scale(scale), _zero_point(rng)
    source = Node(builder.tensor(shape, scale=scale, zero_point=zero_point), shape, "int8", scale, zero_point)
    return builder.build([source.key], [add(builder, rng, source, **given).key])


MODELS: dict[str, Callable[[Rng], bytes]] = {"svdf": svdf, "unidirectional_sequence_lstm": lstm}
"""random models by operator"""


def _entry(name: str, rank: int, add: Callable[..., Node]) -> Entry:
    def entry(draft: Draft) -> None:
        source = draft.take(rank)
        draft.nodes.append(add(draft.builder, draft.chance, source))
        draft.read.add(source.key)
        draft.names.append(name)

    return entry


ENTRIES: dict[str, Entry] = {
    "svdf": _entry("svdf", 2, add_svdf),
    "unidirectional_sequence_lstm": _entry("unidirectional_sequence_lstm", 3, add_lstm),
}

"""Random one-operator models with state: svdf and unidirectional_sequence_lstm. They run over several inferences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from support.tflite_builder import TfliteBuilder

Rng = np.random.Generator


def _scale(value: float) -> float:
    return float(np.float32(value))


def _zero_point(rng: Rng) -> int:
    return int(rng.choice([-128, 127, 0])) if rng.random() < 0.4 else int(rng.integers(-128, 128))


def _weights(rng: Rng, *shape: int) -> np.ndarray[Any, Any]:
    return rng.integers(-127, 128, shape).astype(np.int8)


def svdf(rng: Rng, **given: Any) -> bytes:
    """State of int8 or int16; scales that use the state's range and the output's, sometimes far too much of them.

    given  state_type, activation, rank
    """
    batches, inputs, memory = int(rng.choice([1, 1, 2])), int(rng.integers(1, 20)), int(rng.integers(1, 9))
    rank, units = given.get("rank", int(rng.integers(1, 4))), int(rng.integers(1, 6))
    filters = units * rank
    state_type = given.get("state_type", str(rng.choice(["int8", "int16"])))
    wide = state_type == "int16"
    builder = TfliteBuilder()
    x = builder.tensor((batches, inputs), scale=0.05, zero_point=_zero_point(rng))
    features = builder.tensor((filters, inputs), scale=0.01, data=_weights(rng, filters, inputs))
    magnitude = 0.05 * 0.01 * 80 * 74 * np.sqrt(inputs) / (12000 if wide else 60) * 2.0 ** rng.uniform(-2, 2)
    state_scale = _scale(magnitude)
    high = 8192 if wide else 127  # int16 weights as converters make them: sums over time stay in int32
    times = rng.integers(-high, high + 1, (filters, memory)).astype(state_type)
    times_scale = _scale(1 / high)
    sums = _scale(np.float32(state_scale) * np.float32(times_scale))
    bias = rng.integers(-10000, 10000, units).astype(np.int32)
    state_zero = int(rng.integers(-20, 20)) if not wide and rng.random() < 0.5 else 0
    keys = [
        x,
        features,
        builder.tensor(times.shape, state_type, scale=times_scale, data=times),
        builder.tensor((units,), "int32", scale=sums, data=bias),
        builder.tensor(
            (batches, filters * memory), state_type, scale=state_scale, zero_point=state_zero, is_variable=True
        ),
    ]
    spread = sums * (12000 if wide else 60) * high * 0.5 * np.sqrt(memory * rank) / 60
    target = builder.tensor(
        (batches, units), scale=_scale(spread * 2.0 ** rng.uniform(-2, 2)), zero_point=_zero_point(rng)
    )
    activation = given.get("activation", str(rng.choice(["none", "relu"])))
    builder.operator("svdf", keys, [target], rank=rank, fused_activation_function=activation)
    return builder.build([x], [target])


def lstm(rng: Rng, **given: Any) -> bytes:
    """Gates from nearly linear to saturated.

    given  time_major, clip, cell_power, activation, and `weights`, `cell_type` to break rules
    """
    time_major = given.get("time_major", bool(rng.random() < 0.5))
    batches, steps = int(rng.choice([1, 1, 2, 3])), int(rng.integers(1, 5))
    inputs, units = int(rng.integers(1, 12)), int(rng.integers(1, 9))
    builder = TfliteBuilder()
    shape = (steps, batches) if time_major else (batches, steps)
    x_scale, hidden_scale = _scale(rng.uniform(0.005, 0.05)), _scale(1 / 128 * 2.0 ** rng.uniform(-1, 1))
    hidden_zero = _zero_point(rng)
    power = given.get("cell_power", int(rng.integers(-15, -8)))
    x = builder.tensor((*shape, inputs), scale=x_scale, zero_point=_zero_point(rng))

    def matrix(columns: int, source_scale: float) -> int:
        reach = 2.0 ** rng.uniform(-1, 4)  # what goes into a gate, about
        scale = _scale(reach / (source_scale * 74 * 74 * np.sqrt(columns)))
        return builder.tensor(
            (units, columns), given.get("weights", "int8"), scale=scale, data=_weights(rng, units, columns)
        )

    def bias(weights: int) -> int:
        scale = _scale(x_scale * builder.graph.tensors[weights].quantization.scale[0])
        values = rng.normal(0, 1.0 / scale, units).astype(np.int32)
        return builder.tensor((units,), "int32", scale=scale, data=values)

    keys = [-1] * 24
    keys[0] = x
    for gate in range(4):
        keys[1 + gate] = matrix(inputs, x_scale)
        keys[5 + gate] = matrix(units, hidden_scale)
        keys[12 + gate] = bias(keys[1 + gate])
    keys[18] = builder.tensor((batches, units), scale=hidden_scale, zero_point=hidden_zero, is_variable=True)
    keys[19] = builder.tensor(
        (batches, units), given.get("cell_type", "int16"), scale=given.get("cell_scale", 2.0**power), is_variable=True
    )
    target = builder.tensor((*shape, units), scale=hidden_scale, zero_point=hidden_zero)
    builder.operator(
        "unidirectional_sequence_lstm",
        keys,
        [target],
        fused_activation_function=given.get("activation", "tanh"),
        cell_clip=given.get("clip", float(rng.choice([0.0, 0.0, 0.3, 100.0]))),
        time_major=time_major,
    )
    return builder.build([x], [target])


MODELS: dict[str, Callable[[Rng], bytes]] = {"svdf": svdf, "unidirectional_sequence_lstm": lstm}
"""random models by operator"""

"""svdf: models and nodes, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np

from kits.draft import Node, float32
from kits.kernel_layers import Rng, parsed
from kits.operator_models import zero_point
from kits.state_models import assert_depends_on_the_past, one_operator, stateful
from kits.tflite_builder import TfliteBuilder


def test_outputs_vary_and_depend_on_the_past() -> None:
    assert_depends_on_the_past(svdf)


def _weights(rng: Rng, *shape: int) -> np.ndarray[Any, Any]:
    return rng.integers(-127, 128, shape).astype(np.int8)


def add_svdf(builder: TfliteBuilder, rng: Rng, source: Node, **given: Any) -> Node:
    """State of int8 or int16; scales that use the state's range and the output's, sometimes far too much of them.

    given  state_type, activation, rank, units, bias_scale, state_is_variable
    """
    batches, inputs = source.shape
    memory = int(rng.integers(1, 9))
    rank, units = given.get("rank", int(rng.integers(1, 4))), given.get("units", int(rng.integers(1, 6)))
    filters = units * rank
    state_type = given.get("state_type", str(rng.choice(["int8", "int16"])))
    wide = state_type == "int16"
    features = builder.tensor((filters, inputs), scale=0.01, data=_weights(rng, filters, inputs))
    magnitude = source.scale * 0.01 * 80 * 74 * np.sqrt(inputs) / (12000 if wide else 60)
    state_scale = float32(magnitude * 2.0 ** rng.uniform(-2, 2))
    high = 8192 if wide else 127  # int16 weights as converters make them: sums over time stay in int32
    times = rng.integers(-high, high + 1, (filters, memory)).astype(state_type)
    times_scale = float32(1 / high)
    sums = float32(np.float32(state_scale) * np.float32(times_scale))
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
    scale, zero = float32(spread * 2.0 ** rng.uniform(-2, 2)), zero_point(rng)
    target = builder.tensor((batches, units), scale=scale, zero_point=zero)
    activation = given.get("activation", str(rng.choice(["none", "relu"])))
    builder.operator("svdf", keys, [target], rank=rank, fused_activation_function=activation)
    return Node(target, (batches, units), "int8", scale, zero)


def svdf(rng: Rng, **given: Any) -> bytes:
    """A model of one svdf; `given` as for `add_svdf`, and the shape of its input."""
    shape = given.pop("shape", None) or (int(rng.choice([1, 1, 2])), int(rng.integers(1, 20)))
    return one_operator(rng, shape, 0.05, add_svdf, given)


REFUSALS = [
    (svdf(np.random.default_rng(1), **arguments), rule)
    for arguments, rule in (
        ({"bias_scale": 0.5}, "scale of the bias"),
        ({"state_is_variable": False}, "before it is written|state is a variable"),
        ({"activation": "relu6"}, "none or relu"),
        ({"state_type": "int32"}, "both int8 or both int16"),
    )
]
"""models that are refused, and words of the rule they break"""


NODES = {"svdf": stateful("svdf", 2, add_svdf)}
LAYERS = {"svdf": parsed(svdf)}

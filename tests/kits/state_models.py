"""Operators that keep state: inferences one after the other, and models of one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kits import tflm
from kits.draft import Draft, Entry, Node, float32
from kits.operator_models import zero_point
from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.reader import read_model

INFERENCES = 4
Rng = np.random.Generator


def samples(tflite: bytes, seed: int) -> list[list[tflm.Array]]:
    rng = np.random.default_rng(seed)
    tensors = read_model(tflite, "m").input_tensors()
    return [[rng.integers(-128, 128, t.shape).astype(np.int8) for t in tensors] for _ in range(INFERENCES)]


def one_operator(
    rng: Rng, shape: tuple[int, ...], scale: float, add: Callable[..., Node], given: dict[str, Any]
) -> bytes:
    builder = TfliteBuilder()
    scale, zero = float32(scale), zero_point(rng)
    source = Node(builder.tensor(shape, scale=scale, zero_point=zero), shape, "int8", scale, zero)
    return builder.build([source.key], [add(builder, rng, source, **given).key])


def assert_depends_on_the_past(model: Callable[[Rng], bytes]) -> None:
    """Random models compute something, and given the same input again, the state shows."""
    remembering = 0
    for seed in range(10):
        tflite = model(np.random.default_rng(seed))
        rows = samples(tflite, seed)
        outputs = [output[0] for output in tflm.assert_exact_over_time(tflite, [*rows, rows[-1]])]
        remembering += not np.array_equal(outputs[-2], outputs[-1]) and len(np.unique(outputs)) > 3
    assert remembering >= 7


def stateful(name: str, rank: int, add: Callable[..., Node]) -> Entry:
    """What adds the operator to a draft; `add` takes a builder, a generator and the source."""

    def entry(draft: Draft) -> None:
        source = draft.take(rank)
        draft.nodes.append(add(draft.builder, draft.chance, source))
        draft.read.add(source.key)
        draft.names.append(name)

    return entry

"""Operators that keep state: inferences one after the other, and models of one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kits import tflm
from kits.draft import Draft, Entry, Node, float32
from kits.operator_models import zero_point
from kits.tflite_builder import TfliteBuilder
from tinyedge.graph.ir import integer_range
from tinyedge.graph.reader import read_model

INFERENCES = 4
Rng = np.random.Generator


def samples(tflite: bytes, seed: int) -> list[list[tflm.Array]]:
    rng = np.random.default_rng(seed)
    tensors = read_model(tflite, "m").input_tensors()
    limits = [(t.dtype.numpy, integer_range(t.dtype)) for t in tensors]
    return [
        [
            rng.integers(low, high, t.shape, endpoint=True).astype(dtype)
            for t, (dtype, (low, high)) in zip(tensors, limits, strict=True)
        ]
        for _ in range(INFERENCES)
    ]


def one_operator(
    rng: Rng, shape: tuple[int, ...], scale: float, add: Callable[..., Node], given: dict[str, Any]
) -> bytes:
    builder = TfliteBuilder()
    dtype = given.pop("dtype", "int8")
    scale, zero = float32(scale / 256 if dtype == "int16" else scale), zero_point(rng, dtype)
    source = Node(builder.tensor(shape, dtype, scale=scale, zero_point=zero), shape, dtype, scale, zero)
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


def stateful(name: str, rank: int, add: Callable[..., Node], *, wide: bool = False) -> Entry:
    """What adds the operator to a draft; `add` takes a builder, a generator and the source; `wide` ones have int16 as
    well."""

    def entry(draft: Draft) -> None:
        source = draft.take(rank, draft.kind() if wide else "int8")
        draft.nodes.append(add(draft.builder, draft.chance, source))
        draft.read.add(source.key)
        draft.names.append(name)

    return entry

"""Models and nodes of one operator of the signal library each, drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from flatbuffers import flexbuffers

from kits.draft import Draft, Node
from kits.tflite_builder import TfliteBuilder

Shape = tuple[int, ...]
Output = tuple[Shape, str]


def set_options(builder: TfliteBuilder, options: dict[str, Any]) -> None:
    """Of the newest operator."""
    packed = bytes(flexbuffers.Dumps(options))
    builder.graph.operators[-1].customOptions = np.frombuffer(packed, np.uint8)


def line(draft: Draft, dtype: str, elements: int | None = None) -> Node:
    """A tensor of one dimension, with so many elements if that is given."""
    found = [
        n
        for n in draft.tensors(dtype, bare=True)
        if len(n.shape) == 1 and n.elements and elements in (None, n.elements)
    ]
    if found and draft.flip(0.7):
        return found[-1]
    return draft.input((elements or draft.number(2, 48),), dtype)


def put_signal(
    draft: Draft, operator: str, inputs: Sequence[Node | int], outputs: Sequence[Output], **options: Any
) -> None:
    """Add an operator of the signal library."""
    targets = []
    for shape, dtype in outputs:
        key = draft.builder.tensor(shape, dtype)
        targets.append(Node(key, shape, dtype, 1.0, 0, scaled=False))
    draft.put_all(operator, inputs, targets)
    set_options(draft.builder, options)


def one_operator(operator: str, inputs: Sequence[Any], outputs: Sequence[Output], **options: Any) -> bytes:
    """A model of one operator.

    inputs  (shape, type) of what is given, or an array of what is constant
    """
    builder = TfliteBuilder()
    keys, given = [], []
    for each in inputs:
        if isinstance(each, np.ndarray):
            keys.append(builder.tensor(each.shape, each.dtype.name, data=each))
        else:
            keys.append(builder.tensor(*each))
            given.append(keys[-1])
    targets = [builder.tensor(*output) for output in outputs]
    builder.operator(operator, keys, targets)
    set_options(builder, options)
    return builder.build(given, targets)

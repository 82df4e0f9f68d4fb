"""Random operators that keep state from one inference to the next, or know their output: see `random_graph`."""

from __future__ import annotations

import math

import numpy as np
from flatbuffers import flexbuffers

from kits.draft import Draft, Entry, Node

_EVERY_TIME = 5
"""slots of a circular buffer that runs in every inference though its options do not say so"""


def circular_buffer(draft: Draft) -> None:
    source = draft.image()
    if source.shape[1] != 1:
        source = draft.input((1, 1, draft.number(1, 4), draft.number(1, 5)))
    stated = draft.flip(0.5)
    slots = draft.number(1, 6) if stated else _EVERY_TIME
    target = draft.target((1, slots, *source.shape[2:]), source, is_variable=True)
    draft.put_all("CIRCULAR_BUFFER", [source], [target])
    if stated:
        options = flexbuffers.Dumps({"cycles_max": 1})
        draft.builder.graph.operators[-1].customOptions = np.frombuffer(bytes(options), np.uint8)


def variable(draft: Draft) -> None:
    """A variable that is read before it is assigned, or assigned before it is read."""
    value = draft.any()
    draft.variables += 1
    name = f"variable{draft.variables}"
    handle = Node(draft.builder.tensor((1,), "resource"), (1,), "resource", 1.0, 0)
    draft.builder.operator("var_handle", [], [handle.key], container="", shared_name=name)
    remembered = draft.target(value.shape, value)
    if draft.flip(0.7):
        draft.put_all("read_variable", [handle], [remembered])
        draft.put_all("assign_variable", [handle, _next(draft, value, remembered)], [])
    else:
        draft.put_all("assign_variable", [handle, value], [])
        draft.put_all("read_variable", [handle], [remembered])


def _next(draft: Draft, value: Node, remembered: Node) -> Node:
    """What the variable holds from now on: the value itself, or something made of it and of what was there."""
    if draft.flip(0.5):
        return value
    return draft.same(
        "add", [value, remembered], value.shape, value, fused_activation_function="none", pot_scale_int16=True
    )


def broadcast_to(draft: Draft) -> None:
    # TensorFlow Lite Micro takes the empty shape of a scalar for one that is not constant.
    source = draft.any(accept=lambda node: 1 <= len(node.shape) <= 4 and node.elements <= 200)
    shape = [draft.number(1, 4) if size == 1 and draft.flip(0.5) else size for size in source.shape]
    if len(shape) < 4 and draft.flip(0.3):
        shape.insert(0, draft.number(1, 3))
    if math.prod(shape) > 2000:
        shape = list(source.shape)
    draft.same("broadcast_to", [source, draft.shape_constant(shape)], shape, source)


def fill(draft: Draft) -> None:
    shape = draft.sizes(draft.number(1, 4), 4)
    scale, zero = draft.scale(), draft.zero_point()
    value = draft.constant(np.array(draft.number(-128, 127), np.int8), scale=scale, zero_point=zero)
    node = draft.put("fill", [draft.shape_constant(shape), value], shape, scale=scale, zero_point=zero)
    # Alone it would be a constant output of the model.
    other = draft.input(shape)
    draft.put("add", [node, other], shape, fused_activation_function="none", pot_scale_int16=True)


def shape(draft: Draft) -> None:
    source = draft.any(accept=lambda node: node.shape != ())
    draft.put("shape", [source], (len(source.shape),), "int32")


def zeros_like(draft: Draft) -> None:
    source = draft.any()
    node = draft.same("zeros_like", [source], source.shape, source)
    draft.put("add", [node, source], source.shape, fused_activation_function="none", pot_scale_int16=True)


ENTRIES: dict[str, Entry] = {
    "assign_variable": variable,
    "broadcast_to": broadcast_to,
    "circular_buffer": circular_buffer,
    "fill": fill,
    "read_variable": variable,
    "shape": shape,
    "zeros_like": zeros_like,
}

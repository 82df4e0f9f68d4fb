"""broadcast_to, fill, shape and zeros_like."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kits.draft import Draft
from kits.kernel_layers import Rng
from kits.movement_layers import TYPES, moved_tensor, moving_layer, random_sizes
from kits.operator_models import OneOperator
from tinyedge.arithmetic.movement import View, make_copies
from tinyedge.ops.contract import Layer

SHAPE = (2, 3, 4)


def stretched(
    *, source: tuple[int, ...] = (3, 1), shape: tuple[int, ...] = SHAPE, output: tuple[int, ...] = SHAPE, **given: Any
) -> bytes:
    model = OneOperator()
    dtype = given.get("dtype", "int8")
    return model.build(
        "broadcast_to", [model.tensor(source, dtype), model.numbers(shape)], [model.tensor(output, dtype)]
    )


CORNERS = [*(stretched(dtype=dtype) for dtype in ("int16", "int32", "int64"))]
"""models that equal TensorFlow Lite Micro"""


REFUSALS = [
    (stretched(**arguments), rule)
    for arguments, rule in (
        ({"source": (2, 1)}, "broadcasts to the output"),
        ({"shape": (2, 3, 5)}, "constant of int32 or int64, that of the output"),
    )
]
"""models that are refused, and words of the rule they break"""


def broadcast_to_node(draft: Draft) -> None:
    # TensorFlow Lite Micro takes the empty shape of a scalar for one that is not constant.
    source = draft.any(accept=lambda node: 1 <= len(node.shape) <= 4 and node.elements <= 200)
    shape = [draft.number(1, 4) if size == 1 and draft.flip(0.5) else size for size in source.shape]
    if len(shape) < 4 and draft.flip(0.3):
        shape.insert(0, draft.number(1, 3))
    if math.prod(shape) > 2000:
        shape = list(source.shape)
    draft.same("broadcast_to", [source, draft.shape_constant(shape)], shape, source)


def fill_node(draft: Draft) -> None:
    shape = draft.sizes(draft.number(1, 4), 4)
    scale, zero = draft.scale(), draft.zero_point()
    value = draft.constant(np.array(draft.number(-128, 127), np.int8), scale=scale, zero_point=zero)
    node = draft.put("fill", [draft.shape_constant(shape), value], shape, scale=scale, zero_point=zero)
    # Alone it would be a constant output of the model.
    other = draft.input(shape)
    draft.put("add", [node, other], shape, fused_activation_function="none", pot_scale_int16=True)


def shape_node(draft: Draft) -> None:
    source = draft.any(accept=lambda node: node.shape != ())
    draft.put("shape", [source], (len(source.shape),), "int32")


def zeros_like_node(draft: Draft) -> None:
    source = draft.any()
    node = draft.same("zeros_like", [source], source.shape, source)
    draft.put("add", [node, source], source.shape, fused_activation_function="none", pot_scale_int16=True)


def repeated_layer(rng: Rng) -> Layer:
    """A tensor broadcast along some axes."""
    dtype = TYPES[int(rng.integers(len(TYPES)))]
    target = random_sizes(rng)
    source = tuple(size if rng.random() < 0.5 else 1 for size in target)
    copies = make_copies(0, 0, [(View.whole(source).repeated(target), View.whole(target))])
    return moving_layer("broadcast_to", dtype, [moved_tensor(0, source, dtype)], [target], copies)


NODES = {"broadcast_to": broadcast_to_node, "fill": fill_node, "shape": shape_node, "zeros_like": zeros_like_node}
LAYERS = {"broadcast_to": repeated_layer}

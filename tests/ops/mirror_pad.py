"""mirror_pad."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kits.draft import Draft
from kits.nodes import padded, paddings, small
from kits.operator_models import OneOperator

SHAPE = (2, 3, 4)


def mirrored(
    *, pairs: Any = ((0, 0), (1, 2), (3, 0)), mode: int = 0, output: tuple[int, ...] = (2, 6, 7), numbers: str = "int64"
) -> bytes:
    model = OneOperator()
    return model.build(
        "mirror_pad", [model.tensor(SHAPE), model.numbers(pairs, numbers)], [model.tensor(output)], mode=mode
    )


CORNERS = [mirrored(), mirrored(pairs=((2, 1), (3, 0), (0, 4)), output=(5, 6, 8), mode=1)]
"""models that equal TensorFlow Lite Micro"""


REFUSALS = [
    (mirrored(**arguments), rule)
    for arguments, rule in (
        ({"pairs": ((0, 0), (1, 3), (3, 0)), "output": (2, 7, 7)}, "No border is wider"),
        ({"pairs": ((0, 0), (-1, 2), (3, 0))}, "none negative"),
        ({"output": (2, 6, 8)}, "larger than the input by the paddings"),
        ({"numbers": "int16"}, "int32 or int64"),
    )
]
"""models that are refused, and words of the rule they break"""


def mirror_pad_node(draft: Draft) -> None:
    source = small(draft, draft.pick(4, 4, 3, 2))
    mode = draft.pick(schema.MirrorPadMode.REFLECT, schema.MirrorPadMode.SYMMETRIC)
    less = 1 if mode == schema.MirrorPadMode.REFLECT else 0
    pairs = paddings(draft, source.shape, lambda size: min(size - less, 3))
    keys = [source, draft.constant(np.array(pairs, np.int32))]
    draft.same("mirror_pad", keys, padded(source.shape, pairs), source, mode=mode)


NODES = {"mirror_pad": mirror_pad_node}

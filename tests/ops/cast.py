"""cast: models, nodes and refusals."""

from __future__ import annotations

from ai_edge_litert import schema_py_generated as schema

from kits.draft import Draft
from kits.kernel_layers import Rng
from kits.operator_models import Operand, one_to_one, pick, row, shape_of

REFUSALS: list[tuple[bytes, str]] = [
    (row("cast", 4, Operand("int8"), Operand("bool")), "to int8, int16, int32 or uint32")
]
"""models that are refused, and words of the rule they break"""


def cast_model(rng: Rng) -> bytes:
    source = pick(rng, ("int8", "int16", "int32", "uint32", "bool"))
    target = pick(rng, ("int8", "int16", "int32", "uint32"))
    return one_to_one(rng, "cast", shape_of(rng), Operand(source), Operand(target))


_CAST = {"int8": "INT8", "int16": "INT16", "int32": "INT32", "bool": "BOOL"}


def cast_node(draft: Draft) -> None:
    source = draft.any(draft.pick("int8", *(d for d in ("int16", "int32", "bool") if draft.tensors(d))))
    target = draft.pick("int8", "int16", "int32")
    kinds = {
        "in_data_type": getattr(schema.TensorType, _CAST[source.dtype]),
        "out_data_type": getattr(schema.TensorType, _CAST[target]),
    }
    draft.put("cast", [source], source.shape, target, **kinds)


MODELS = {"cast": cast_model}
NODES = {"cast": cast_node}

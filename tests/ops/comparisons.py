"""Comparisons, logic, select_v2, maximum and minimum: operands that broadcast and are picked or compared."""

from __future__ import annotations

import pytest

from kits.draft import Draft, Entry, Node
from kits.kernel_layers import Rng
from kits.nodes import broadcast_from, second_operand
from kits.operator_models import (
    BOOL,
    INT8,
    INT16,
    Elementwise,
    Operand,
    Shape,
    assert_every_pair,
    elementwise_model,
    pick,
    quantized,
    shape_of,
    stated,
)

_COMPARISONS = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")


@pytest.mark.parametrize(
    "op",
    [
        Elementwise("less", (Operand("int8", 0.05, -20), Operand("int8", 0.047, 5)), Operand("bool")),
        Elementwise("equal", (Operand("int8", 0.001, 0), Operand("int8", 0.0007, 0)), Operand("bool")),
    ],
    ids=lambda op: op.name,
)
def test_every_pair_of_values(op: Elementwise) -> None:
    assert_every_pair(op)


REFUSALS: list[tuple[bytes, str]] = [
    (stated("maximum", [INT8, Operand("int8", 0.2)], INT8), "quantized alike"),
    (stated("minimum", [BOOL, BOOL], BOOL), "all int8, all int16 or all int32"),
    (stated("less", [BOOL, BOOL], BOOL), "for equal and not_equal, both"),
    (stated("less", [INT16, INT16], BOOL), "both int8"),
    (stated("less", [INT8, Operand("int8", 1.0)], BOOL), "less than 1"),
    (stated("equal", [INT8, INT8], INT8), "its output is bool"),
    (stated("logical_or", [INT8, INT8], BOOL), "are bool"),
    (stated("select_v2", [BOOL, INT8, Operand("int8", 0.1, 1)], INT8), "the same scale"),
    (stated("select_v2", [INT8, INT8, INT8], INT8), "first input is bool"),
]
"""models that are refused, and words of the rule they break"""


def extremum_model(rng: Rng, name: str) -> bytes:
    dtype = pick(rng, ("int8", "int8", "int16", "int32"))
    operand = Operand("int32") if dtype == "int32" else quantized(rng, dtype)
    return elementwise_model(rng, Elementwise(name, (operand, operand), operand))


def comparison_model(rng: Rng, name: str) -> bytes:
    dtype = pick(rng, ("int8", "int8", "int32", "bool" if name in ("equal", "not_equal") else "int32"))
    operands = Operand(dtype), Operand(dtype)
    if dtype == "int8":
        operands = quantized(rng, "int8", -10, -0.01), quantized(rng, "int8", -10, -0.01)
        if rng.random() < 0.4:
            operands = operands[0], operands[0]
    return elementwise_model(rng, Elementwise(name, operands, Operand("bool")))


def logical_model(rng: Rng, name: str) -> bytes:
    return elementwise_model(rng, Elementwise(name, (Operand("bool"), Operand("bool")), Operand("bool")))


def logical_not_model(rng: Rng) -> bytes:
    return elementwise_model(
        rng, Elementwise("logical_not", (Operand("bool"),), Operand("bool")), shapes=[shape_of(rng)]
    )


def select_v2_model(rng: Rng) -> bytes:
    operand = quantized(rng, pick(rng, ("int8", "int16")))
    op = Elementwise("select_v2", (Operand("bool"), operand, operand), operand)
    return elementwise_model(rng, op, constants=2)


def extremum_node(operator: str) -> Entry:
    """maximum, minimum: all three tensors have one quantization."""

    def entry(draft: Draft) -> None:
        first = draft.any(draft.kind(), accept=lambda node: len(node.shape) <= 4)
        second, _ = second_operand(draft, first, like=first)
        pair = [second, first] if draft.flip(0.4) else [first, second]
        draft.same(operator, pair, first.shape, first)

    return entry


def comparison_node(operator: str) -> Entry:
    def entry(draft: Draft) -> None:
        first = draft.any(accept=lambda node: len(node.shape) <= 4)
        second, _ = second_operand(draft, first, like=first if draft.flip(0.6) else None)
        pair = [second, first] if draft.flip(0.4) else [first, second]
        draft.put(operator, pair, first.shape, "bool")

    return entry


def truth(draft: Draft, shape: Shape | None = None) -> Node:
    """A tensor of bool, the result of a comparison."""
    found = [node for node in draft.tensors("bool") if shape is None or node.shape == shape]
    if found and draft.flip(0.7):
        return found[draft.number(0, len(found) - 1)]
    first = draft.any(accept=lambda node: len(node.shape) <= 4)
    if shape is not None:
        first = draft.input(shape)
    other = draft.values_like(first.shape, first)
    return draft.put(draft.pick("less", "greater", "greater_equal"), [first, other], first.shape, "bool")


def logical_node(operator: str) -> Entry:
    def entry(draft: Draft) -> None:
        first = truth(draft)
        pair = [first] if operator == "logical_not" else [first, truth(draft, first.shape)]
        draft.put(operator, pair, first.shape, "bool")

    return entry


def select_v2_node(draft: Draft) -> None:
    first = draft.any(draft.kind(), accept=lambda node: len(node.shape) <= 4)
    second, _ = second_operand(draft, first, like=first)
    condition = truth(draft, first.shape if draft.flip(0.7) else broadcast_from(draft, first.shape))
    pair = [second, first] if draft.flip(0.4) else [first, second]
    draft.same("select_v2", [condition, *pair], first.shape, first)


MODELS = {
    "logical_not": logical_not_model,
    "select_v2": select_v2_model,
    **{name: lambda rng, name=name: extremum_model(rng, name) for name in ("maximum", "minimum")},
    **{name: lambda rng, name=name: logical_model(rng, name) for name in ("logical_and", "logical_or")},
    **{name: lambda rng, name=name: comparison_model(rng, name) for name in _COMPARISONS},
}
NODES = {
    "select_v2": select_v2_node,
    **{name: extremum_node(name) for name in ("maximum", "minimum")},
    **{name: comparison_node(name) for name in _COMPARISONS},
    **{name: logical_node(name) for name in ("logical_and", "logical_or", "logical_not")},
}

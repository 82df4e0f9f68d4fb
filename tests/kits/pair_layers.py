"""Layers of two int8 operands, as trained networks have them, of shapes that broadcast in all ways."""

from __future__ import annotations

from collections.abc import Sequence

from kits.kernel_layers import Rng
from kits.operator_models import Elementwise, Operand, elementwise_model, zero_point
from kits.operator_models import activation as any_activation
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer

Shape = tuple[int, ...]
SHAPES: tuple[tuple[Shape, Shape], ...] = (
    ((1, 4, 5, 8), (8,)),
    ((1, 6, 12), (12,)),
    ((7,), (2, 3, 7)),
    ((1, 3, 5, 7), (1, 3, 5, 1)),
    ((3, 1, 5), (1, 4, 5)),
    ((2, 3, 1, 5), (2, 1, 4, 1)),
    ((1, 3, 1, 4), (2, 3, 4, 4)),
    ((2, 1, 3, 1, 2, 9), (1, 2, 3, 2, 2, 1)),
    ((1, 1), (1, 1)),
    ((3, 5), (3, 5)),
    ((16, 16), (16, 16)),
)


def pair_layer(
    rng: Rng, name: str, shapes: Sequence[Shape], *, constant: bool = False, activation: str | None = None
) -> Layer:
    """add, sub or mul; with `constant` one of the operands is."""
    while True:
        fused = {"fused_activation_function": activation or any_activation(rng)}
        first, second, target = (
            Operand("int8", float(rng.uniform(*limits)), zero_point(rng))
            for limits in ((0.02, 0.05), (0.02, 0.05), (0.04, 0.08))
        )
        operation = Elementwise(name, (first, second), target, fused)
        model = elementwise_model(rng, operation, shapes=shapes, constants=int(constant))
        (layer,) = parse_graph(read_model(model, "m"))
        if (len(layer.inputs) == 1) == constant:
            return layer


def pair_layers(rng: Rng) -> list[Layer]:
    """Of all operators and shapes, with and without constants."""
    return [
        pair_layer(rng, name, shapes, constant=constant)
        for name in ("add", "sub", "mul")
        for shapes in SHAPES
        for constant in (False, True)
    ]

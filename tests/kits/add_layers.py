"""Sums that kernels with conditions can run, and the corners of their sizes and clamps."""

from __future__ import annotations

import dataclasses

from kits.kernel_layers import Rng
from ops.add import add_layer
from tinyedge.ops.contract import Layer


def usual_sum(rng: Rng, elements: int = 100, limits: tuple[int, int] = (-128, 127)) -> Layer:
    """A sum as trained networks have it: the larger input scaled by 1/2, the output by about as much."""
    layer = add_layer(rng, shapes=((1, elements), (1, elements)), constant=False)
    low, high = limits
    params = dataclasses.replace(
        layer.params, input1_multiplier=1 << 30, input1_shift=0, input2_shift=-int(rng.integers(0, 3)),
        output_shift=-int(rng.integers(18, 20)), activation_min=low, activation_max=high,
    )  # fmt: skip
    return dataclasses.replace(layer, params=params)


def add_corners(rng: Rng) -> list[Layer]:
    """Around the elements of a word and two, all clamps, several shapes, constants, one operand of fewer axes."""
    sizes = [usual_sum(rng, elements) for elements in (1, 2, 7, 8, 9, 16, 31)]
    clamped = [usual_sum(rng, 40, limits) for limits in ((0, 127), (-128, 50), (-20, 20))]
    drawn = [add_layer(rng, shapes=((n, 3, 5), (n, 3, 5)), constant=bool(n % 2)) for n in range(1, 9)]
    return [*sizes, *clamped, *drawn, add_layer(rng, shapes=((1, 4, 6), (4, 6)), constant=True)]

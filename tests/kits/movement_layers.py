"""Random layers that only move elements, for tests of kernels: what their makers share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyedge.arithmetic.movement import Copy
from tinyedge.graph.ir import DType, Operator, Quantization, Tensor
from tinyedge.ops.contract import Layer, movement_layer

Rng = np.random.Generator
Shape = tuple[int, ...]
TYPES = (DType.INT8, DType.INT8, DType.INT16, DType.INT32, DType.BOOL)


def random_sizes(rng: Rng, smallest: int = 1) -> Shape:
    return tuple(int(size) for size in rng.integers(smallest, 6, int(rng.integers(1, 5))))


def moved_tensor(index: int, shape: Sequence[int], dtype: DType) -> Tensor:
    return Tensor(index, f"t{index}", tuple(shape), dtype, Quantization((0.1,), (0,)))


def moving_layer(
    name: str,
    dtype: DType,
    sources: Sequence[Tensor],
    shapes: Sequence[Shape],
    copies: Sequence[Copy],
    fill: int | None = None,
) -> Layer:
    targets = [moved_tensor(10 + number, shape, dtype) for number, shape in enumerate(shapes)]
    operator = Operator(0, name, tuple(t.index for t in sources), tuple(t.index for t in targets))
    return movement_layer(operator, sources, targets, copies, fill=fill)


def axis_parts(rng: Rng) -> tuple[DType, Shape, int, list[int]]:
    dtype = TYPES[int(rng.integers(len(TYPES)))]
    shape = random_sizes(rng)
    return dtype, shape, int(rng.integers(len(shape))), [int(n) for n in rng.integers(1, 4, int(rng.integers(1, 4)))]


def resized(shape: Shape, axis: int, size: int) -> Shape:
    return (*shape[:axis], size, *shape[axis + 1 :])

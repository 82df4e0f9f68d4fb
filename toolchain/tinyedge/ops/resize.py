"""resize_nearest_neighbor, resize_bilinear: images of another height and width."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinyedge.arithmetic.quantization import round_half_away
from tinyedge.graph.access import constant, first_input, first_output, input_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.checks import element_types
from tinyedge.ops.contract import Constraint, Layer, OperatorSpec

ONE = 1 << 10
"""a whole cell of the input, in the fixed point of resize_bilinear"""


@dataclass(frozen=True, eq=False)
class ResizeNearest:
    """Parameters. Shape: rows int32 [output rows], columns int32 [output columns]: the cells that are copied."""

    batches: int
    input_h: int
    input_w: int
    channels: int
    rows: Array
    columns: Array
    element_bytes: int


@dataclass(frozen=True)
class BilinearAxis:
    """One axis of resize_bilinear: output i lies at i * scale + offset of the input, in parts of 1 / ONE of a cell."""

    input: int
    output: int
    scale: int
    offset: int

    def places(self) -> tuple[Array, Array, Array]:
        """For each output: the cell before it, the cell behind it, and the weight of the latter (of ONE)."""
        at = np.arange(self.output, dtype=np.int64) * self.scale + self.offset
        before = np.maximum(at >> 10, 0)
        behind = np.minimum((at + ONE - 1) >> 10, self.input - 1)
        return before, behind, at - before * ONE


@dataclass(frozen=True)
class ResizeBilinear:
    """Parameters of an int8 image."""

    batches: int
    channels: int
    rows: BilinearAxis
    columns: BilinearAxis


def _nearest(size: int, output: int, corners: bool, centers: bool) -> Array:
    """The input cell for each output along one axis, in float32 arithmetic."""
    if corners and output > 1:
        scale = np.float32(size - 1) / np.float32(output - 1)
    else:
        scale = np.float32(size) / np.float32(output)
    at = (np.arange(output, dtype=np.float32) + np.float32(0.5 if centers else 0.0)) * scale
    whole = [round_half_away(float(value)) if corners else math.floor(value) for value in at]
    return np.asarray(np.clip(np.array(whole), 0, size - 1), np.int32)


def _axis(size: int, output: int, corners: bool, centers: bool) -> BilinearAxis:
    """Scales are rounded to the nearest, as fractions of ONE."""
    scale = (ONE * size + output // 2) // output
    if corners and output > 1:
        scale = (ONE * (size - 1) + (output - 1) // 2) // (output - 1)
    return BilinearAxis(size, output, scale, scale // 2 - ONE // 2 if centers else 0)


def _bilinear(graph: Graph, operator: Operator) -> ResizeBilinear:
    source, target = first_input(graph, operator).shape, first_output(graph, operator).shape
    corners, centers = operator.options["align_corners"], operator.options["half_pixel_centers"]
    rows, columns = (_axis(source[axis], target[axis], corners, centers) for axis in (1, 2))
    return ResizeBilinear(source[0], source[3], rows, columns)


def constant_size(graph: Graph, operator: Operator) -> bool:
    """The size is a constant of int32 with two numbers, height and width of the output."""
    size = input_tensor(graph, operator, 1)
    if size is None or not size.is_constant or size.dtype is not DType.INT32 or size.shape != (2,):
        return False
    target = first_output(graph, operator).shape
    return len(target) == 4 and tuple(constant(size).tolist()) == target[1:3]


def resizes_image(graph: Graph, operator: Operator) -> bool:
    """Input and output have four dimensions (NHWC), equal batches and equal channels."""
    source, target = first_input(graph, operator).shape, first_output(graph, operator).shape
    return len(source) == len(target) == 4 and (source[0], source[3]) == (target[0], target[3])


def corners_or_centers(graph: Graph, operator: Operator) -> bool:
    """Not both of align_corners and half_pixel_centers are set."""
    return not (operator.options["align_corners"] and operator.options["half_pixel_centers"])


def cells_are_there(graph: Graph, operator: Operator) -> bool:
    """No output lies behind the last cell of the input, as rounding makes some do where few cells become thousands."""
    params = _bilinear(graph, operator)
    return all(int(axis.places()[0].max()) < axis.input for axis in (params.rows, params.columns))


def parse_nearest(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    corners, centers = operator.options["align_corners"], operator.options["half_pixel_centers"]
    batches, height, width, channels = source.shape
    params = ResizeNearest(
        batches=batches,
        input_h=height,
        input_w=width,
        channels=channels,
        rows=_nearest(height, target.shape[1], corners, centers),
        columns=_nearest(width, target.shape[2], corners, centers),
        element_bytes=source.dtype.bytes,
    )
    return Layer(operator, params, (source,), (target,), macs=0)


def parse_bilinear(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    return Layer(operator, _bilinear(graph, operator), (source,), (target,), macs=4 * target.elements)


def reference_nearest(params: ResizeNearest, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (inputs[0][:, params.rows[:, None], params.columns[None, :]],)


def reference_bilinear(params: ResizeBilinear, inputs: Sequence[Array]) -> tuple[Array, ...]:
    cells = inputs[0].astype(np.int64)
    top, bottom, down = params.rows.places()
    left, right, across = params.columns.places()
    down, across = down[:, None, None], across[None, :, None]

    def corner(rows: Array, columns: Array) -> Array:
        return np.asarray(cells[:, rows[:, None], columns[None, :]])

    upper = corner(top, left) * (ONE - across) + corner(top, right) * across
    lower = corner(bottom, left) * (ONE - across) + corner(bottom, right) * across
    total = upper * (ONE - down) + lower * down
    # Rounded to the nearest, halves away from zero: a division that rounds towards zero after adding half.
    half = np.where(total > 0, 1 << 19, -(1 << 19))
    rounded = np.abs(total + half) >> 20
    return (np.where(total > 0, rounded, -rounded).astype(np.int8),)


def _rules(*dtypes: DType) -> tuple[Constraint, ...]:
    return (
        checks.arity(2, 2),
        checks.options("align_corners", "half_pixel_centers"),
        checks.computed_input,
        element_types(*dtypes),
        constant_size,
        resizes_image,
    )


SPECS = (
    OperatorSpec("resize_nearest_neighbor", _rules(DType.INT8, DType.INT16), parse_nearest, reference_nearest),
    OperatorSpec(
        "resize_bilinear",
        (*_rules(DType.INT8), corners_or_centers, cells_are_there),
        parse_bilinear,
        reference_bilinear,
    ),
)

"""average_pool_2d and max_pool_2d in int8 and int16; input and output share scale and zero point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tinyedge.arithmetic.quantization import activation_range
from tinyedge.arithmetic.window import (
    Window,
    every_window_meets_input,
    filter_window,
    matches_output,
    over_images,
    taps,
)
from tinyedge.graph.access import first_input, first_output, per_tensor
from tinyedge.graph.ir import Array, DType, Graph, Operator
from tinyedge.ops import checks
from tinyedge.ops.contract import Layer, OperatorSpec


@dataclass(frozen=True)
class Pool2D:
    """Parameters of one pooling; padding cells are not counted by the average."""

    window: Window
    channels: int
    activation_min: int
    activation_max: int
    dtype: DType = DType.INT8


def types_match(graph: Graph, operator: Operator) -> bool:
    """Input and output are both int8 or both int16, each with one scale and zero point."""
    tensors = (first_input(graph, operator), first_output(graph, operator))
    known = {tensor.dtype for tensor in tensors} in ({DType.INT8}, {DType.INT16})
    return known and all(per_tensor(tensor) for tensor in tensors)


def sum_fits(graph: Graph, operator: Operator) -> bool:
    """A window of int16 has at most 65535 cells, so that their sum stays in int32."""
    cells = operator.options["filter_height"] * operator.options["filter_width"]
    return first_input(graph, operator).dtype is DType.INT8 or cells <= 65535


def channels_match(graph: Graph, operator: Operator) -> bool:
    """Input and output have the same number of channels."""
    return first_input(graph, operator).shape[3] == first_output(graph, operator).shape[3]


def window_matches(graph: Graph, operator: Operator) -> bool:
    """The output has the height and width that padding, strides and filter size give, none above 32767 cells."""
    return matches_output(graph, operator, filter_window(graph, operator))


def windows_not_empty(graph: Graph, operator: Operator) -> bool:
    """Every window covers at least one cell of the input."""
    window = filter_window(graph, operator)
    return window is not None and every_window_meets_input(window)


def _cell_counts(window: Window) -> Array:
    """How many cells of the input each window covers, int64 [OH, OW, 1]."""
    counts = np.zeros((window.output_h, window.output_w, 1), np.int64)
    for tap in taps(window):
        counts[tap.outputs] += 1
    return counts


def parse(graph: Graph, operator: Operator) -> Layer:
    source, target = first_input(graph, operator), first_output(graph, operator)
    window = filter_window(graph, operator)
    assert window is not None
    low, high = activation_range(
        operator.options["fused_activation_function"], target.dtype, target.scale, target.zero_point
    )
    params = Pool2D(window, source.shape[3], low, high, target.dtype)
    return Layer(operator, params, (source,), (target,), macs=0)


def reference_average(params: Pool2D, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (over_images(partial(_average, params), inputs[0]),)


def reference_max(params: Pool2D, inputs: Sequence[Array]) -> tuple[Array, ...]:
    return (over_images(partial(_largest, params), inputs[0]),)


def _average(params: Pool2D, image: Array) -> Array:
    """Sum divided by the number of cells, halves away from zero."""
    window = params.window
    cells = image.astype(np.int64)
    total = np.zeros((window.output_h, window.output_w, params.channels), np.int64)
    for tap in taps(window):
        total[tap.outputs] += cells[tap.inputs]
    counts = _cell_counts(window)
    mean = np.sign(total) * ((np.abs(total) + counts // 2) // counts)
    return np.asarray(np.clip(mean, params.activation_min, params.activation_max), params.dtype.numpy)


def _largest(params: Pool2D, image: Array) -> Array:
    window = params.window
    lowest = np.iinfo(params.dtype.numpy).min
    largest = np.full((window.output_h, window.output_w, params.channels), lowest, params.dtype.numpy)
    for tap in taps(window):
        largest[tap.outputs] = np.maximum(largest[tap.outputs], image[tap.inputs])
    return np.asarray(np.clip(largest, params.activation_min, params.activation_max), params.dtype.numpy)


_CONSTRAINTS = (
    checks.arity(1, 1),
    checks.options("padding", "stride_h", "stride_w", "filter_height", "filter_width", "fused_activation_function"),
    checks.computed_input,
    types_match,
    checks.same_quantization,
    checks.images,
    checks.known_activation,
    channels_match,
    window_matches,
    windows_not_empty,
    sum_fits,
)

SPECS = (
    OperatorSpec("average_pool_2d", _CONSTRAINTS, parse, reference_average),
    OperatorSpec("max_pool_2d", _CONSTRAINTS, parse, reference_max),
)

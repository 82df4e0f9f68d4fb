"""What a finished .tflite is worth: its answers as TensorFlow Lite Micro computes them, and its share of zeros."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Graph, Tensor
from tinyedge.ops import parse_graph
from tinyedge.ops.reference import run_graph
from tinyedge.optimize import settle_graph

Array = npt.NDArray[Any]

WEIGHTED = ("conv_2d", "depthwise_conv_2d", "fully_connected", "transpose_conv")
"""operators with a kernel, as their second input"""


def check_types(graph: Graph, activations: str = "int8") -> None:
    """Raises: ModelError when an input or output is not of this type, or int32 as tokens are."""
    for tensor in (*graph.input_tensors(), *graph.output_tensors()):
        tokens = tensor.dtype is DType.INT32 and tensor in graph.input_tensors()
        if not tokens and (tensor.dtype.value != activations or tensor.quantization is None):
            raise ModelError(
                f"`{tensor.name}` came out of the conversion as {tensor.dtype.value}, not {activations}",
                hint="end and begin the model with layers that compute something",
            )


def quantize_inputs(inputs: Sequence[Array], graph: Graph) -> tuple[Array, ...]:
    """Real values as the device gets them, for each input of the graph; tokens as they are.

    Shape:  inputs float32 [N, ...] -> int8 or int16 [N, *tensor.shape], the batch of 1 included
    """
    return tuple(
        _quantized(array, tensor).reshape(len(array), *tensor.shape)
        for array, tensor in zip(inputs, graph.input_tensors(), strict=True)
    )


def _quantized(inputs: Array, tensor: Tensor) -> Array:
    if tensor.dtype is DType.INT32:
        return inputs.astype(np.int32)
    steps = np.round(inputs.astype(np.float64) / tensor.scale) + tensor.zero_point
    limits = np.iinfo(tensor.dtype.numpy)
    return np.clip(steps, limits.min, limits.max).astype(limits.dtype)


def real_values(samples: Array, tensor: Tensor) -> Array:
    """What quantized samples stand for: float32 of the same shape; tokens as they are."""
    if tensor.dtype is DType.INT32:
        return samples
    return ((samples.astype(np.float32) - tensor.zero_point) * np.float32(tensor.scale)).astype(np.float32)


def run_int8(graph: Graph, samples: Sequence[Array], report: Callable[[int, int], None]) -> list[Array]:
    """The model's answers as real values, for each output.

    Shape:  samples [N, *input shape] -> float32 [N, *output shape]
    """
    graph = settle_graph(graph)
    layers = parse_graph(graph)
    total = len(samples[0])
    rows: list[list[Array]] = [[] for _ in graph.outputs]
    for done in range(total):
        values = run_graph(graph, [array[done] for array in samples], layers)
        for row, output in zip(rows, graph.output_tensors(), strict=True):
            row.append(values[output.index])
        report(done + 1, total)
    return [
        ((np.stack(row).astype(np.float32) - output.zero_point) * output.scale).astype(np.float32)
        for row, output in zip(rows, graph.output_tensors(), strict=True)
    ]


def _kernels(graph: Graph) -> Iterator[Tensor]:
    for operator in graph.operators:
        if operator.name in WEIGHTED:
            yield graph.tensor(operator.inputs[1])
        for inner in operator.subgraphs:
            yield from _kernels(inner)


def sparsity(graph: Graph) -> float:
    """Share of the kernels' weights that are zero in real terms, those in branches too; biases do not count."""
    zeros = total = 0
    for kernel in _kernels(graph):
        if kernel.data is not None:
            # Kernels are quantized symmetrically: all zero points are equal.
            zero_point = kernel.quantization.zero_point[0] if kernel.quantization else 0
            zeros += int(np.count_nonzero(kernel.data == zero_point))
            total += kernel.elements
    return zeros / total if total else 0.0

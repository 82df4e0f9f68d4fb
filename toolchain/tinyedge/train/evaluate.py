"""What a finished .tflite is worth: its answers as TensorFlow Lite Micro computes them, and its share of zeros."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Graph, Tensor
from tinyedge.ops import parse_graph
from tinyedge.ops.reference import run_graph

Array = npt.NDArray[Any]

WEIGHTED = ("conv_2d", "depthwise_conv_2d", "fully_connected", "transpose_conv")
"""operators with a kernel, as their second input"""


def only_input_and_output(graph: Graph) -> tuple[Tensor, Tensor]:
    """The int8 input and output tensor. Raises: ModelError when there are several, or they are not int8."""
    inputs, outputs = graph.input_tensors(), graph.output_tensors()
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(
            f"the model has {len(inputs)} inputs and {len(outputs)} outputs; a recipe's model has one of each",
            hint="convert it yourself, and give tinyedge the .tflite",
        )
    for tensor in (*inputs, *outputs):
        if tensor.dtype is not DType.INT8 or tensor.quantization is None:
            raise ModelError(f"`{tensor.name}` came out of the conversion as {tensor.dtype.value}, not int8")
    return inputs[0], outputs[0]


def quantize_inputs(inputs: Array, tensor: Tensor) -> Array:
    """Real values as the device gets them.

    Shape:  inputs float32 [N, ...] -> int8 [N, *tensor.shape], the batch of 1 included
    """
    steps = np.round(inputs.astype(np.float64) / tensor.scale) + tensor.zero_point
    return np.clip(steps, -128, 127).astype(np.int8).reshape(len(inputs), *tensor.shape)


def run_int8(graph: Graph, samples: Array, report: Callable[[int, int], None]) -> Array:
    """The model's answers as real values.

    Shape:  samples int8 [N, *input shape] -> float32 [N, *output shape]
    """
    _, output = only_input_and_output(graph)
    layers = parse_graph(graph)
    rows = []
    for done, sample in enumerate(samples, 1):
        rows.append(run_graph(graph, [sample], layers)[output.index])
        report(done, len(samples))
    return ((np.stack(rows).astype(np.float32) - output.zero_point) * output.scale).astype(np.float32)


def sparsity(graph: Graph) -> float:
    """Share of the kernels' weights that are zero in real terms; biases do not count."""
    zeros = total = 0
    for operator in graph.operators:
        if operator.name not in WEIGHTED:
            continue
        kernel = graph.tensor(operator.inputs[1])
        if kernel.data is not None:
            # Kernels are quantized symmetrically: all zero points are equal.
            zero_point = kernel.quantization.zero_point[0] if kernel.quantization else 0
            zeros += int(np.count_nonzero(kernel.data == zero_point))
            total += kernel.elements
    return zeros / total if total else 0.0

"""Real values and what stands for them on the device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyedge.graph.ir import Array, DType, Graph, Tensor, integer_range


def device_inputs(inputs: Sequence[Array], graph: Graph) -> tuple[Array, ...]:
    """Real values as the device gets them, for each input of a graph; whole numbers that are not scaled as they are.

    Shape:  inputs [N, ...] -> [N, *tensor.shape] of the tensor's type, the batch of 1 included
    """
    return tuple(
        stored_values(array, tensor).reshape(len(array), *tensor.shape)
        for array, tensor in zip(inputs, graph.input_tensors(), strict=True)
    )


def stored_values(values: Array, tensor: Tensor) -> Array:
    """What stands for real values in a tensor.

    >>> from tinyedge.graph.ir import Quantization
    >>> stored_values(np.array([0.5, 99.0]), Tensor(0, "x", (1, 2), DType.INT8, Quantization((0.25,), (3,)))).tolist()
    [5, 127]
    """
    if tensor.quantization is None or tensor.dtype in (DType.FLOAT32, DType.INT32, DType.INT64, DType.BOOL):
        return values.astype(tensor.dtype.numpy)
    low, high = integer_range(tensor.dtype)
    steps = np.round(values.astype(np.float64) / tensor.scale) + tensor.zero_point
    return np.asarray(np.clip(steps, low, high).astype(tensor.dtype.numpy))


def real_values(values: Array, tensor: Tensor) -> Array:
    """What the values of a tensor stand for."""
    if tensor.quantization is None or tensor.quantization.per_channel:
        return values.astype(np.float32)
    return ((values.astype(np.float32) - tensor.zero_point) * tensor.scale).astype(np.float32)

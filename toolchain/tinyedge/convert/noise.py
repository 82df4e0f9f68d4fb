"""Which layer loses precision: the values of each in the float model and in the quantized one."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinyedge.artifacts.conversion import LayerNoise
from tinyedge.convert.interpret import Interpreter, named_tensors
from tinyedge.convert.values import device_inputs, real_values
from tinyedge.graph.ir import Array, DType
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.reference import run_graph
from tinyedge.optimize import settle_graph

SAMPLES = 16
"""that are looked at"""


def layer_noise(floats: bytes, quantized: bytes, inputs: Sequence[Array]) -> tuple[LayerNoise, ...]:
    """The layers of the quantized model in their order; a layer that the float model does not have is left out.

    Shape:  inputs [N, ...] in real terms, for each input
    """
    graph = settle_graph(read_model(quantized, "model"))
    names = named_tensors(floats)
    layers = parse_graph(graph)
    compared = [(layer, tensor) for layer in layers for tensor in layer.outputs if tensor.name in names]
    signal = {tensor.index: 0.0 for _, tensor in compared}
    error = dict(signal)
    interpreter = Interpreter(floats)
    interpreter.fix_batch()
    feeds = device_inputs(inputs, graph)
    for sample in range(len(inputs[0])):
        interpreter.run([array[sample] for array in inputs])
        values = run_graph(graph, [array[sample] for array in feeds], layers)
        for _, tensor in compared:
            wanted = interpreter.value(names[tensor.name]).astype(np.float64).ravel()
            found = real_values(values[tensor.index], tensor).astype(np.float64).ravel()
            if wanted.shape == found.shape:
                signal[tensor.index] += float(np.sum(wanted**2))
                error[tensor.index] += float(np.sum((wanted - found) ** 2))
    return tuple(
        LayerNoise(
            tensor.name,
            layer.name,
            tensor.shape,
            tensor.dtype.value,
            _decibel(signal[tensor.index], error[tensor.index]),
        )
        for layer, tensor in compared
        if tensor.dtype is not DType.BOOL
    )


def _decibel(signal: float, error: float) -> float | None:
    if signal == 0 or error == 0:
        return None
    return round(10 * math.log10(signal / error), 2)

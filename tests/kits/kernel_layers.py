"""Layers for kernel tests: random shapes and quantization corners, made by hand rather than read from a model.

The files of tests/ops hold a maker for each operator. It draws what it is not given, so a test of a special kernel
fixes what that kernel needs:

    conv_2d_layer(rng, kernel=(1, 1), stride=(1, 1), input_channels=64, output_channels=64)

With `corners=False` quantization is as in a healthy layer: no zero weights, no saturation by design, no clamps. Then an
input byte that changes shows in the output.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kits.draft import Draft, Entry
from tinyedge.arithmetic.window import Window
from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Operator, Quantization, Tensor
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.contract import Layer
from tinyedge.optimize import settle_graph

Array = npt.NDArray[Any]
Rng = np.random.Generator
Pair = tuple[int, int]
Maker = Callable[[Rng], Layer]

INT31 = (1 << 31) - 1
ZERO_POINTS = (-128, 127, 0, -1, 5)
_ATTEMPTS = 200
MULTIPLIERS = (1 << 30, INT31, (1 << 30) + 1, 1518500250)


@dataclass(frozen=True)
class KernelCases:
    """Layers for the tests of one kernel, beside random ones of its operators.

    layers     makes layers that the kernel runs, where those of its operators seldom are
    corners    shapes of real models, and corners that random ones seldom meet
    sensitive  makes layers in which a byte that is overwritten too early shows in the output
    """

    layers: Maker | None = None
    corners: Callable[[Rng], list[Layer]] | None = None
    sensitive: Maker | None = None


def make_layer(
    name: str,
    params: Any,
    inputs: Sequence[tuple[Sequence[int], DType]],
    outputs: Sequence[tuple[Sequence[int], DType]],
    macs: int = 0,
) -> Layer:
    """A layer of tensors with these shapes and types, keys counted from 0."""

    def tensor(index: int, shape: Sequence[int], dtype: DType) -> Tensor:
        quantization = None if dtype is DType.FLOAT32 else Quantization((0.1,), (0,))
        return Tensor(index, f"t{index}", tuple(shape), dtype, quantization)

    tensors = [tensor(index, shape, dtype) for index, (shape, dtype) in enumerate((*inputs, *outputs))]
    ins, outs = tuple(tensors[: len(inputs)]), tuple(tensors[len(inputs) :])
    operator = Operator(0, name, tuple(t.index for t in ins), tuple(t.index for t in outs))
    return Layer(operator, params, ins, outs, macs)


def random_inputs(rng: Rng, layer: Layer) -> tuple[Array, ...]:
    """Values for the layer's inputs: over the whole range of their types, some of them at its ends only."""
    arrays = []
    for tensor in layer.inputs:
        if tensor.dtype is DType.BOOL:
            array = rng.random(tensor.elements) < 0.5
        elif tensor.dtype is DType.FLOAT32:
            array = (rng.standard_normal(tensor.elements) * 10.0 ** rng.integers(-3, 4)).astype(np.float32)
        else:
            info = np.iinfo(tensor.dtype.numpy)
            array = rng.integers(info.min, info.max, tensor.elements, tensor.dtype.numpy, endpoint=True)
            if rng.random() < 0.2:
                array = rng.choice(np.array([info.min, info.max], tensor.dtype.numpy), tensor.elements)
        arrays.append(array.reshape(tensor.shape))
    return tuple(arrays)


# -- drawing ---------------------------------------------------------------------------------------------------------


def any_zero_point(rng: Rng, corners: bool = True) -> int:
    if not corners:
        return int(rng.integers(-9, 10))
    return int(rng.choice(ZERO_POINTS)) if rng.random() < 0.7 else int(rng.integers(-128, 128))


def clamp(rng: Rng, output_zero_point: int, corners: bool = True) -> Pair:
    """No clamp, a fused ReLU, or any two limits."""
    kind = rng.integers(4)
    if kind < 2 or not corners:
        return -128, 127
    if kind == 2:
        return output_zero_point, 127
    low, high = sorted(int(v) for v in rng.integers(-128, 128, 2))
    return low, high


def scales(rng: Rng, channels: int, magnitude: float, corners: bool = True) -> tuple[Array, Array]:
    """Multipliers and shifts that bring sums of about `magnitude` to a byte, with corners among them."""
    multiplier = rng.integers(1 << 30, INT31, channels, np.int64, endpoint=True)
    shift = np.full(channels, int(np.round(6 - np.log2(max(magnitude, 1.0)))))
    if not corners:
        return multiplier.astype(np.int32), np.clip(shift, -31, 30).astype(np.int32)
    shift += rng.integers(-1, 3, channels)
    for corner in rng.integers(0, channels, max(1, channels // 4)):
        multiplier[corner] = rng.choice(MULTIPLIERS)
        if rng.random() < 0.3:
            shift[corner] = rng.choice([-31, -30, -1, 0, 1, 7, 30])
        if rng.random() < 0.1:
            multiplier[corner] = shift[corner] = 0
    return multiplier.astype(np.int32), np.clip(shift, -31, 30).astype(np.int32)


@dataclass(frozen=True)
class Filters:
    """Weights with what belongs to them, one filter a row: [channels, taps]."""

    weights: Array
    bias: Array
    multiplier: Array
    shift: Array


def filters(rng: Rng, channels: int, taps: int, corners: bool) -> Filters:
    if not corners:
        weights = (rng.integers(32, 128, (channels, taps)) * rng.choice([-1, 1], (channels, taps))).astype(np.int8)
        multiplier, shift = scales(rng, channels, 80.0 * 80.0 * float(np.sqrt(taps)), corners)
        return Filters(weights, rng.integers(-200, 200, channels).astype(np.int32), multiplier, shift)
    weights = rng.integers(-128, 128, (channels, taps), np.int8)
    if rng.random() < 0.2:
        weights[:] = rng.choice(np.array([-128, 127], np.int8), weights.shape)
    if rng.random() < 0.2:
        weights[rng.random(weights.shape) < 0.75] = 0
    room = INT31 - 255 * np.abs(weights.astype(np.int64)).sum(axis=1)
    bias = rng.integers(-20000, 20000, channels)
    if rng.random() < 0.2:
        bias = rng.choice([-1, 1], channels) * room
    magnitude = 80.0 * 74.0 * np.sqrt(taps) if abs(bias).max() < 1 << 20 else 2.0**31
    multiplier, shift = scales(rng, channels, float(magnitude))
    return Filters(weights, bias.astype(np.int32), multiplier, shift)


def window(
    rng: Rng,
    size: Pair | None = None,
    kernel: Pair | None = None,
    stride: Pair | None = None,
    dilation: Pair | None = None,
    padding: Pair | str | None = None,
) -> Window:
    """A window; `padding` is `same`, `valid`, or (top, left) with as much below and to the right."""
    size = size or (int(rng.integers(1, 10)), int(rng.integers(1, 10)))
    kernel = kernel or (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    stride = stride or (int(rng.choice([1, 1, 2, 3])), int(rng.choice([1, 1, 2, 3])))
    dilation = dilation or (int(rng.choice([1, 1, 1, 2])), int(rng.choice([1, 1, 1, 3])))
    if padding is None:
        padding = str(rng.choice(["same", "same", "valid"])) if rng.random() < 0.8 else (1, 2)
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if padding != "same":
        extra = (0, 0) if padding == "valid" else (2 * int(padding[0]), 2 * int(padding[1]))
        size = (max(size[0], reach[0] - extra[0], 1), max(size[1], reach[1] - extra[1], 1))
        output = [(n + e - r) // s + 1 for n, e, r, s in zip(size, extra, reach, stride, strict=True)]
        pads = [e // 2 for e in extra]
    else:
        output = [-(-n // s) for n, s in zip(size, stride, strict=True)]
        pads = [max((o - 1) * s + r - n, 0) // 2 for o, s, r, n in zip(output, stride, reach, size, strict=True)]
    return Window(*size, *output, *kernel, *stride, *dilation, *pads)


def image_layer(name: str, params: Any, w: Window, inputs: int, outputs: int, macs: int) -> Layer:
    source = ((1, w.input_h, w.input_w, inputs), DType.INT8)
    target = ((1, w.output_h, w.output_w, outputs), DType.INT8)
    return make_layer(name, params, [source], [target], macs)


def right_shifting(layer: Layer) -> Layer:
    """The layer as short requantization takes it: all scales to the right, biases that keep sums below 2**30."""
    p = layer.params
    fixed = dataclasses.replace(
        p,
        shift=np.where(p.multiplier == 0, p.shift, np.minimum(p.shift, -1)).astype(np.int32),
        bias=np.clip(p.bias, -(1 << 29), 1 << 29).astype(np.int32),
    )
    return dataclasses.replace(layer, params=fixed)


# -- from models -----------------------------------------------------------------------------------------------------


def parsed(model: Callable[[Rng], bytes], name: str = "") -> Callable[[Rng], Layer]:
    """A maker of the layer that a random model holds, drawn anew while the operator's rules refuse it, or it becomes a
    table.

    name  of the operator, where the model holds others to feed it
    """

    def make(rng: Rng) -> Layer:
        for _ in range(_ATTEMPTS):
            try:
                layers = parse_graph(settle_graph(read_model(model(rng), "random")))
            except ModelError:
                continue
            found = next((layer for layer in layers if name in ("", layer.name)), None)
            if found is not None:
                return found
        raise AssertionError(f"refused {_ATTEMPTS} times: {name or 'random models'}")

    return make


def drafted(entry: Entry, name: str) -> Maker:
    """A maker of the layer that a random graph around one node holds."""

    def model(rng: Rng) -> bytes:
        draft = Draft(rng)
        entry(draft)
        return draft.finish()

    return parsed(model, name)

"""Layers for kernel tests: random shapes and quantization corners, made by hand rather than read from a model.

Each maker draws what it is not given, so a test of a special kernel fixes what that kernel needs:

    conv_2d_layer(rng, kernel=(1, 1), stride=(1, 1), input_channels=64, output_channels=64)

With `corners=False` quantization is as in a healthy layer: no zero weights, no saturation by design, no clamps. Then an
input byte that changes shows in the output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kits import random_layers, random_movement, state_models, weighted_models
from kits.draft import Draft
from kits.movement_layers import any_movement
from kits.operator_models import MODELS
from tinyedge.arithmetic.window import Window
from tinyedge.errors import ModelError
from tinyedge.graph.ir import DType, Operator, Quantization, Tensor
from tinyedge.graph.reader import read_model
from tinyedge.ops import parse_graph
from tinyedge.ops.add import Add
from tinyedge.ops.contract import Layer
from tinyedge.ops.conv_2d import Conv2D
from tinyedge.ops.depthwise_conv_2d import DepthwiseConv2D
from tinyedge.ops.fully_connected import FullyConnected
from tinyedge.ops.lookup import Lookup
from tinyedge.ops.mean import Mean, fold_count
from tinyedge.ops.pad import Pad
from tinyedge.ops.pool_2d import Pool2D
from tinyedge.ops.requantize import FloatBorder, Requantize
from tinyedge.ops.reshape import Reshape
from tinyedge.ops.softmax import Softmax

Array = npt.NDArray[Any]
Rng = np.random.Generator
Pair = tuple[int, int]

INT31 = (1 << 31) - 1
ZERO_POINTS = (-128, 127, 0, -1, 5)
MULTIPLIERS = (1 << 30, INT31, (1 << 30) + 1, 1518500250)


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


def zero_point(rng: Rng, corners: bool = True) -> int:
    if not corners:
        return int(rng.integers(-9, 10))
    return int(rng.choice(ZERO_POINTS)) if rng.random() < 0.7 else int(rng.integers(-128, 128))


def activation(rng: Rng, output_zero_point: int, corners: bool = True) -> Pair:
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
class _Filters:
    """Weights with what belongs to them, one filter a row: [channels, taps]."""

    weights: Array
    bias: Array
    multiplier: Array
    shift: Array


def _filters(rng: Rng, channels: int, taps: int, corners: bool) -> _Filters:
    if not corners:
        weights = (rng.integers(32, 128, (channels, taps)) * rng.choice([-1, 1], (channels, taps))).astype(np.int8)
        multiplier, shift = scales(rng, channels, 80.0 * 80.0 * float(np.sqrt(taps)), corners)
        return _Filters(weights, rng.integers(-200, 200, channels).astype(np.int32), multiplier, shift)
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
    return _Filters(weights, bias.astype(np.int32), multiplier, shift)


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


# -- one maker per operator ------------------------------------------------------------------------------------------


def conv_2d_layer(
    rng: Rng,
    *,
    input_channels: int | None = None,
    output_channels: int | None = None,
    groups: int | None = None,
    input_zero_point: int | None = None,
    output_zero_point: int | None = None,
    limits: Pair | None = None,
    corners: bool = True,
    **geometry: Any,
) -> Layer:
    """A convolution; `geometry` as for `window`."""
    w = window(rng, **geometry)
    groups = groups or (1 if input_channels or output_channels else int(rng.choice([1, 1, 1, 2, 3])))
    inputs = input_channels or groups * int(rng.integers(1, 9))
    outputs = output_channels or groups * int(rng.integers(1, 9))
    taps = w.kernel_h * w.kernel_w * (inputs // groups)
    f = _filters(rng, outputs, taps, corners)
    zero = zero_point(rng, corners) if output_zero_point is None else output_zero_point
    low, high = limits or activation(rng, zero, corners)
    params = Conv2D(
        window=w,
        input_channels=inputs,
        output_channels=outputs,
        groups=groups,
        input_zero_point=zero_point(rng, corners) if input_zero_point is None else input_zero_point,
        output_zero_point=zero,
        weights=f.weights.reshape(outputs, w.kernel_h, w.kernel_w, inputs // groups),
        weight_bits=8,
        bias=f.bias,
        multiplier=f.multiplier,
        shift=f.shift,
        activation_min=low,
        activation_max=high,
    )
    return _image_layer("conv_2d", params, w, inputs, outputs, w.output_h * w.output_w * outputs * taps)


def depthwise_conv_2d_layer(
    rng: Rng,
    *,
    input_channels: int | None = None,
    depth_multiplier: int | None = None,
    input_zero_point: int | None = None,
    output_zero_point: int | None = None,
    limits: Pair | None = None,
    corners: bool = True,
    **geometry: Any,
) -> Layer:
    """A depthwise convolution; `geometry` as for `window`."""
    w = window(rng, **geometry)
    inputs = input_channels or int(rng.integers(1, 14))
    multiplied = depth_multiplier or int(rng.choice([1, 1, 1, 2, 3]))
    outputs = inputs * multiplied
    taps = w.kernel_h * w.kernel_w
    f = _filters(rng, outputs, taps, corners)
    zero = zero_point(rng, corners) if output_zero_point is None else output_zero_point
    low, high = limits or activation(rng, zero, corners)
    params = DepthwiseConv2D(
        window=w,
        input_channels=inputs,
        output_channels=outputs,
        depth_multiplier=multiplied,
        input_zero_point=zero_point(rng, corners) if input_zero_point is None else input_zero_point,
        output_zero_point=zero,
        weights=np.ascontiguousarray(f.weights.T).reshape(w.kernel_h, w.kernel_w, outputs),
        weight_bits=8,
        bias=f.bias,
        multiplier=f.multiplier,
        shift=f.shift,
        activation_min=low,
        activation_max=high,
    )
    return _image_layer("depthwise_conv_2d", params, w, inputs, outputs, w.output_h * w.output_w * outputs * taps)


def fully_connected_layer(
    rng: Rng,
    *,
    batches: int | None = None,
    inputs: int | None = None,
    outputs: int | None = None,
    weight_zero_point: int | None = None,
    input_zero_point: int | None = None,
    output_zero_point: int | None = None,
    limits: Pair | None = None,
    per_output: bool | None = None,
    corners: bool = True,
) -> Layer:
    """A fully connected layer."""
    batches = batches or int(rng.choice([1, 1, 2, 3]))
    inputs = inputs or int(rng.integers(1, 70))
    outputs = outputs or int(rng.integers(1, 20))
    f = _filters(rng, outputs, inputs, corners)
    if weight_zero_point is None:
        weight_zero_point = 0 if rng.random() < 0.7 else int(rng.integers(-5, 6))
    zero = zero_point(rng, corners) if output_zero_point is None else output_zero_point
    low, high = limits or activation(rng, zero, corners)
    alike = rng.random() < 0.4 if per_output is None else not per_output
    params = FullyConnected(
        batches=batches,
        inputs=inputs,
        outputs=outputs,
        input_zero_point=zero_point(rng, corners) if input_zero_point is None else input_zero_point,
        weight_zero_point=weight_zero_point,
        output_zero_point=zero,
        weights=f.weights,
        weight_bits=8,
        bias=f.bias if weight_zero_point == 0 else rng.integers(-20000, 20000, outputs).astype(np.int32),
        multiplier=np.full_like(f.multiplier, f.multiplier[0]) if alike else f.multiplier,
        shift=np.full_like(f.shift, f.shift[0]) if alike else f.shift,
        activation_min=low,
        activation_max=high,
    )
    shapes = [((batches, inputs), DType.INT8)], [((batches, outputs), DType.INT8)]
    return make_layer("fully_connected", params, *shapes, macs=batches * inputs * outputs)


def pool_2d_layer(
    rng: Rng,
    name: str,
    *,
    channels: int | None = None,
    limits: Pair | None = None,
    corners: bool = True,
    **geometry: Any,
) -> Layer:
    """A pooling layer, `average_pool_2d` or `max_pool_2d`; every window covers a cell."""
    geometry = {"padding": str(rng.choice(["same", "valid"])), **geometry, "dilation": (1, 1)}
    w = window(rng, **geometry)
    channels = channels or int(rng.integers(1, 14))
    low, high = limits or activation(rng, zero_point(rng), corners)
    return _image_layer(name, Pool2D(w, channels, low, high), w, channels, channels, 0)


def add_layer(
    rng: Rng, *, shapes: tuple[tuple[int, ...], tuple[int, ...]] | None = None, constant: bool | None = None
) -> Layer:
    """A sum, often of two tensors alike, sometimes broadcast or with a constant."""
    if shapes is None:
        full = tuple(int(v) for v in rng.integers(1, 6, int(rng.integers(1, 5))))
        shapes = (full, full)
        if rng.random() < 0.5:
            shapes = (_thinned(rng, full), _thinned(rng, full))
    output = np.broadcast_shapes(*shapes)
    is_constant = rng.random() < 0.2 if constant is None else constant
    low, high = activation(rng, 0)
    multipliers = [int(rng.integers(1 << 30, INT31)) for _ in range(3)]
    if rng.random() < 0.3:
        multipliers[int(rng.integers(3))] = int(rng.choice(MULTIPLIERS))
    params = Add(
        shape1=shapes[0],
        shape2=shapes[1],
        output_shape=output,
        constant2=rng.integers(-128, 128, shapes[1], np.int8) if is_constant else None,
        left_shift=20,
        input1_zero_point=zero_point(rng),
        input1_multiplier=multipliers[0],
        input1_shift=-int(rng.choice([0, 0, 1, 5])),
        input2_zero_point=zero_point(rng),
        input2_multiplier=multipliers[1],
        input2_shift=-int(rng.choice([0, 0, 0, 1, 31])),
        output_zero_point=zero_point(rng),
        output_multiplier=multipliers[2],
        output_shift=-int(rng.choice([0, 12, 31]) if rng.random() < 0.1 else rng.integers(19, 22)),
        activation_min=low,
        activation_max=high,
    )
    inputs = [(shape, DType.INT8) for shape in (shapes[:1] if is_constant else shapes)]
    return make_layer("add", params, inputs, [(output, DType.INT8)])


def _thinned(rng: Rng, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Some axes of size 1, sometimes leading ones left out."""
    thin = tuple(1 if rng.random() < 0.3 else size for size in shape)
    return thin[1:] if len(thin) > 1 and rng.random() < 0.3 else thin


def mean_layer(rng: Rng, *, shape: tuple[int, ...] | None = None, axes: tuple[int, ...] | None = None) -> Layer:
    """A mean over some axes."""
    shape = shape or tuple(int(v) for v in rng.integers(1, 8, int(rng.integers(1, 5))))
    if axes is None:
        axes = tuple(axis for axis in range(len(shape)) if rng.random() < 0.5) or (len(shape) - 1,)
    count = int(np.prod([shape[axis] for axis in axes]))
    multiplier, shift = fold_count(int(rng.integers(1 << 30, INT31)), int(rng.integers(-1, 3)), count)
    keep = bool(rng.random() < 0.5)
    output = tuple(1 if axis in axes else size for axis, size in enumerate(shape) if keep or axis not in axes)
    params = Mean(shape, axes, keep, zero_point(rng), zero_point(rng), multiplier, shift)
    return make_layer("mean", params, [(shape, DType.INT8)], [(output, DType.INT8)])


def pad_layer(rng: Rng, *, rank: int | None = None) -> Layer:
    """A border of random widths, on any axis."""
    rank = rank or int(rng.integers(1, 5))
    sizes = tuple(int(v) for v in rng.integers(1, 6, rank))

    def amounts() -> list[int]:
        return [int(v) for v in rng.choice([0, 0, 1, 2, 5], rank)]

    missing = (4 - rank) * (0,)
    before, after = amounts(), amounts()
    params = Pad((4 - rank) * (1,) + sizes, (*missing, *before), (*missing, *after), zero_point(rng))  # type: ignore[arg-type]
    output = tuple(map(sum, zip(sizes, before, after, strict=True)))
    return make_layer("pad", params, [(sizes, DType.INT8)], [(output, DType.INT8)])


def softmax_layer(rng: Rng, *, rows: int | None = None, depth: int | None = None) -> Layer:
    """A softmax with input scales from very fine to so coarse that one value takes all."""
    rows = rows or int(rng.integers(1, 4))
    depth = depth or int(rng.choice([1, 2, 3, 10, 12, 40]))
    multiplier, left_shift = int(rng.integers(1 << 30, INT31)), int(rng.integers(16, 29))
    params = Softmax(rows, depth, multiplier, left_shift, -int(31 * (1 << 26) / (1 << left_shift)))
    shapes = [((rows, depth), DType.INT8)], [((rows, depth), DType.INT8)]
    return make_layer("softmax", params, *shapes)


def lookup_layer(rng: Rng, *, elements: int | None = None) -> Layer:
    """A table of any values."""
    elements = elements or int(rng.integers(1, 300))
    shapes = [((elements,), DType.INT8)], [((elements,), DType.INT8)]
    return make_layer("relu", Lookup(elements, rng.integers(-128, 128, 256, np.int8)), *shapes)


def requantize_layer(rng: Rng, source: DType = DType.INT8, target: DType = DType.INT8) -> Layer:
    """quantize from one integer type to another."""
    elements = int(rng.integers(1, 60))
    input_bits, output_bits = 8 * source.bytes, 8 * target.bytes
    shift = int(np.clip(output_bits - input_bits + rng.integers(-2, 3), -31, 30))
    multiplier = int(rng.choice(MULTIPLIERS)) if rng.random() < 0.3 else int(rng.integers(1 << 30, INT31))
    zeros = [0 if dtype.bytes > 1 else _zero_of(rng, dtype) for dtype in (source, target)]
    params = Requantize(elements, source, target, *zeros, multiplier, shift)
    return make_layer("quantize", params, [((elements,), source)], [((elements,), target)])


def _zero_of(rng: Rng, dtype: DType) -> int:
    return zero_point(rng) + (128 if dtype is DType.UINT8 else 0)


def float_border_layer(rng: Rng, source: DType, target: DType) -> Layer:
    """quantize from, or dequantize to float32."""
    integer = target if source is DType.FLOAT32 else source
    elements = int(rng.integers(1, 60))
    scale = float(np.float32(10.0 ** rng.uniform(-4, 0)))
    zero = 0 if integer is DType.INT16 else _zero_of(rng, integer)
    name = "quantize" if source is DType.FLOAT32 else "dequantize"
    params = FloatBorder(elements, source, target, scale, zero)
    return make_layer(name, params, [((elements,), source)], [((elements,), target)])


def reshape_layer(rng: Rng) -> Layer:
    elements = int(rng.integers(1, 100))
    shapes = [((elements, 2), DType.INT8)], [((2, elements), DType.INT8)]
    return make_layer("reshape", Reshape(2 * elements), *shapes)


def _image_layer(name: str, params: Any, w: Window, inputs: int, outputs: int, macs: int) -> Layer:
    source = ((1, w.input_h, w.input_w, inputs), DType.INT8)
    target = ((1, w.output_h, w.output_w, outputs), DType.INT8)
    return make_layer(name, params, [source], [target], macs)


def parsed(model: Callable[[Rng], bytes], name: str = "") -> Callable[[Rng], Layer]:
    """A maker of the layer that a random model holds, drawn anew while the operator's rules refuse it.

    name  of the operator, where the model holds others to feed it
    """

    def make(rng: Rng) -> Layer:
        while True:
            try:
                layers = parse_graph(read_model(model(rng), "random"))
            except ModelError:
                continue
            return next(layer for layer in layers if name in ("", layer.name))

    return make


def drafted(name: str) -> Callable[[Rng], bytes]:
    """A random model around one operator."""

    def model(rng: Rng) -> bytes:
        draft = Draft(rng)
        (random_layers.ENTRIES.get(name) or random_movement.ENTRIES[name])(draft)
        return draft.finish()

    return model


DRAFTED = ("batch_matmul", "gather", "gather_nd", "resize_bilinear", "resize_nearest_neighbor", "transpose_conv")


MAKERS: dict[str, Callable[[Rng], Layer]] = {
    "add": add_layer,
    "average_pool_2d": lambda rng: pool_2d_layer(rng, "average_pool_2d"),
    "concatenation": any_movement,
    "conv_2d": conv_2d_layer,
    "depthwise_conv_2d": depthwise_conv_2d_layer,
    "fully_connected": fully_connected_layer,
    "max_pool_2d": lambda rng: pool_2d_layer(rng, "max_pool_2d"),
    "mean": mean_layer,
    "pad": pad_layer,
    "quantize": requantize_layer,
    "relu": lookup_layer,
    "reshape": reshape_layer,
    "softmax": softmax_layer,
    **{name: parsed(model) for name, model in MODELS.items()},
    **{name: parsed(model) for name, model in state_models.MODELS.items()},
    **{name: parsed(model) for name, model in weighted_models.MODELS.items()},
    **{name: parsed(drafted(name), name) for name in DRAFTED},
}
"""random layers by operator"""

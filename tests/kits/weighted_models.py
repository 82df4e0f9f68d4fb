"""Random models of one operator with weights: int16 activations, or weights of int4; see `operator_models`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kits.tflite_builder import TfliteBuilder

Rng = np.random.Generator
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Kind:
    """Types of what a layer computes with."""

    activations: str
    weights: str

    @property
    def bias(self) -> str:
        return "int64" if self.activations == "int16" else "int32"

    def zero_point(self, rng: Rng) -> int:
        if self.activations == "int16":
            return 0
        return int(rng.choice([-128, 127, 0])) if rng.random() < 0.5 else int(rng.integers(-128, 128))


S16 = Kind("int16", "int8")
S4 = Kind("int8", "int4")


def _weights(rng: Rng, kind: Kind, shape: Shape) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Values over the whole range of the type, sometimes its ends only."""
    low, high = (-8, 7) if kind.weights == "int4" else (-128, 127)
    if rng.random() < 0.2:
        return rng.choice(np.array([low, high], np.int8), shape)
    return rng.integers(low, high, shape, np.int8, endpoint=True)


def weighted_model(
    rng: Rng,
    kind: Kind,
    name: str,
    input_shape: Shape,
    weights_shape: Shape,
    output_shape: Shape,
    *,
    axis: int,
    per_channel: bool,
    bias: str | None = None,
    spread: float | None = None,
    **options: Any,
) -> bytes:
    """An operator whose output is about as wide as its type, or `spread` times less so.

    bias  its type; `none` for no bias; drawn if not given
    """
    channels = weights_shape[axis]
    taps = int(np.prod(weights_shape)) // channels
    scales = rng.uniform(0.001, 0.02, channels if per_channel else 1)
    input_scale = float(np.float32(2.0 ** rng.uniform(-12, 1)))
    deviation = np.sqrt(taps) * (5.0 if kind.weights == "int4" else 74.0)
    ends = 3.0 if kind.activations == "int16" else 1.0
    spread = float(rng.choice([0.01, 0.3, 1.0, 1.0, 30.0])) if spread is None else spread
    output_scale = float(np.float32(input_scale * 0.01 * deviation * spread / ends))
    builder = TfliteBuilder()
    x = builder.tensor(input_shape, kind.activations, scale=input_scale, zero_point=kind.zero_point(rng))
    data = _weights(rng, kind, weights_shape)
    operands = [x, builder.tensor(weights_shape, kind.weights, scale=scales, axis=axis, data=data)]
    bias = str(rng.choice([kind.bias, kind.bias, kind.bias, "none"])) if bias is None else bias
    if bias != "none":
        reach = int(deviation * (9000 if kind.activations == "int16" else 40)) + 1
        values = rng.integers(-reach, reach, channels).astype(bias)
        operands.append(builder.tensor((channels,), bias, scale=input_scale * scales, data=values))
    y = builder.tensor(output_shape, kind.activations, scale=output_scale, zero_point=kind.zero_point(rng))
    fused = str(rng.choice(["none", "none", "relu", "relu_n1_to_1", "relu6"]))
    builder.operator(name, operands, [y], fused_activation_function=fused, **options)
    return builder.build([x], [y])


def geometry(rng: Rng) -> tuple[list[int], list[int], list[int], dict[str, Any]]:
    """Size, kernel, output size, and the options that say so."""
    size, kernel, stride = ([int(v) for v in rng.integers(1, most, 2)] for most in (9, 5, 4))
    dilation = [int(v) for v in rng.choice([1, 1, 2, 3], 2)]
    padding = str(rng.choice(["same", "valid"]))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
    if padding == "valid":
        size = [max(n, r) for n, r in zip(size, reach, strict=True)]
        output = [(n - r) // s + 1 for n, r, s in zip(size, reach, stride, strict=True)]
    else:
        output = [-(-n // s) for n, s in zip(size, stride, strict=True)]
    options = {
        "padding": padding,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "dilation_h_factor": dilation[0],
        "dilation_w_factor": dilation[1],
    }
    return size, kernel, output, options


def both_kinds(name: str, make: Callable[[Rng, Kind], bytes]) -> dict[str, Callable[[Rng], bytes]]:
    """Random models of an operator: `_s16` with int16 activations, `_s4` with int8 activations and weights of int4."""
    return {f"{name}_s16": lambda rng: make(rng, S16), f"{name}_s4": lambda rng: make(rng, S4)}

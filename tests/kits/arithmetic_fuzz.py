"""The arithmetic of every operator against TensorFlow Lite Micro's interpreter, over extreme quantizations.

Run as a program (`PYTHONPATH=tests python -m kits.arithmetic_fuzz [ELEMENTS]`) it prints, for each operator and type,
how many elements of outputs were tried and how many were wrong.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kits.operator_models import Elementwise, Operand, elementwise_model, one_to_one
from kits.tflite_builder import TfliteBuilder
from kits.tflm import Array, interpret, random_inputs
from ops.lstm import lstm
from ops.normalizations import l2_normalization_model
from ops.pool_2d import pooling
from ops.svdf import svdf
from tinyedge.artifacts.input_ranges import InputRange, ranged_inputs
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import OPERATORS, parse_graph
from tinyedge.ops.reference import run_graph
from tinyedge.optimize import settle_islands

Rng = np.random.Generator
Maker = Callable[[Rng], bytes]
WIDTH = 512
"""elements of a row: few models say much"""
ENOUGH = 200_000
_MOST_ATTEMPTS = 40
_UNITS = {
    "logistic": (2.0**-8, -128),
    "log_softmax": (0.0625, 127),
    "softmax": (2.0**-8, -128),
    "tanh": (2.0**-7, 0),
}
"""scale and zero point of outputs of int8 that are always the same"""


@dataclass(frozen=True)
class Tally:
    """Elements of outputs that were compared."""

    operator: str
    dtype: str
    tried: int
    wrong: int


def extreme_scale(rng: Rng) -> float:
    """Any power and mantissa, seldom very far from 1."""
    reach = 24 if rng.random() < 0.2 else 8
    return float(np.float32(2.0 ** rng.uniform(-reach, 2)))


def extreme_zero(rng: Rng, dtype: str) -> int:
    if dtype == "int16":
        return 0
    return int(rng.choice([-128, 127, 0])) if rng.random() < 0.4 else int(rng.integers(-128, 128))


def _near(rng: Rng, scale: float) -> float:
    """A scale with which results neither vanish nor saturate, mostly."""
    return float(np.float32(scale * 2.0 ** rng.normal(0, 1.5)))


def _activation(rng: Rng) -> str:
    return str(rng.choice(["none", "none", "relu", "relu6", "relu_n1_to_1"]))


def _pairs(name: str, dtype: str, rng: Rng) -> bytes:
    """An operator of two operands, one of them broadcast."""
    first, second = extreme_scale(rng), extreme_scale(rng)
    if rng.random() < 0.7:
        second = _near(rng, first)
    target = {"mul": first * second, "prelu": first, "squared_difference": max(first, second) ** 2}.get(
        name, max(first, second)
    )
    steps = 128 if dtype == "int8" else 32768
    grown = target * steps if name in ("mul", "squared_difference") else target
    slopes = "int8" if name == "prelu" else dtype
    options = {"fused_activation_function": _activation(rng)} if name in ("add", "mul", "sub") else {}
    operands = Operand(dtype, first, extreme_zero(rng, dtype)), Operand(slopes, second, extreme_zero(rng, slopes))
    op = Elementwise(name, operands, Operand(dtype, _near(rng, grown), extreme_zero(rng, dtype)), options)
    shapes = ((1, WIDTH), (1, WIDTH)) if rng.random() < 0.7 else ((8, 1), (1, WIDTH // 8))
    return elementwise_model(rng, op, shapes=shapes, constants=0)


def _single(name: str, source: str, target: str, rng: Rng) -> bytes:
    """A function of one value."""
    first = extreme_scale(rng)
    output = Operand(target, _near(rng, first), extreme_zero(rng, target))
    zero = extreme_zero(rng, source)
    if name in ("logistic", "tanh", "softmax", "log_softmax"):
        output = Operand(target, *(_UNITS[name] if target == "int8" else (2.0**-15, 0)))
        if source != target:
            output = Operand(target, 2.0**-16, -32768)
    if name == "rsqrt":
        first, zero = float(np.float32(2.0 ** rng.uniform(-10, 2))), -128
        output = Operand(target, float(np.float32(2.0 ** rng.uniform(-9, -3))), extreme_zero(rng, target))
    if name == "relu6":
        output = Operand(target, first, zero)
    options: dict[str, Any] = {"leaky_relu": {"alpha": float(rng.normal())}, "softmax": {"beta": 1.0}}.get(name, {})
    shape = (WIDTH // 16, 16) if name in ("softmax", "log_softmax") else (1, WIDTH)
    return one_to_one(rng, name, shape, Operand(source, first, zero), output, **options)


def _weighted(name: str, dtype: str, rng: Rng) -> bytes:
    """A layer with weights: convolutions of one pixel and more, or a fully connected layer."""
    wide = dtype == "int16"
    channels, depth = 16, int(rng.integers(1, 9))
    builder = TfliteBuilder()
    first, base = extreme_scale(rng), extreme_scale(rng)
    scales = [_near(rng, base) for _ in range(channels)]
    size = (1, 4, 8)
    count = channels if name == "depthwise_conv_2d" else depth
    source = builder.tensor((1, 32, depth) if name == "fully_connected" else (*size[:1], *size[1:], count), dtype,
                            scale=first, zero_point=extreme_zero(rng, dtype))  # fmt: skip
    shape, axis = {
        "conv_2d": ((channels, 1, 1, depth), 0),
        "depthwise_conv_2d": ((1, 2, 2, channels), 3),
        "fully_connected": ((channels, depth), 0),
        "transpose_conv": ((channels, 1, 1, depth), 0),
    }[name]
    data = rng.integers(-127, 128, shape).astype(np.int8)
    weights = builder.tensor(shape, scale=scales, axis=axis, data=data)
    magnitude = 74 * (256 if wide else 1) * 74 * np.sqrt(depth)
    bias = rng.normal(0, magnitude, channels).astype("int64" if wide else "int32")
    keys = [source, weights, builder.tensor((channels,), bias.dtype.name, scale=[first * s for s in scales], data=bias)]
    output = (1, 32, channels) if name == "fully_connected" else (*size, channels)
    grown = _near(rng, first * base * magnitude / (16384 if wide else 64))
    target = builder.tensor(output, dtype, scale=grown, zero_point=extreme_zero(rng, dtype))
    options: dict[str, Any] = {"fused_activation_function": _activation(rng)}
    if name != "fully_connected":
        options |= {"padding": "same", "stride_h": 1, "stride_w": 1}
    if name == "depthwise_conv_2d":
        options["depth_multiplier"] = 1
    if name == "transpose_conv":
        keys = [builder.tensor((4,), "int32", data=np.array(output, np.int32)), weights, source, keys[2]]
    if name == "fully_connected":
        options["keep_num_dims"] = True
    builder.operator(name, keys, [target], **options)
    return builder.build([source], [target])


def _reduced(name: str, dtype: str, rng: Rng) -> bytes:
    """A mean or sum over rows, or an average over windows."""
    builder = TfliteBuilder()
    first = extreme_scale(rng)
    rows = int(rng.integers(1, 40))
    zero = extreme_zero(rng, dtype)
    source = builder.tensor((1, rows, 1, WIDTH), dtype, scale=first, zero_point=zero)
    grown = first * np.sqrt(rows) if name == "sum" else first / np.sqrt(rows)
    target = builder.tensor((1, 1, 1, WIDTH), dtype, scale=_near(rng, grown), zero_point=extreme_zero(rng, dtype))
    axes = builder.tensor((2,), "int32", data=np.array([1, 2], np.int32))
    builder.operator(name, [source, axes], [target], keep_dims=True)
    return builder.build([source], [target])


def _product(dtype: str, rng: Rng) -> bytes:
    builder = TfliteBuilder()
    first, second = extreme_scale(rng), extreme_scale(rng)
    depth = int(rng.integers(1, 12))
    left = builder.tensor((16, depth), dtype, scale=first, zero_point=extreme_zero(rng, dtype))
    right = builder.tensor((depth, 32), dtype, scale=second, zero_point=extreme_zero(rng, dtype))
    steps = 74 * (256 if dtype == "int16" else 1)
    grown = _near(rng, first * second * steps * np.sqrt(depth))
    target = builder.tensor((16, 32), dtype, scale=grown, zero_point=extreme_zero(rng, dtype))
    builder.operator("batch_matmul", [left, right], [target], adj_x=False, adj_y=False)
    return builder.build([left, right], [target])


def _between(source: str, target: str, rng: Rng) -> bytes:
    """quantize and dequantize."""
    name = "dequantize" if target == "float32" else "quantize"
    builder = TfliteBuilder()
    first = extreme_scale(rng)

    def tensor(dtype: str, scale: float) -> int:
        given = {} if dtype == "float32" else {"scale": scale, "zero_point": extreme_zero(rng, dtype)}
        return builder.tensor((1, WIDTH), dtype, **given)

    keys = tensor(source, first), tensor(target, _near(rng, first))
    builder.operator(name, [keys[0]], [keys[1]])
    return builder.build([keys[0]], [keys[1]])


def _makers() -> Iterator[tuple[str, str, Maker]]:
    both = ("int8", "int16")
    for name in ("add", "mul", "prelu", "squared_difference", "sub"):
        yield from ((name, dtype, lambda rng, n=name, d=dtype: _pairs(n, d, rng)) for dtype in both)
    for name in ("abs", "leaky_relu", "logistic", "relu", "relu6", "softmax", "tanh"):
        yield from ((name, dtype, lambda rng, n=name, d=dtype: _single(n, d, d, rng)) for dtype in both)
    yield "softmax", "int8 to int16", lambda rng: _single("softmax", "int8", "int16", rng)
    for name in ("elu", "hard_swish", "log_softmax", "rsqrt"):
        yield name, "int8", lambda rng, n=name: _single(n, "int8", "int8", rng)
    for name in ("conv_2d", "depthwise_conv_2d", "fully_connected", "transpose_conv"):
        yield from ((name, dtype, lambda rng, n=name, d=dtype: _weighted(n, d, rng)) for dtype in both)
    for name in ("mean", "sum"):
        yield from ((name, dtype, lambda rng, n=name, d=dtype: _reduced(n, d, rng)) for dtype in both)
    yield from (("batch_matmul", dtype, lambda rng, d=dtype: _product(d, rng)) for dtype in both)
    for pair in (("int8", "int8"), ("int8", "int16"), ("int16", "int8"), ("int16", "int16"), ("int8", "int32"),
                 ("int16", "int32"), ("float32", "int8"), ("float32", "int16")):  # fmt: skip
        yield "quantize", " to ".join(pair), lambda rng, p=pair: _between(*p, rng)
    yield from (("dequantize", dtype, lambda rng, d=dtype: _between(d, "float32", rng)) for dtype in both)


MAKERS: Mapping[tuple[str, str], Maker] = {
    **{(name, dtype): maker for name, dtype, maker in _makers()},
    ("average_pool_2d", "int8"): lambda rng: pooling(size=(9, 9), channels=16, scale=extreme_scale(rng)),
    ("l2_normalization", "int8"): l2_normalization_model,
    ("svdf", "int8"): lambda rng: svdf(rng, shape=(8, int(rng.integers(1, 20))), units=WIDTH // 8),
    ("unidirectional_sequence_lstm", "int8"): lambda rng: lstm(rng, shape=(4, 4, int(rng.integers(1, 12))), units=32),
}
"""by operator and type"""


def _within(array: Array, limits: InputRange) -> Array:
    """Real numbers over the range of their quantize and somewhat beyond it, some of them halfway between its steps."""
    steps = array / np.float32(array.std() or 1) * (0.4 * limits.count) + limits.first + limits.count / 2
    steps[..., ::4] = np.floor(steps[..., ::4]) + 0.5
    return np.asarray(steps * limits.scale, np.float32)


def fuzz(operator: str, dtype: str, elements: int, seed: int = 1) -> Tally:
    """Compare so many elements of the outputs of random models of one operator."""
    rng = np.random.default_rng([seed, *f"{operator} {dtype}".encode()])
    tried = wrong = refused = 0
    while tried < elements:
        tflite = MAKERS[operator, dtype](rng)
        try:
            graph = settle_islands(read_model(tflite, "fuzz"))
            layers = parse_graph(graph)
        except ModelError:
            refused += 1
            assert refused < _MOST_ATTEMPTS * (1 + tried // WIDTH), f"{operator} {dtype}: nearly all is refused"
            continue
        inputs = [
            array if limits is None or array.dtype != np.float32 else _within(array, limits)
            for array, (_, limits) in zip(
                random_inputs(graph, int(rng.integers(1 << 20))), ranged_inputs(graph), strict=True
            )
        ]
        values = run_graph(graph, inputs, layers)
        try:
            answers = interpret(tflite, inputs, len(graph.outputs))
        except RuntimeError:  # it refuses activations whose limits leave int32
            refused += 1
            continue
        for key, theirs in zip(graph.outputs, answers, strict=True):
            mine = values[key]
            tried += mine.size
            wrong += int((mine.reshape(-1) != theirs.reshape(-1)).sum())
    return Tally(operator, dtype, tried, wrong)


def main(arguments: list[str]) -> int:
    elements = int(arguments[0]) if arguments else ENOUGH
    assert {operator for operator, _ in MAKERS} <= set(OPERATORS)
    print("| operator | type | elements tried | wrong |\n| --- | --- | --: | --: |")
    bad = 0
    for operator, dtype in MAKERS:
        tally = fuzz(operator, dtype, elements)
        bad += tally.wrong
        print(f"| {operator} | {dtype} | {tally.tried:,} | {tally.wrong:,} |", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Random one-operator models, as .tflite: held against the interpreter, and parsed into layers for kernel tests.

Each maker draws shapes, which operands are constant, types and quantization, corners among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema

from kits.tflite_builder import TfliteBuilder

Rng = np.random.Generator
Shape = tuple[int, ...]
Array = npt.NDArray[Any]
NUMPY = {"int8": np.int8, "int16": np.int16, "int32": np.int32, "bool": np.bool_}


def random_values(rng: Rng, dtype: str, shape: Shape) -> Array:
    """Values over the whole range of a type, sometimes its ends only."""
    if dtype == "bool":
        return rng.random(shape) < 0.5
    info = np.iinfo(NUMPY[dtype])
    if rng.random() < 0.2:
        return np.asarray(rng.choice([info.min, info.max], shape)).astype(NUMPY[dtype])
    return np.asarray(rng.integers(info.min, info.max, shape, endpoint=True)).astype(NUMPY[dtype])


def scale(rng: Rng, low: float = -12, high: float = 1) -> float:
    return float(np.float32(2.0 ** rng.uniform(low, high)))


def zero_point(rng: Rng, dtype: str = "int8") -> int:
    if dtype != "int8":
        return 0
    return int(rng.choice([-128, 127, 0])) if rng.random() < 0.5 else int(rng.integers(-128, 128))


def shape_of(rng: Rng, *, most: int = 4, rank: int = 4) -> Shape:
    return tuple(int(v) for v in rng.integers(1, most + 1, int(rng.integers(1, rank + 1))))


def pick(rng: Rng, values: Sequence[Any]) -> Any:
    return values[int(rng.integers(len(values)))]


def activation(rng: Rng) -> str:
    return str(rng.choice(["none", "none", "relu", "relu_n1_to_1", "relu6"]))


@dataclass(frozen=True)
class Operand:
    """A tensor to be: its type, and its quantization if it has one."""

    dtype: str
    scale: float | None = None
    zero_point: int = 0


@dataclass(frozen=True)
class Elementwise:
    """An element-wise operator: its operands, its output, its options."""

    name: str
    operands: tuple[Operand, ...]
    output: Operand
    options: dict[str, Any] = field(default_factory=dict)


def elementwise_model(rng: Rng, op: Elementwise, *, shapes: Sequence[Shape] | None = None, constants: int = 1) -> bytes:
    """A model of an element-wise operator; often shapes broadcast, sometimes operands are constant.

    constants  at most so many
    """
    if shapes is None:
        full = shape_of(rng)
        shapes = [full if rng.random() < 0.5 else thinned(rng, full) for _ in op.operands]
    keep = int(rng.integers(len(op.operands)))
    builder = TfliteBuilder()
    keys, computed = [], []
    for position, (operand, shape) in enumerate(zip(op.operands, shapes, strict=True)):
        data = None
        if position != keep and constants and rng.random() < 0.3:
            data = random_values(rng, operand.dtype, shape)
            constants -= 1
        key = builder.tensor(shape, operand.dtype, scale=operand.scale, zero_point=operand.zero_point, data=data)
        keys.append(key)
        computed += [key] if data is None else []
    output = builder.tensor(
        np.broadcast_shapes(*shapes), op.output.dtype, scale=op.output.scale, zero_point=op.output.zero_point
    )
    builder.operator(op.name, keys, [output], **op.options)
    return builder.build(computed, [output])


def thinned(rng: Rng, shape: Shape) -> Shape:
    """Some axes of size 1, sometimes leading ones left out."""
    thin = tuple(1 if rng.random() < 0.4 else size for size in shape)
    return thin[1:] if len(thin) > 1 and rng.random() < 0.3 else thin


def quantized(rng: Rng, dtype: str, low: float = -12, high: float = 1) -> Operand:
    return Operand(dtype, scale(rng, low, high), zero_point(rng, dtype))


def arithmetic(rng: Rng, name: str, dtypes: Sequence[str] = ("int8", "int16")) -> bytes:
    """add, sub, mul, squared_difference, prelu: three quantizations."""
    dtype = pick(rng, dtypes)
    fused = {} if name in ("squared_difference", "prelu") else {"fused_activation_function": activation(rng)}
    operands = quantized(rng, dtype), quantized(rng, dtype)
    return elementwise_model(rng, Elementwise(name, operands, quantized(rng, dtype), fused))


def div(rng: Rng) -> bytes:
    fused = {"fused_activation_function": activation(rng)}
    operands = quantized(rng, "int8"), quantized(rng, "int8", -3, 0)
    return elementwise_model(rng, Elementwise("div", operands, quantized(rng, "int8", -12, -4), fused))


def extremum(rng: Rng, name: str) -> bytes:
    dtype = pick(rng, ("int8", "int8", "int16", "int32"))
    operand = Operand("int32") if dtype == "int32" else quantized(rng, dtype)
    return elementwise_model(rng, Elementwise(name, (operand, operand), operand))


def comparison(rng: Rng, name: str) -> bytes:
    dtype = pick(rng, ("int8", "int8", "int32", "bool" if name in ("equal", "not_equal") else "int32"))
    operands = Operand(dtype), Operand(dtype)
    if dtype == "int8":
        operands = quantized(rng, "int8", -10, -0.01), quantized(rng, "int8", -10, -0.01)
        if rng.random() < 0.4:
            operands = operands[0], operands[0]
    return elementwise_model(rng, Elementwise(name, operands, Operand("bool")))


def logical(rng: Rng, name: str) -> bytes:
    return elementwise_model(rng, Elementwise(name, (Operand("bool"), Operand("bool")), Operand("bool")))


def logical_not(rng: Rng) -> bytes:
    return elementwise_model(
        rng, Elementwise("logical_not", (Operand("bool"),), Operand("bool")), shapes=[shape_of(rng)]
    )


def select_v2(rng: Rng) -> bytes:
    operand = quantized(rng, pick(rng, ("int8", "int16")))
    op = Elementwise("select_v2", (Operand("bool"), operand, operand), operand)
    return elementwise_model(rng, op, constants=2)


def one_to_one(rng: Rng, name: str, shape: Shape, source: Operand, target: Operand, **options: Any) -> bytes:
    """A model of an operator with one input and an output of its shape."""
    return elementwise_model(rng, Elementwise(name, (source,), target, options), shapes=[shape])


def reduction(rng: Rng, name: str) -> bytes:
    """mean, sum, reduce_max, reduce_min over some axes, some counted from the end."""
    shape = shape_of(rng, most=7)
    axes = [axis for axis in range(len(shape)) if rng.random() < 0.5] or [len(shape) - 1]
    keep_dims = bool(rng.random() < 0.5)
    source = quantized(rng, "int8")
    target = quantized(rng, "int8") if name in ("mean", "sum") else source
    builder = TfliteBuilder()
    x = builder.tensor(shape, scale=source.scale, zero_point=source.zero_point)
    named = np.array([axis - len(shape) if rng.random() < 0.3 else axis for axis in axes], np.int32)
    reduced = np.zeros(shape).sum(axis=tuple(axes), keepdims=keep_dims).shape
    y = builder.tensor(reduced, scale=target.scale, zero_point=target.zero_point)
    builder.operator(name, [x, builder.tensor(named.shape, "int32", data=named)], [y], keep_dims=keep_dims)
    return builder.build([x], [y])


def arg_extremum(rng: Rng, name: str) -> bytes:
    shape = shape_of(rng, most=6)
    axis = int(rng.integers(len(shape)))
    builder = TfliteBuilder()
    x = builder.tensor(shape, scale=scale(rng), zero_point=zero_point(rng))
    named = np.array([axis - len(shape) if rng.random() < 0.3 else axis], np.int32)
    y = builder.tensor(shape[:axis] + shape[axis + 1 :], "int32")
    axes = builder.tensor((1,), "int32", data=named)
    builder.operator(name, [x, axes], [y], output_type=schema.TensorType.INT32)
    return builder.build([x], [y])


def l2_normalization(rng: Rng) -> bytes:
    shape = (*shape_of(rng, rank=3), int(rng.choice([1, 2, 5, 16, 300])))
    source, target = quantized(rng, "int8"), Operand("int8", 1 / 128)
    return one_to_one(rng, "l2_normalization", shape, source, target, fused_activation_function="none")


def log_softmax(rng: Rng) -> bytes:
    shape = (*shape_of(rng, rank=2), int(rng.choice([1, 2, 5, 12, 300])))
    return one_to_one(rng, "log_softmax", shape, quantized(rng, "int8", -18, 4), Operand("int8", 1 / 16, 127))


def cast(rng: Rng) -> bytes:
    source, target = pick(rng, ("int8", "int16", "int32", "bool")), pick(rng, ("int8", "int16", "int32"))
    return one_to_one(rng, "cast", shape_of(rng), Operand(source), Operand(target))


def sigmoid_s16(rng: Rng, name: str) -> bytes:
    """Sometimes of a scale for which the arithmetic is simpler."""
    fine = pick(rng, (scale(rng, -20, 1), 2.0**-12, 2.0**-11, 2.0**-13))
    return one_to_one(rng, name, (*shape_of(rng, rank=2), 64), Operand("int16", fine), Operand("int16", 2.0**-15))


def softmax_s16(rng: Rng) -> bytes:
    shape = (*shape_of(rng, rank=2), int(rng.choice([1, 2, 5, 12, 300])))
    source = Operand("int16", scale(rng, -20, 0))
    return one_to_one(rng, "softmax", shape, source, Operand("int16", 2.0**-15), beta=float(rng.choice([1.0, 0.5])))


def pool_s16(rng: Rng, name: str) -> bytes:
    size, kernel, stride = ([int(v) for v in rng.integers(1, most, 2)] for most in (9, 5, 4))
    padding = str(rng.choice(["same", "valid"]))
    if padding == "valid":
        size = [max(n, k) for n, k in zip(size, kernel, strict=True)]
        output = [(n - k) // s + 1 for n, k, s in zip(size, kernel, stride, strict=True)]
    else:
        output = [-(-n // s) for n, s in zip(size, stride, strict=True)]
    channels = int(rng.integers(1, 9))
    common = scale(rng)
    builder = TfliteBuilder()
    x, y = (builder.tensor((1, *axes, channels), "int16", scale=common) for axes in (size, output))
    builder.operator(
        name,
        [x],
        [y],
        padding=padding,
        stride_h=stride[0],
        stride_w=stride[1],
        filter_height=kernel[0],
        filter_width=kernel[1],
        fused_activation_function=activation(rng),
    )
    return builder.build([x], [y])


MODELS: dict[str, Callable[[Rng], bytes]] = {
    "cast": cast,
    "div": div,
    "l2_normalization": l2_normalization,
    "log_softmax": log_softmax,
    "logical_not": logical_not,
    "mul": lambda rng: arithmetic(rng, "mul"),
    "prelu": lambda rng: arithmetic(rng, "prelu", ("int8",)),
    "select_v2": select_v2,
    "squared_difference": lambda rng: arithmetic(rng, "squared_difference"),
    "sub": lambda rng: arithmetic(rng, "sub"),
    "average_pool_2d_s16": lambda rng: pool_s16(rng, "average_pool_2d"),
    "logistic_s16": lambda rng: sigmoid_s16(rng, "logistic"),
    "max_pool_2d_s16": lambda rng: pool_s16(rng, "max_pool_2d"),
    "softmax_s16": softmax_s16,
    "tanh_s16": lambda rng: sigmoid_s16(rng, "tanh"),
    "add_s16": lambda rng: arithmetic(rng, "add", ("int16",)),
    **{name: lambda rng, name=name: arg_extremum(rng, name) for name in ("arg_max", "arg_min")},
    **{name: lambda rng, name=name: reduction(rng, name) for name in ("sum", "reduce_max", "reduce_min")},
    **{name: lambda rng, name=name: extremum(rng, name) for name in ("maximum", "minimum")},
    **{name: lambda rng, name=name: logical(rng, name) for name in ("logical_and", "logical_or")},
    **{
        name: lambda rng, name=name: comparison(rng, name)
        for name in ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")
    },
}
"""random models by operator (`_s16`: its int16 alone); the rules of the operator may refuse a few of them"""

"""Models of one operator, as .tflite: drawn at random (shapes, constants, types, quantization), or made of arguments.

What the operators of several files of tests/ops share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from kits import tflm
from kits.tflite_builder import TfliteBuilder

Rng = np.random.Generator
Shape = tuple[int, ...]
Array = npt.NDArray[Any]
NUMPY = {"int8": np.int8, "int16": np.int16, "int32": np.int32, "bool": np.bool_}
VALUES = np.arange(-128, 128).astype(np.int8)


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


INT8, INT16, INT32, BOOL = Operand("int8", 0.1), Operand("int16", 0.1), Operand("int32"), Operand("bool")
NO_ACTIVATION = {"fused_activation_function": "none"}


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


def one_to_one(rng: Rng, name: str, shape: Shape, source: Operand, target: Operand, **options: Any) -> bytes:
    """A model of an operator with one input and an output of its shape."""
    return elementwise_model(rng, Elementwise(name, (source,), target, options), shapes=[shape])


# -- made of arguments -----------------------------------------------------------------------------------------------


def stated(name: str, operands: Sequence[Operand], output: Operand, **options: Any) -> bytes:
    """An element-wise operator on tensors of 2 by 3."""
    rng = np.random.default_rng(0)
    shapes = [(2, 3)] * len(operands)
    return elementwise_model(rng, Elementwise(name, tuple(operands), output, options), shapes=shapes, constants=0)


def row(name: str, depth: int, source: Operand, target: Operand, rows: int = 1, **options: Any) -> bytes:
    """An operator along the last axis."""
    return one_to_one(np.random.default_rng(0), name, (rows, depth), source, target, **options)


def all_pairs(op: Elementwise) -> tuple[bytes, list[tflm.Array]]:
    """A model of every value against every value, and these inputs."""
    rng = np.random.default_rng(0)
    return elementwise_model(rng, op, shapes=((256, 1), (1, 256)), constants=0), [VALUES[:, None], VALUES[None]]


def assert_every_pair(op: Elementwise) -> None:
    """Every value against every value gives what the interpreter says."""
    tflite, inputs = all_pairs(op)
    tflm.assert_same(tflite, *inputs)


class OneOperator:
    """A model of one operator, made of keyword arguments that tests change one by one."""

    def __init__(self) -> None:
        self.builder = TfliteBuilder()

    def tensor(self, shape: tuple[int, ...], dtype: str = "int8", **given: Any) -> int:
        quantization = {"scale": 0.1, "zero_point": -7 if dtype == "int8" else 0} if dtype != "bool" else {}
        return self.builder.tensor(shape, dtype, **{**quantization, **given})

    def numbers(self, values: Any, dtype: str = "int32") -> int:
        data = np.array(values, dtype)
        return self.builder.tensor(data.shape, dtype, data=data)

    def build(self, name: str, keys: list[int], outputs: list[int], **options: Any) -> bytes:
        self.builder.operator(name, keys, outputs, **options)
        return self.builder.build([key for key in keys if self._is_computed(key)], outputs)

    def _is_computed(self, key: int) -> bool:
        return key >= 0 and self.builder.graph.tensors[key].buffer == 0

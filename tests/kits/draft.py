"""A small network while it is being drawn at random: its tensors so far, and how further ones are chosen.

What adds operators (NODES of the files in tests/ops) takes what it needs from the draft with `take` and `image`, which
find a tensor that fits, reshape one until it does, or make a new input of the model; `put` adds the operator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from kits.tflite_builder import TfliteBuilder

Array = npt.NDArray[Any]
Shape = tuple[int, ...]

MOST_ELEMENTS = 1200
"""of a tensor that a generator makes larger than what it reads"""
_LAST = 3
"""the newest tensors are taken more often than others: that makes networks deep"""


@dataclass(frozen=True)
class Node:
    """A tensor that is computed, or an input of the model."""

    key: int
    shape: Shape
    dtype: str
    scale: float
    zero_point: int
    scaled: bool = True
    """whether the file states a scale: without one, a tensor is for operators that count in whole numbers"""

    @property
    def elements(self) -> int:
        return math.prod(self.shape)

    @property
    def reach(self) -> float:
        """The real value that lies half the range of its type away from zero: how large its values may be."""
        return self.scale * (32768 if self.dtype == "int16" else 128)


def float32(value: float) -> float:
    """The nearest number that a file can hold."""
    return float(np.float32(value))


class Draft:
    """One network. `chance` decides everything, so the same seed draws the same network."""

    def __init__(self, chance: np.random.Generator) -> None:
        self.chance = chance
        self.builder = TfliteBuilder()
        self.nodes: list[Node] = []
        self.inputs: list[Node] = []
        self.ranges: list[tuple[float, float] | None] = []
        """per input of the model the values it may have; None: all of its type"""
        self.read: set[int] = set()
        """keys of tensors that an operator reads"""
        self.variables = 0
        """how many resource variables there are"""
        self.starts: list[tuple[str, Node]] = []
        """names of variables that start with values of their own, and what they hold"""
        self.weights: dict[Any, tuple[int, list[float]]] = {}
        """constants of weights with their scales, by what they fit: operators may share them"""
        self.names: list[str] = []
        """of the operators so far"""

    # -- chance ----------------------------------------------------------------------------------------------------

    def flip(self, share: float) -> bool:
        """True in this share of cases."""
        return bool(self.chance.random() < share)

    def number(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return int(self.chance.integers(low, high, endpoint=True))

    def pick(self, *values: Any) -> Any:
        """One of the values."""
        return values[self.number(0, len(values) - 1)]

    def zero_point(self) -> int:
        """Of int8: anywhere, the ends of the range more often than other places."""
        near, anywhere = self.number(-20, 20), self.number(-128, 127)
        return int(self.pick(-128, -128, -128, 127, 0, near, near, anywhere, anywhere, anywhere))

    def scale(self, reach: float = 4.0, dtype: str = "int8") -> float:
        """A scale with which real values up to about `reach` fill most of a type, or little of it, or far too much."""
        spread = 6.0 if self.flip(0.08) else 1.0
        steps = 32768 if dtype == "int16" else 128
        return float32(max(reach, 1e-30) / steps * 2.0 ** self.chance.uniform(-spread, spread))

    def kind(self) -> str:
        """int8, or now and then int16, for operators that have both."""
        return "int16" if self.flip(0.4 if self.tensors("int16") else 0.04) else "int8"

    def sizes(self, rank: int, most: int = 6) -> Shape:
        """A shape of that rank, batch 1."""
        return (1, *(self.number(1, most) for _ in range(rank - 1)))

    # -- tensors ---------------------------------------------------------------------------------------------------

    def input(
        self, shape: Sequence[int], dtype: str = "int8", limits: tuple[float, float] | None = None, **given: Any
    ) -> Node:
        """A further input of the model; `given` may hold scale and zero_point."""
        scale, zero_point = given.get("scale", self.scale(4.0, dtype)), given.get("zero_point", self.zero_point())
        node = self._tensor(shape, dtype, scale, zero_point)
        self.inputs.append(node)
        self.ranges.append(limits)
        self.nodes.append(node)
        return node

    def constant(self, data: Array, dtype: str = "", **quantization: Any) -> int:
        """The key of a constant."""
        return self.builder.tensor(data.shape, dtype or data.dtype.name, data=data, **quantization)

    def shape_constant(self, values: Sequence[int]) -> int:
        """The key of an int32 constant with one dimension."""
        return self.constant(np.array(values, np.int32))

    def values(self, shape: Sequence[int], scale: float, zero_point: int, dtype: str = "int8") -> int:
        """The key of a constant of int8 or int16, now and then all of one value."""
        info = np.iinfo(dtype)
        data = np.asarray(self.chance.integers(info.min, info.max, shape, endpoint=True), dtype)
        if self.flip(0.15):
            data[...] = self.pick(info.min, info.max, zero_point)
        return self.constant(data, scale=scale, zero_point=zero_point)

    def values_like(self, shape: Sequence[int], like: Node) -> int:
        """The key of a constant of the type and quantization of a tensor."""
        return self.values(shape, like.scale, like.zero_point, like.dtype)

    def _tensor(
        self, shape: Sequence[int], dtype: str, scale: float, zero_point: int, is_variable: bool = False
    ) -> Node:
        zero_point = zero_point if dtype == "int8" else 0
        # Whole numbers that count have no scale in a file.
        counts = dtype == "int32" and scale == 1.0
        quantization = {} if counts or dtype in ("float32", "bool") else {"scale": scale, "zero_point": zero_point}
        key = self.builder.tensor(shape, dtype, is_variable=is_variable, **quantization)
        return Node(key, tuple(int(size) for size in shape), dtype, float32(scale), zero_point)

    def tensors(self, dtype: str = "int8", *, bare: bool = False) -> list[Node]:
        """What has been computed so far of a type; `bare` ones as well where no scale is needed."""
        return [node for node in self.nodes if node.dtype == dtype and (node.scaled or bare)]

    def any(self, dtype: str = "int8", accept: Callable[[Node], bool] = lambda node: True) -> Node:
        """A tensor of a type that is accepted; a new input when there is none."""
        found = [node for node in self.tensors(dtype) if node.elements and accept(node)]
        if not found or self.flip(0.04):
            return self.input(self.sizes(self.number(1, 4)), dtype)
        if self.flip(0.7):
            found = found[-_LAST:]
        return found[self.number(0, len(found) - 1)]

    def take(self, rank: int, dtype: str = "int8") -> Node:
        """A tensor of a rank, batch 1; one of another rank is reshaped."""
        node = self.any(dtype)
        if len(node.shape) == rank and node.shape[0] == 1:
            return node
        return self.reshape(node, self.factors(node.elements, rank))

    def image(self, dtype: str = "int8") -> Node:
        """A tensor [1, H, W, C]: one of the newest, something reshaped, or a new input."""
        fitting = [n for n in self.tensors(dtype) if len(n.shape) == 4 and n.shape[0] == 1][-_LAST:]
        if fitting and not self.flip(0.1):
            return fitting[self.number(0, len(fitting) - 1)]
        node = self.any(dtype)
        if node.elements >= 8 and self.flip(0.6):
            return self.reshape(node, self.factors(node.elements, 4))
        return self.input((1, self.number(1, 6), self.number(1, 6), self.number(1, 6)), dtype)

    def images(self, dtype: str = "int8") -> Node:
        """A tensor [N, H, W, C]: an image, or a batch of several."""
        batches = [n for n in self.tensors(dtype) if len(n.shape) == 4 and n.shape[0] > 1][-_LAST:]
        if batches and self.flip(0.7):
            return batches[self.number(0, len(batches) - 1)]
        if self.flip(0.15):
            return self.input((self.number(2, 3), self.number(1, 5), self.number(1, 5), self.number(1, 6)), dtype)
        if self.flip(0.08):
            return self.input((1, self.number(7, 16), self.number(7, 16), self.number(1, 4)), dtype)
        return self.image(dtype)

    def factors(self, elements: int, rank: int) -> Shape:
        """A shape of that rank, batch 1 (unless the rank is 1), with so many elements."""
        if rank == 1:
            return (elements,)
        rest, shape = elements, [1]
        for _ in range(rank - 2):
            divisors = [d for d in range(1, min(rest, 12) + 1) if rest % d == 0]
            shape.append(int(self.pick(*divisors)))
            rest //= shape[-1]
        return (*shape, rest)

    # -- operators -------------------------------------------------------------------------------------------------

    def put(
        self,
        operator: str,
        inputs: Sequence[Node | int],
        shape: Sequence[int],
        dtype: str = "int8",
        *,
        scale: float | None = None,
        zero_point: int | None = None,
        **options: Any,
    ) -> Node:
        """Add an operator with one output, and give that. Quantization that is not given is drawn."""
        scale = self.scale(4.0, dtype) if scale is None else float32(scale)
        target = self._tensor(shape, dtype, scale, self.zero_point() if zero_point is None else zero_point)
        self.put_all(operator, inputs, [target], **options)
        return target

    def put_all(self, operator: str, inputs: Sequence[Node | int], outputs: Sequence[Node], **options: Any) -> None:
        """Add an operator that writes these tensors."""
        keys = [node.key if isinstance(node, Node) else node for node in inputs]
        self.builder.operator(operator, keys, [node.key for node in outputs], **options)
        self.read.update(keys)
        self.names.append(operator)
        self.nodes.extend(node for node in outputs if node.dtype != "resource")

    def target(self, shape: Sequence[int], like: Node, *, is_variable: bool = False) -> Node:
        """A tensor for `put_all`, of the type and the quantization of another."""
        return self._tensor(shape, like.dtype, like.scale, like.zero_point, is_variable)

    def wide_probabilities(self, shape: Sequence[int]) -> Node:
        """A tensor for `put_all`, of int16 with scale 1/65536 and zero point -32768: what softmax makes of int8."""
        key = self.builder.tensor(shape, "int16", scale=2.0**-16, zero_point=-32768)
        return Node(key, tuple(shape), "int16", 2.0**-16, -32768)

    def same(
        self, operator: str, inputs: Sequence[Node | int], shape: Sequence[int], like: Node, **options: Any
    ) -> Node:
        """`put` with the type and the quantization of another tensor."""
        return self.put(operator, inputs, shape, like.dtype, scale=like.scale, zero_point=like.zero_point, **options)

    def reshape(self, source: Node, shape: Sequence[int]) -> Node:
        keys = [source, self._computed_shape(source, shape) if self.flip(0.2) else self.shape_constant(shape)]
        return self.same("reshape", keys, shape, source, newShape=list(shape))

    def _computed_shape(self, source: Node, shape: Sequence[int]) -> int:
        """The key of a shape as Keras 3 works it out: one size is taken from the source, others are constants."""
        found = [at for at, size in enumerate(source.shape) if size == shape[0]]
        if not found:
            return self.shape_constant(shape)
        at = int(self.pick(*found))
        sizes = self.builder.tensor((len(source.shape),), "int32")
        self.builder.operator("shape", [source.key], [sizes])
        first = self.builder.tensor((), "int32")
        place = [self.shape_constant([value]) for value in (at, at + 1, 1)]
        masks = {"begin_mask": 0, "end_mask": 0, "ellipsis_mask": 0, "new_axis_mask": 0, "shrink_axis_mask": 1}
        self.builder.operator("strided_slice", [sizes, *place], [first], **masks)
        if self.flip(0.3):
            twice, both = self.builder.tensor((), "int32"), self.builder.tensor((), "int32")
            options = {"fused_activation_function": "none"}
            self.builder.operator("add", [first, first], [twice], **options)
            self.builder.operator("sub", [twice, first], [both], **options)
            first = both
        others = [self.constant(np.array(size, np.int32)) for size in shape[1:]]
        packed = self.builder.tensor((len(shape),), "int32")
        self.builder.operator("pack", [first, *others], [packed], axis=0, values_count=len(shape))
        self.read.add(source.key)
        return packed

    def _initialize(self) -> None:
        """A subgraph that gives variables their start values, run once."""
        if not self.starts:
            return
        with self.builder.subgraph() as number:
            for name, value in self.starts:
                handle = self.builder.tensor((1,), "resource")
                self.builder.operator("var_handle", [], [handle], container="", shared_name=name)
                key = self.values_like(value.shape, value)
                self.builder.operator("assign_variable", [handle, key], [])
        self.builder.call_once(number)

    def finish(self) -> bytes:
        """The file: what nobody reads is an output of the model, and now and then something that is read too.

        Seldom an output is listed twice, an input is an output, or what is computed or given is for nobody.
        """
        self._initialize()
        given = {node.key for node in self.inputs}
        computed = [node for node in self.nodes if node.key not in given]
        outputs = [node.key for node in computed if node.key not in self.read or self.flip(0.06)]
        outputs = outputs or [computed[-1].key]
        if len(outputs) > 1 and self.flip(0.1):
            outputs.pop(self.number(0, len(outputs) - 1))
        if self.flip(0.05):
            outputs.append(int(self.pick(*outputs)))
        kept = [node.key in self.read or self.flip(0.3) for node in self.inputs]
        inputs = [node.key for node, keep in zip(self.inputs, kept, strict=True) if keep]
        self.ranges = [limits for limits, keep in zip(self.ranges, kept, strict=True) if keep]
        if self.flip(0.05):
            outputs.append(int(self.pick(*inputs)))
        return self.builder.build(inputs, outputs)


Entry = Callable[[Draft], None]
"""adds one operator to a draft"""

"""The importer: values by name, tensors in the layout that an operator asks for, one handler for each operator."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tinyedge.convert.onnx.builder import Builder
from tinyedge.convert.onnx.values import Value, moves_nothing, to_first, to_last, with_channels_last
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Array, Quantization


def stored_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What a value of ONNX's is computed in: all floats in float32, all integers in int32."""
    return np.dtype({"f": np.float32, "i": np.int32, "u": np.int32}.get(dtype.kind, dtype))


class Node:
    """One node of an ONNX model: attributes by name, with ONNX's defaults left to the handlers."""

    def __init__(self, node: Any, number: int) -> None:
        import onnx

        self.proto = node
        self.kind: str = node.op_type
        self.inputs: list[str] = list(node.input)
        self.outputs: list[str] = list(node.output)
        self.attributes: dict[str, Any] = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        self.title = f"node {number} `{node.name or node.op_type}` ({node.op_type})"

    def get(self, name: str, default: Any = None) -> Any:
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    def refuse(self, what: str, hint: str = "") -> ModelError:
        return ModelError(f"{self.title}: {what}", hint=hint or "write the layer with others, and export it again")


Handler = Callable[["Importer", Node], None]


class Importer:
    """One model being imported. `shapes` has the shape and type of every value."""

    def __init__(self, shapes: Mapping[str, tuple[tuple[int, ...], np.dtype[Any]]], read: Collection[str] = ()) -> None:
        self.builder = Builder()
        self.shapes = shapes
        self.read = read
        """values that a node reads, or that are outputs"""
        self.values: dict[str, Value] = {}
        self.scales: dict[int, Quantization] = {}
        """of constants that were dequantized, by tensor; the axis is the tensor's"""
        self._moved: dict[tuple[int, bool], int] = {}

    # -- values ----------------------------------------------------------------------------------------------------

    def value(self, node: Node, position: int) -> Value:
        """An input of a node. Raises: ModelError when it is absent."""
        found = self.optional(node, position)
        if found is None:
            raise node.refuse(f"it has no input {position}")
        if 0 in found.shape:
            raise node.refuse(f"its input {list(found.shape)} has no elements")
        return found

    def optional(self, node: Node, position: int) -> Value | None:
        if position >= len(node.inputs) or not node.inputs[position]:
            return None
        return self.values[node.inputs[position]]

    def constant(self, node: Node, position: int, default: Array | None = None) -> Array | None:
        """The data of an input that has to be constant; `default` when it is absent."""
        found = self.optional(node, position)
        if found is None:
            return default
        if found.data is None:
            raise node.refuse(f"input {position}, `{node.inputs[position]}`, has to be constant")
        return found.data

    def integers(self, node: Node, position: int, attribute: str) -> list[int] | None:
        """Integers that older operator sets give as an attribute, newer ones as an input; None when absent."""
        given = node.get(attribute)
        if given is not None:
            return [int(value) for value in given]
        found = self.constant(node, position)
        return None if found is None else [int(value) for value in np.atleast_1d(found)]

    # -- tensors in a layout ---------------------------------------------------------------------------------------

    def plain(self, value: Value) -> int:
        """The tensor with the axes as ONNX has them."""
        if value.data is not None:
            return self.weights(value.data, value.quantization)
        assert value.index is not None
        if value.flat_of is not None:
            inner = self.plain(value.flat_of)
            return self.reshape(inner, value.shape, "plain")
        if not value.last:
            return value.index
        return self._move(value, last=False)

    def last(self, value: Value) -> int:
        """The tensor with the channels last."""
        if value.data is not None:
            return self.weights(with_channels_last(value.data) if value.rank > 2 else value.data, None)
        assert value.index is not None
        if value.last:
            return value.index
        return self._move(replace(value, index=self.plain(value), flat_of=None), last=True)

    def _move(self, value: Value, *, last: bool) -> int:
        assert value.index is not None
        key = (value.index, last)
        if key not in self._moved:
            order = to_last(value.rank) if last else to_first(value.rank)
            moved = replace(value, last=last)
            if moves_nothing(value.stored_shape, order):
                self._moved[key] = self.reshape(value.index, moved.stored_shape, "moved")
            else:
                target = self.builder.tensor(f"transposed_{value.index}", moved.stored_shape)
                self.builder.operator(
                    "transpose", [value.index, self.builder.constant(np.array(order, np.int32))], [target]
                )
                self._moved[key] = target
        return self._moved[key]

    def weights(self, data: Array, quantization: Quantization | None) -> int:
        """A constant in float; what was dequantized keeps its scales, for `qdq`."""
        array = np.asarray(data, np.float32) if data.dtype.kind == "f" else data
        if quantization is None:
            return self.builder.constant(array)
        index = self.builder.constant(array, salt=quantization)
        self.scales[index] = quantization
        return index

    def reshape(self, source: int, shape: Sequence[int], name: str) -> int:
        target = self.builder.tensor(f"{name}_{source}", shape)
        self.builder.operator("reshape", [source, self.builder.constant(np.array(shape, np.int32))], [target])
        return target

    # -- results ---------------------------------------------------------------------------------------------------

    def output(self, node: Node, *, last: bool = False, position: int = 0) -> int:
        """A new tensor for an output of a node."""
        name = node.outputs[position]
        shape, dtype = self.shapes[name]
        value = Value(shape, last=last)
        if 0 in shape:
            raise node.refuse(f"its result {list(shape)} has no elements")
        index = self.builder.tensor(name, value.stored_shape, stored_type(dtype))
        self.values[name] = replace(value, index=index)
        return index

    def alias(self, node: Node, value: Value) -> None:
        """Let an output be a value that is there."""
        self.values[node.outputs[0]] = value

"""Compute at compile time the shapes that a file works out step by step although it fixes them.

Keras 3 writes Flatten, Reshape and Conv2DTranspose as SHAPE, STRIDED_SLICE, PACK and arithmetic on integers. Every
tensor of a file has a fixed shape, so all of that is known. It is computed here whether or not a kernel for it exists.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from tinyedge.graph.ir import Array, DType, Graph, Operator, Tensor, integer_range
from tinyedge.optimize.rewrite import add_tensors, remove_operators, try_parse

_TYPES = (DType.INT32, DType.INT64, DType.BOOL)
_MOST_ELEMENTS = 1024
"""of what counts as a shape"""

_Values = Sequence[Array]
"""the inputs, integers as Python's, which never overflow"""


def fold_shapes(graph: Graph) -> Graph:
    """Replace integers that follow from shapes and constants by their values.

    Lossless: whole numbers are computed exactly, and what leaves its type, or has another shape than the file states,
    is left as it is. So are outputs of the model, and what an operator reads that would not take a constant.
    """
    found = _find(graph)
    while found:
        folded = _folded(graph, found)
        spoilt = _spoilt(graph, folded, found)
        if not spoilt:
            return folded
        found = {index: tensor for index, tensor in found.items() if tensor.index not in spoilt}
    return graph


def _find(graph: Graph) -> dict[int, Tensor]:
    """The results that are known, by the index of their operator."""
    found: dict[int, Tensor] = {}
    known: dict[int, Array] = {}
    for operator in graph.operators:
        if len(operator.outputs) != 1 or operator.outputs[0] in graph.outputs:
            continue
        target = graph.tensors[operator.outputs[0]]
        if not _is_shape(target) or target.is_variable:
            continue
        values = _compute(graph, operator, known)
        data = None if values is None else _as_stated(target, values)
        if data is not None:
            known[target.index] = data
            found[operator.index] = replace(target, data=data)
    return found


def _folded(graph: Graph, found: Mapping[int, Tensor]) -> Graph:
    return add_tensors(remove_operators(graph, found), found.values())


def _spoilt(graph: Graph, folded: Graph, found: Mapping[int, Tensor]) -> set[int]:
    """The tensors that have to be computed after all, as a reader takes them only so."""
    keys = {tensor.index for tensor in found.values()}
    spoilt: set[int] = set()
    for reader in folded.operators:
        read = keys.intersection(reader.inputs)
        if read and try_parse(graph, reader) is not None and try_parse(folded, reader) is None:
            spoilt |= read
    return spoilt


def _is_shape(tensor: Tensor) -> bool:
    return tensor.dtype in _TYPES and 0 < tensor.elements <= _MOST_ELEMENTS and tensor.quantization is None


def _compute(graph: Graph, operator: Operator, known: Mapping[int, Array]) -> Array | None:
    """What an operator gives; None when that is not known."""
    if operator.name in ("shape", "rank"):
        shape = graph.tensors[operator.inputs[0]].shape
        return np.array(shape if operator.name == "shape" else len(shape), object)
    function = _FUNCTIONS.get(operator.name)
    if function is None:
        return None
    values = []
    for key in operator.inputs:
        tensor = graph.tensors.get(key)
        if tensor is None or not _is_shape(tensor):
            return None
        data = known.get(key, tensor.data)
        if data is None:
            return None
        values.append(np.asarray(data).astype(object))
    try:
        return np.asarray(function(values, operator.options), object)
    except (ValueError, IndexError, KeyError, TypeError, ZeroDivisionError):
        return None  # such a model is refused in the words of the operator that does not fit


def _as_stated(target: Tensor, values: Array) -> Array | None:
    """The values in the type and shape of the tensor; None when they do not have them."""
    if values.shape != target.shape:
        return None
    if target.dtype is not DType.BOOL:
        low, high = integer_range(target.dtype)
        if any(not low <= value <= high for value in values.reshape(-1)):
            return None
    data = np.ascontiguousarray(values, target.dtype.numpy).reshape(target.shape)
    data.flags.writeable = False
    return data


# -- what operators compute ------------------------------------------------------------------------------------------

_Function = Callable[[_Values, Mapping[str, Any]], Any]


def _numbers(values: Array) -> list[int]:
    return [int(value) for value in values.reshape(-1)]


def _strided_slice(values: _Values, options: Mapping[str, Any]) -> Any:
    source, begins, ends, steps = values
    place: list[Any] = []
    for at, (begin, end, step) in enumerate(zip(*map(_numbers, (begins, ends, steps)), strict=True)):

        def masked(name: str, bit: int = at) -> bool:
            return bool(options[f"{name}_mask"] >> bit & 1)

        if masked("ellipsis"):
            place.append(Ellipsis)
        elif masked("new_axis"):
            place.append(None)
        elif masked("shrink_axis"):
            place.append(begin)
        else:
            last = begin + end if options.get("offset", False) else end
            place.append(slice(None if masked("begin") else begin, None if masked("end") else last, step))
    return source[tuple(place)]


def _slice(values: _Values, options: Mapping[str, Any]) -> Any:
    source, begins, sizes = values
    pairs = zip(_numbers(begins), _numbers(sizes), strict=True)
    return source[tuple(slice(begin, None if size == -1 else begin + size) for begin, size in pairs)]


def _pack(values: _Values, options: Mapping[str, Any]) -> Any:
    return np.stack(list(values), options["axis"])


def _concatenation(values: _Values, options: Mapping[str, Any]) -> Any:
    return np.concatenate(list(values), options["axis"])


def _gather(values: _Values, options: Mapping[str, Any]) -> Any:
    if options.get("batch_dims", 0):
        raise ValueError("batches")
    return np.take(values[0], values[1].astype(np.int64), options["axis"])


def _reshape(values: _Values, options: Mapping[str, Any]) -> Any:
    shape = _numbers(values[1]) if len(values) > 1 else list(options["new_shape"])
    return values[0].reshape(shape)


def _squeeze(values: _Values, options: Mapping[str, Any]) -> Any:
    axes = tuple(int(axis) for axis in options.get("squeeze_dims", ()))
    return np.squeeze(values[0], axes or None)


def _expand_dims(values: _Values, options: Mapping[str, Any]) -> Any:
    return np.expand_dims(values[0], int(values[1]))


def _range(values: _Values, options: Mapping[str, Any]) -> Any:
    numbers = range(*(int(value) for value in values))
    if len(numbers) > _MOST_ELEMENTS:
        raise ValueError("not a shape")
    return np.array(numbers, object)


def _truncated_quotient(first: int, second: int) -> int:
    quotient = abs(first) // abs(second)
    return quotient if (first < 0) == (second < 0) else -quotient


def _cast(values: _Values, options: Mapping[str, Any]) -> Any:
    return values[0] + 0  # truth values become numbers


def _select(values: _Values, options: Mapping[str, Any]) -> Any:
    return np.where(values[0].astype(np.bool_), values[1], values[2])


def _element_wise(function: np.ufunc) -> _Function:
    def compute(values: _Values, options: Mapping[str, Any]) -> Any:
        if options.get("fused_activation_function", "none") != "none":
            raise ValueError("more than the function itself")
        if math.prod(np.broadcast_shapes(*(value.shape for value in values))) > _MOST_ELEMENTS:
            raise ValueError("not a shape")
        return function(*values)

    return compute


def _reduction(function: Callable[..., Any]) -> _Function:
    def compute(values: _Values, options: Mapping[str, Any]) -> Any:
        return function(values[0], axis=tuple(_numbers(values[1])), keepdims=bool(options["keep_dims"]))

    return compute


_FUNCTIONS: Mapping[str, _Function] = MappingProxyType(
    {
        "abs": _element_wise(np.absolute),
        "add": _element_wise(np.add),
        "cast": _cast,
        "concatenation": _concatenation,
        "div": _element_wise(np.frompyfunc(_truncated_quotient, 2, 1)),
        "equal": _element_wise(np.equal),
        "expand_dims": _expand_dims,
        "floor_div": _element_wise(np.floor_divide),
        "floor_mod": _element_wise(np.mod),
        "gather": _gather,
        "greater": _element_wise(np.greater),
        "greater_equal": _element_wise(np.greater_equal),
        "less": _element_wise(np.less),
        "less_equal": _element_wise(np.less_equal),
        "logical_and": _element_wise(np.logical_and),
        "logical_not": _element_wise(np.logical_not),
        "logical_or": _element_wise(np.logical_or),
        "maximum": _element_wise(np.maximum),
        "minimum": _element_wise(np.minimum),
        "mul": _element_wise(np.multiply),
        "neg": _element_wise(np.negative),
        "not_equal": _element_wise(np.not_equal),
        "pack": _pack,
        "range": _range,
        "reduce_max": _reduction(np.max),
        "reduce_min": _reduction(np.min),
        "reduce_prod": _reduction(np.prod),
        "reshape": _reshape,
        "select_v2": _select,
        "slice": _slice,
        "squeeze": _squeeze,
        "strided_slice": _strided_slice,
        "sub": _element_wise(np.subtract),
        "sum": _reduction(np.sum),
    }
)

"""Random functions of single values, of pairs, and over axes: see `kits.random_graph`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from kits.draft import Draft, Entry, Node, Shape


def _unary(operator: str, **options: Callable[[Draft], Any]) -> Entry:
    """A function whose output may have any quantization, often that of the input."""

    def entry(draft: Draft) -> None:
        source = draft.any()
        drawn = {name: draw(draft) for name, draw in options.items()}
        if draft.flip(0.3):
            draft.same(operator, [source], source.shape, source, **drawn)
        else:
            draft.put(operator, [source], source.shape, scale=draft.scale(source.reach), **drawn)

    return entry


def _fixed(
    operator: str, scale: float, zero_point: int, *, last_axis: bool = False, wide: bool = False, **options: Any
) -> Entry:
    """A function whose output has one quantization always; `wide` ones have int16 as well."""

    def entry(draft: Draft) -> None:
        kind = draft.kind() if wide else "int8"
        source = draft.take(draft.number(2, 4), kind) if last_axis else draft.any(kind)
        quantization = (scale, zero_point) if kind == "int8" else (2.0**-15, 0)
        draft.put(operator, [source], source.shape, kind, scale=quantization[0], zero_point=quantization[1], **options)

    return entry


def _requantized(draft: Draft, source: Node, scale: float, zero_point: int) -> Node:
    """The tensor under another quantization."""
    return draft.put("quantize", [source], source.shape, source.dtype, scale=scale, zero_point=zero_point)


def relu6(draft: Draft) -> None:
    source = draft.any()
    draft.same("relu6", [source], source.shape, source)


def rsqrt(draft: Draft) -> None:
    source = _requantized(draft, draft.any(), draft.scale(), -128)
    draft.put("rsqrt", [source], source.shape, scale=draft.scale(4 / math.sqrt(source.reach)))


def hard_swish(draft: Draft) -> None:
    source = draft.any(accept=lambda node: 2.0**-18 <= node.scale <= 2.0**18)
    draft.put("hard_swish", [source], source.shape, scale=source.scale * 2.0 ** draft.chance.uniform(-3, 3))


def prelu(draft: Draft) -> None:
    source = draft.take(4)
    scale = draft.scale(1.0)
    shape = draft.pick((1, 1, source.shape[3]), source.shape[1:], (1, 1, 1, source.shape[3]))
    alpha = draft.values(shape, scale, draft.zero_point())
    draft.put("prelu", [source, alpha], source.shape, scale=draft.scale(source.reach))


def quantize(draft: Draft) -> None:
    """Between integer types, and from float32."""
    kinds = [dtype for dtype in ("int8", "int8", "int16", "int32", "float32") if draft.tensors(dtype)]
    kind = draft.pick(*kinds) if kinds else "int8"
    source = draft.any(kind) if draft.flip(0.9) else draft.input(draft.sizes(3), "float32", (-9.0, 9.0))
    wanted = {"int8": ("int8", "int8", "int16", "int32"), "int16": ("int8", "int16", "int32")}
    target = draft.pick(*wanted.get(source.dtype, ("int8",)))
    reach = 4.0 if source.dtype == "float32" else source.reach
    scale = draft.scale(reach) / (1 if target == "int8" else 256)
    draft.put("quantize", [source], source.shape, target, scale=scale)


def dequantize(draft: Draft) -> None:
    source = draft.any(draft.pick("int8", "int8", "int16") if draft.tensors("int16") else "int8")
    draft.put("dequantize", [source], source.shape, "float32")


# -- pairs -----------------------------------------------------------------------------------------------------------


def broadcast_from(draft: Draft, shape: Shape) -> Shape:
    """A shape that broadcasts to `shape`."""
    kept = tuple(1 if draft.flip(0.35) else size for size in shape)
    cut = draft.number(0, len(shape)) if draft.flip(0.3) else 0
    return kept[cut:]


def second_operand(draft: Draft, first: Node, *, like: Node | None = None) -> tuple[Any, float]:
    """A tensor or a constant that broadcasts to the first operand's shape, and its scale; quantized `like` another."""
    if draft.flip(0.5):
        others = [node for node in draft.tensors(first.dtype) if node.shape == first.shape]
        node = others[draft.number(0, len(others) - 1)]
        if like is not None and (node.scale, node.zero_point) != (like.scale, like.zero_point):
            node = _requantized(draft, node, like.scale, like.zero_point)
        return node, node.scale
    shape = first.shape if draft.flip(0.4) else broadcast_from(draft, first.shape)
    scale, zero = draft.scale(first.reach, first.dtype), draft.zero_point() if first.dtype == "int8" else 0
    if like is not None:
        scale, zero = like.scale, like.zero_point
    if draft.flip(0.5):
        return draft.values(shape, scale, zero, first.dtype), scale
    return draft.input(shape, first.dtype, scale=scale, zero_point=zero), scale


def div(draft: Draft) -> None:
    """By 1 to 7 quanta, the quotient large: otherwise TensorFlow Lite Micro shifts by more than 31, to any result."""
    first = draft.any(accept=lambda node: len(node.shape) <= 4)
    shape = first.shape if draft.flip(0.4) else broadcast_from(draft, first.shape)
    zero, scale = draft.pick(-128, -128, draft.number(-128, 120), 120), draft.scale()
    if draft.flip(0.7):
        data = (zero + draft.chance.integers(1, 8, shape)).astype(np.int8)
        second: Node | int = draft.constant(data, scale=scale, zero_point=zero)
    else:
        second = draft.input(shape, limits=(zero + 1, zero + 7), scale=scale, zero_point=zero)
    target = first.scale / scale * 2.0 ** -draft.chance.uniform(5, 8)
    fused = draft.pick("none", "none", "relu", "relu6", "relu_n1_to_1")
    draft.put("div", [first, second], first.shape, scale=target, fused_activation_function=fused)


def _binary(operator: str, reach: Callable[[float, float], float], **options: Any) -> Entry:
    """A sum, difference or product of real values; `reach(a, b)` says how large results are."""

    def entry(draft: Draft) -> None:
        kind = draft.kind()
        first = draft.any(kind, accept=lambda node: len(node.shape) <= 4)
        second, scale = second_operand(draft, first)
        pair = [second, first] if draft.flip(0.4) else [first, second]
        drawn = dict(options)
        if "fused_activation_function" in options:
            drawn["fused_activation_function"] = draft.pick("none", "none", "relu", "relu6", "relu_n1_to_1")
        steps = first.reach / first.scale
        draft.put(
            operator, pair, first.shape, kind, scale=draft.scale(reach(first.reach, scale * steps), kind), **drawn
        )

    return entry


def _kept_pair(operator: str) -> Entry:
    """maximum, minimum: all three tensors have one quantization."""

    def entry(draft: Draft) -> None:
        first = draft.any(draft.kind(), accept=lambda node: len(node.shape) <= 4)
        second, _ = second_operand(draft, first, like=first)
        pair = [second, first] if draft.flip(0.4) else [first, second]
        draft.same(operator, pair, first.shape, first)

    return entry


def _comparison(operator: str) -> Entry:
    def entry(draft: Draft) -> None:
        first = draft.any(accept=lambda node: len(node.shape) <= 4)
        second, _ = second_operand(draft, first, like=first if draft.flip(0.6) else None)
        pair = [second, first] if draft.flip(0.4) else [first, second]
        draft.put(operator, pair, first.shape, "bool")

    return entry


def truth(draft: Draft, shape: Shape | None = None) -> Node:
    """A tensor of bool, the result of a comparison."""
    found = [node for node in draft.tensors("bool") if shape is None or node.shape == shape]
    if found and draft.flip(0.7):
        return found[draft.number(0, len(found) - 1)]
    first = draft.any(accept=lambda node: len(node.shape) <= 4)
    if shape is not None:
        first = draft.input(shape)
    other = draft.values_like(first.shape, first)
    return draft.put(draft.pick("less", "greater", "greater_equal"), [first, other], first.shape, "bool")


def _logical(operator: str) -> Entry:
    def entry(draft: Draft) -> None:
        first = truth(draft)
        pair = [first] if operator == "logical_not" else [first, truth(draft, first.shape)]
        draft.put(operator, pair, first.shape, "bool")

    return entry


def select_v2(draft: Draft) -> None:
    first = draft.any(draft.kind(), accept=lambda node: len(node.shape) <= 4)
    second, _ = second_operand(draft, first, like=first)
    condition = truth(draft, first.shape if draft.flip(0.7) else broadcast_from(draft, first.shape))
    pair = [second, first] if draft.flip(0.4) else [first, second]
    draft.same("select_v2", [condition, *pair], first.shape, first)


_CAST = {"int8": "INT8", "int16": "INT16", "int32": "INT32", "bool": "BOOL"}


def cast(draft: Draft) -> None:
    source = draft.any(draft.pick("int8", *(d for d in ("int16", "int32", "bool") if draft.tensors(d))))
    target = draft.pick("int8", "int16", "int32")
    kinds = {
        "in_data_type": getattr(schema.TensorType, _CAST[source.dtype]),
        "out_data_type": getattr(schema.TensorType, _CAST[target]),
    }
    draft.put("cast", [source], source.shape, target, **kinds)


# -- over axes -------------------------------------------------------------------------------------------------------


def _reduction(operator: str, *, keeps: bool = False, grows: bool = False) -> Entry:
    """mean, sum, reduce_max, reduce_min over some axes, named from either end."""

    def entry(draft: Draft) -> None:
        source = draft.take(draft.pick(2, 3, 4, 4))
        rank = len(source.shape)
        axes = [axis for axis in range(rank) if draft.flip(0.5)] or [draft.number(0, rank - 1)]
        if rank == 4 and draft.flip(0.5):
            axes = [1, 2]
        keep = draft.flip(0.5)
        left = tuple(1 if axis in axes else n for axis, n in enumerate(source.shape) if keep or axis not in axes)
        if not left:
            keep, left = True, (1,) * rank
        count = math.prod(source.shape[axis] for axis in axes)
        named = draft.shape_constant([axis - rank if draft.flip(0.3) else axis for axis in axes])
        if keeps:
            draft.same(operator, [source, named], left, source, keep_dims=keep)
            return
        reach = source.reach * (math.sqrt(count) if grows else 1 / math.sqrt(count))
        draft.put(operator, [source, named], left, scale=draft.scale(reach), keep_dims=keep)

    return entry


def _arg(operator: str) -> Entry:
    def entry(draft: Draft) -> None:
        source = draft.take(draft.number(2, 4))
        rank = len(source.shape)
        axis = draft.number(0, rank - 1)
        shape = (*source.shape[:axis], *source.shape[axis + 1 :])
        named = draft.shape_constant([axis - rank if draft.flip(0.3) else axis])
        draft.put(operator, [source, named], shape, "int32", output_type=schema.TensorType.INT32)

    return entry


def softmax(draft: Draft) -> None:
    kind = draft.kind()
    source = draft.take(draft.number(1, 4), kind)
    beta = draft.pick(1.0, 1.0, 0.5, 3.0)
    scale, zero_point = (1 / 256, -128) if kind == "int8" else (2.0**-15, 0)
    draft.put("softmax", [source], source.shape, kind, scale=scale, zero_point=zero_point, beta=beta)


def _largest(a: float, b: float) -> float:
    return max(a, b)


_ALPHAS = (0.0, 0.01, 0.1, 0.3, 1.0, -0.5, 1.7)

ENTRIES: dict[str, Entry] = {
    "abs": _unary("abs"),
    "add": _binary("add", _largest, fused_activation_function="none", pot_scale_int16=True),
    "arg_max": _arg("arg_max"),
    "arg_min": _arg("arg_min"),
    "cast": cast,
    "dequantize": dequantize,
    "div": div,
    "elu": _unary("elu"),
    "hard_swish": hard_swish,
    "l2_normalization": _fixed("l2_normalization", 1 / 128, 0, last_axis=True, fused_activation_function="none"),
    "leaky_relu": _unary("leaky_relu", alpha=lambda draft: draft.pick(*_ALPHAS)),
    "log_softmax": _fixed("log_softmax", 16 / 256, 127, last_axis=True),
    "logistic": _fixed("logistic", 1 / 256, -128, wide=True),
    "maximum": _kept_pair("maximum"),
    "mean": _reduction("mean"),
    "minimum": _kept_pair("minimum"),
    "mul": _binary("mul", lambda a, b: a * b, fused_activation_function="none"),
    "prelu": prelu,
    "quantize": quantize,
    "reduce_max": _reduction("reduce_max", keeps=True),
    "reduce_min": _reduction("reduce_min", keeps=True),
    "relu": _unary("relu"),
    "relu6": relu6,
    "rsqrt": rsqrt,
    "select_v2": select_v2,
    "softmax": softmax,
    "squared_difference": _binary("squared_difference", lambda a, b: 2 * max(a, b) ** 2),
    "sub": _binary("sub", _largest, fused_activation_function="none", pot_scale_int16=True),
    "sum": _reduction("sum", grows=True),
    "tanh": _fixed("tanh", 1 / 128, 0, wide=True),
    **{name: _comparison(name) for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")},
    **{name: _logical(name) for name in ("logical_and", "logical_or", "logical_not")},
}

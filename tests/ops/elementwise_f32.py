"""Islands that are no tables: operators in float32 on several tensors, with int8, int16, uint8 and float32 borders."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from kits import tflm
from kits.draft import Draft, Entry, Node
from kits.kernel_layers import KernelCases, drafted
from kits.nodes import broadcast_from
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.elementwise_f32 import COMPARISONS, FUSED, PAIRS, SINGLES, SUFFIX
from tinyedge.ops.reference import run_graph
from tinyedge.optimize import settle_graph


def dequantized(draft: Draft, shape: tuple[int, ...] | None = None, *, kinds: tuple[str, ...] = ()) -> Node:
    """A tensor in float32 out of an integer one, or an input of the model."""
    kind = draft.pick(*(kinds or ("int8", "int8", "int16", "uint8", "float32")))
    if kind == "float32":
        return draft.input(shape or draft.sizes(draft.number(1, 4)), kind, limits=(-5.0, 5.0))
    if kind == "uint8":
        source = draft.input(shape or draft.sizes(draft.number(1, 4)), kind)
    elif shape is None:
        source = draft.any(kind, accept=lambda node: len(node.shape) <= 4)
    else:
        source = draft.input(shape, kind)
    return draft.put("dequantize", [source], source.shape, "float32")


def quantize(draft: Draft, node: Node, reach: float = 4.0, *, exact: bool = True) -> None:
    """Integers again; now and then the result stays an output in float32. Of what is not `exact` always int8."""
    if not exact or not draft.flip(0.12):
        kind = draft.pick("int8", "int8", "int16") if exact else "int8"
        draft.put("quantize", [node], node.shape, kind, scale=draft.scale(reach, kind))


def pair(draft: Draft, name: str, first: Node) -> Node:
    """A function of a tensor and of another, or of a constant."""
    shape = first.shape if draft.flip(0.5) or name == "prelu" else broadcast_from(draft, first.shape)
    if name == "prelu" or (draft.flip(0.3) and math.prod(shape) > 1):
        data = draft.chance.normal(0, 2, shape).astype(np.float32)
        second: Node | int = draft.constant(np.where(np.abs(data) < 0.1, np.float32(0.5), data))
    else:
        second = dequantized(draft, shape)
    fused = {"fused_activation_function": draft.pick("none", "none", "relu", "relu6", "relu_n1_to_1")}
    operands = [second, first] if name != "prelu" and draft.flip(0.4) else [first, second]
    return draft.put(name, operands, first.shape, "float32", **(fused if name in FUSED else {}))


def pair_node(name: str) -> Entry:
    def entry(draft: Draft) -> None:
        first = dequantized(draft)
        if name == "prelu" and first.elements == 1:  # of one int8 value and a slope: that is a table
            first = dequantized(draft, (1, 2))
        quantize(draft, pair(draft, name, first))

    return entry


def single(draft: Draft, name: str, source: Node) -> Node:
    options = {"alpha": draft.pick(0.1, -0.5, 1.5)} if name == "leaky_relu" else {}
    return draft.put(name, [source], source.shape, "float32", **options)


def single_node(name: str) -> Entry:
    """Behind a sum of two tensors: a function of one would be a table. Roots are of what is not negative."""

    def entry(draft: Draft) -> None:
        source = dequantized(draft, kinds=("int16", "float32", "uint8"))
        if name in ("rsqrt", "sqrt"):
            source = draft.put("square", [source], source.shape, "float32")
        if name == "rsqrt":
            fused = {"fused_activation_function": "none"}
            source = draft.put("add", [source, draft.constant(np.float32([0.01]))], source.shape, "float32", **fused)
        quantize(draft, single(draft, name, source))

    return entry


def comparison_node(name: str) -> Entry:
    """Two tensors of few values, so that some are equal."""

    def entry(draft: Draft) -> None:
        first = dequantized(draft, kinds=("int8", "int16", "uint8"))
        if draft.flip(0.5):
            data = np.asarray(draft.chance.integers(-2, 3, first.shape), np.float32)
            second: Node | int = draft.constant(data)
            first = draft.put("round", [first], first.shape, "float32")
        else:
            second = dequantized(draft, first.shape)
        draft.put(name, [first, second], first.shape, "bool")

    return entry


def select_node(draft: Draft) -> None:
    first = dequantized(draft)
    second = dequantized(draft, first.shape)
    condition = draft.put("less", [first, second], first.shape, "bool")
    quantize(draft, draft.put("select_v2", [condition, second, first], first.shape, "float32"))


def table_node(draft: Draft) -> None:
    """A function of the C library, times another tensor."""
    source = dequantized(draft, kinds=("int8",))
    table = single(draft, draft.pick("cos", "exp", "logistic", "sin", "tanh"), source)
    quantize(draft, pair(draft, "mul", table), exact=False)


MIXED: tuple[Any, ...] = ("int8", "int16", "uint8", "float32")


def two(
    operator: str, first: str, second: str, output: str = "int8", *, size: int = 12, scale: float = 0.02, **options: Any
) -> bytes:
    """One operator in float32 on two tensors of given types."""
    builder = TfliteBuilder()
    sources, floats = [], []
    for dtype in (first, second):
        quantization = {} if dtype == "float32" else {"scale": scale, "zero_point": 0 if dtype == "int16" else 3}
        sources.append(builder.tensor((1, size), dtype, **quantization))
        if dtype == "float32":
            floats.append(sources[-1])
        else:
            floats.append(builder.tensor((1, size), "float32"))
            builder.operator("dequantize", [sources[-1]], [floats[-1]])
    at = builder.tensor((1, size), "float32")
    builder.operator(operator, floats, [at], **options)
    if output == "float32":
        return builder.build(sources, [at])
    target = builder.tensor((1, size), output, scale=0.05, zero_point=0)
    builder.operator("quantize", [at], [target])
    return builder.build(sources, [target])


@pytest.mark.parametrize("first", MIXED)
@pytest.mark.parametrize("second", MIXED)
@pytest.mark.parametrize("output", ["int8", "int16", "float32"])
def test_borders_of_every_type(first: str, second: str, output: str) -> None:
    if "int8" not in (first, second, output) and "int16" not in (first, second, output):
        return
    tflm.assert_bit_exact(two("mul", first, second, output, fused_activation_function="none"), 3)


def test_names_and_order_of_what_runs() -> None:
    graph = settle_graph(read_model(two("sub", "int8", "int16", fused_activation_function="none"), "m"))
    assert [layer.name for layer in parse_graph(graph)] == ["dequantize", "dequantize", "sub_f32", "quantize"]


def test_a_quotient_by_zero_leaves_int32_as_on_the_host() -> None:
    tflite = two("div", "int8", "int8", fused_activation_function="none")
    graph = settle_graph(read_model(tflite, "m"))
    first = np.array([[-128, -3, 3, 4, 127, 3, 0, 1, 2, 3, 4, 5]], np.int8)
    second = np.full((1, 12), 3, np.int8)
    second[0, 6:] = 4
    (ours,) = [run_graph(graph, [first, second])[key] for key in graph.outputs]
    np.testing.assert_array_equal(ours, tflm.interpret(tflite, [first, second])[0])


@pytest.mark.parametrize(
    ("source", "target"), [("int16", "int8"), ("float32", "int8"), ("int8", "int16"), ("int8", "")]
)
def test_the_c_library_is_called_for_tables_from_int8_to_int8_alone(source: str, target: str) -> None:
    builder = TfliteBuilder()
    first = builder.tensor((1, 4), source, **({} if source == "float32" else {"scale": 0.001}))
    at, result, product = (builder.tensor((1, 4), "float32") for _ in range(3))
    if source == "float32":
        at = first
    else:
        builder.operator("dequantize", [first], [at])
    builder.operator("exp", [at], [result])
    builder.operator("mul", [result, at], [product], fused_activation_function="none")
    last = product
    if target:
        last = builder.tensor((1, 4), target, scale=0.05)
        builder.operator("quantize", [product], [last])
    with pytest.raises(
        ModelError, match=r"`exp` .* computes in float32 by the C library, on which the last bit depends"
    ):
        check(settle_graph(read_model(builder.build([first], [last]), "m")))


NODES = {
    **{name + SUFFIX: pair_node(name) for name in PAIRS},
    **{name + SUFFIX: single_node(name) for name in SINGLES},
    **{name + SUFFIX: comparison_node(name) for name in COMPARISONS},
    "select_v2_f32": select_node,
}
LAYERS = {**{name: drafted(entry, name) for name, entry in NODES.items()}, "lookup_f32": drafted(table_node, "island")}
KERNEL_CASES = {"portable/lookup_f32": KernelCases(LAYERS["lookup_f32"])}

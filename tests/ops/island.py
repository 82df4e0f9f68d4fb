"""island: operators in float32 between dequantize and quantize, as one table."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kits import tflm
from kits.draft import Draft, Node
from kits.tflite_builder import TfliteBuilder
from ops.elementwise_f32 import table_node
from tinyedge.arithmetic.float_functions import FUNCTIONS
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import check, parse_graph
from tinyedge.ops.island import OPERATORS
from tinyedge.optimize import settle_graph
from tinyedge.optimize.fold_islands import fold_islands, island_notes

ALL = np.arange(-128, 128).astype(np.int8).reshape(1, 256)
OF_TWO = ("add", "div", "maximum", "minimum", "mul", "prelu", "squared_difference", "sub")
FUSED = ("add", "div", "mul", "sub")


def _options(name: str, rng: np.random.Generator) -> dict[str, object]:
    if name in FUSED:
        return {"fused_activation_function": str(rng.choice(["none", "relu", "relu6", "relu_n1_to_1"]))}
    return {"alpha": float(rng.normal())} if name == "leaky_relu" else {}


def island(
    names: tuple[str, ...], seed: int, *, shape: tuple[int, ...] = (1, 256), output: str = "int8", operand: int = 1
) -> bytes:
    """A chain of operators in float32, second operands being constants or what goes into the operator."""
    rng = np.random.default_rng(seed)
    builder = TfliteBuilder()
    source = builder.tensor(shape, scale=2.0 ** rng.uniform(-8, -2), zero_point=int(rng.integers(-128, 128)))
    at = builder.tensor(shape, "float32")
    builder.operator("dequantize", [source], [at])
    for name in names:
        keys, target = [at], builder.tensor(shape, "float32")
        if name in OF_TWO:
            twice = name != "prelu" and rng.random() < 0.3
            data = rng.normal(0, 2, operand).astype(np.float32)
            keys.append(at if twice else builder.tensor((operand,), "float32", data=data))
        builder.operator(name, keys, [target], **_options(name, rng))
        at = target
    target = builder.tensor(shape, output, scale=2.0 ** rng.uniform(-8, -3), zero_point=int(rng.integers(-128, 128)))
    builder.operator("quantize", [at], [target])
    return builder.build([source], [target])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_one_operator_at_every_value(name: str) -> None:
    for seed in range(12):
        tflm.assert_same(island((name,), seed), ALL)


@example(("round", "rsqrt", "add"), 0)
@settings(max_examples=60, deadline=None)
@given(names=st.lists(st.sampled_from(sorted(FUNCTIONS)), min_size=2, max_size=5).map(tuple), seed=tflm.seeds)
def test_several_operators_are_one_table(names: tuple[str, ...], seed: int) -> None:
    tflite = island(names, seed)
    (layer,) = parse_graph(fold_islands(read_model(tflite, "m")))
    assert layer.name == "island"
    assert layer.operator.options[OPERATORS] == tuple(range(1, len(names) + 1))
    tflm.assert_same(tflite, ALL)


def test_what_is_said_of_an_island() -> None:
    graph = read_model(island(("elu", "neg"), 1), "m")
    (note,) = island_notes(graph, fold_islands(graph))
    assert note.startswith("operator 3: dequantize, elu, neg, quantize compute in float32; they run as one table")
    plain = read_model(island((), 1), "m")
    assert fold_islands(plain) is plain


def test_what_is_no_table_of_int8_runs_as_operators() -> None:
    """An output of int16, and a second operand with values of its own."""
    for tflite, names in (
        (island(("neg",), 1, output="int16"), ["dequantize", "neg_f32", "quantize"]),
        (island(("prelu",), 1, operand=256), ["dequantize", "prelu_f32", "quantize"]),
    ):
        tflm.assert_same(tflite, ALL)
        graph = settle_graph(read_model(tflite, "m"))
        assert [layer.name for layer in parse_graph(graph)] == names


def test_what_has_no_kernel_is_refused() -> None:
    builder = TfliteBuilder()
    source, target = (builder.tensor((1, 8), scale=0.1) for _ in range(2))
    reals = [builder.tensor((1, 8), "float32") for _ in range(2)]
    builder.operator("dequantize", [source], reals[:1])
    builder.operator("softmax", reals[:1], reals[1:], beta=1.0)
    builder.operator("quantize", reals[1:], [target])
    with pytest.raises(ModelError, match="is no function of single int8 values that a table could hold, and has no"):
        check(settle_graph(read_model(builder.build([source], [target]), "m")))


_BOUNDED = tuple(sorted(set(FUNCTIONS) - {"div", "exp", "log", "rsqrt", "sqrt", *OF_TWO}))


def island_node(draft: Draft) -> None:
    """One to three operators in a row, some of them with a constant; or a function that is read by another."""
    if draft.flip(0.25):
        table_node(draft)
        return
    source = draft.any()
    at: Node = draft.put("dequantize", [source], source.shape, "float32")
    for _ in range(draft.number(1, 3)):
        name = draft.pick(*_BOUNDED, "add", "mul", "sub")
        keys: list[Node | int] = [at]
        options = {"alpha": draft.pick(0.1, -0.5, 1.5)} if name == "leaky_relu" else {}
        if name in FUSED:
            keys.append(draft.constant(np.array([draft.chance.normal()], np.float32)))
            options = {"fused_activation_function": draft.pick("none", "relu", "relu6")}
        at = draft.put(name, keys, source.shape, "float32", **options)
    draft.put("quantize", [at], source.shape)


REFUSALS: list[tuple[bytes, str]] = []
NODES = {"island": island_node}

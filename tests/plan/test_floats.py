"""What is said of layers that compute in float32."""

from __future__ import annotations

from kits.tflite_builder import TfliteBuilder
from tinyedge.artifacts import Plan
from tinyedge.boards import CORES
from tinyedge.graph.reader import read_model
from tinyedge.optimize import optimize_graph, settle_graph
from tinyedge.plan import make_plan
from tinyedge.plan.floats import float_notes


def _plan(tflite: bytes) -> Plan:
    return make_plan(optimize_graph(settle_graph(read_model(tflite, "m"))), CORES["cortex-m4f"], "balanced")


def _chain(operators: tuple[str, ...]) -> bytes:
    """Operators in float32 one after the other, each of the last result and a second tensor."""
    builder = TfliteBuilder()
    sources = [builder.tensor((1, 16), scale=0.1) for _ in range(2)]
    reals = [builder.tensor((1, 16), "float32") for _ in range(2)]
    for source, real in zip(sources, reals, strict=True):
        builder.operator("dequantize", [source], [real])
    at = reals[0]
    for name in operators:
        target = builder.tensor((1, 16), "float32")
        builder.operator(name, [at, reals[1]] if name == "add" else [at], [target])
        at = target
    last = builder.tensor((1, 16), scale=0.1)
    builder.operator("quantize", [at], [last])
    return builder.build(sources, [last])


def test_layers_share_and_what_to_write_instead() -> None:
    (note,) = float_notes(_plan(_chain(("add", "square"))))
    assert note == (
        "operators 0 dequantize, 1 dequantize, 2 add_f32, 3 square_f32, 4 quantize compute in float32: "
        "100 % of the predicted cycles; in integers they take a fraction of that: convert with a representative "
        "data set that reaches them; for square: multiply by itself: mul(x, x)"
    )


def test_many_layers_are_counted() -> None:
    (note,) = float_notes(_plan(_chain(("add", "abs", "add", "abs", "add"))))
    assert "2 add_f32, 3 abs_f32, 4 add_f32, 3 more compute in float32" in note


def test_borders_of_the_model_are_no_islands() -> None:
    builder = TfliteBuilder()
    real, result = (builder.tensor((1, 4), "float32") for _ in range(2))
    first, second = (builder.tensor((1, 4), scale=0.1) for _ in range(2))
    builder.operator("quantize", [real], [first])
    builder.operator("add", [first, first], [second])
    builder.operator("dequantize", [second], [result])
    assert float_notes(_plan(builder.build([real], [result]))) == ()

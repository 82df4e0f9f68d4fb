"""What TensorFlow Lite Micro is said to run, and how each operator is registered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kits.models import float_model, hybrid_model, small_convolution, unknown_operator
from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import ModelError
from tinyedge.graph.ir import Graph
from tinyedge.graph.reader import read_model
from tinyedge.ops.reference import run_graph
from tinyedge.runtimes.tflm.operators import (
    NEWEST,
    TFLM_OPERATORS,
    TflmFeatures,
    check_tflm,
    list_layers,
    older_layers,
    registration_of,
    tflm_operator,
    used_operators,
)

OLD = TflmFeatures(per_channel_fully_connected=False, registrations=None, float_scale_product=True)


def dense(weight_scale: Any = 0.01, source_scale: float = 0.1, outputs: int = 4) -> Graph:
    builder = TfliteBuilder()
    source = builder.tensor([1, 8], scale=source_scale, zero_point=3)
    data = np.random.default_rng(5).integers(-127, 128, (outputs, 8)).astype(np.int8)
    weights = builder.tensor([outputs, 8], scale=weight_scale, data=data)
    target = builder.tensor([1, outputs], scale=0.05)
    builder.operator("fully_connected", [source, weights, -1], [target])
    return read_model(builder.build([source], [target]), "dense")


def unary(name: str, source: str, target: str, **options: Any) -> Graph:
    builder = TfliteBuilder()
    first = builder.tensor([1, 4], source, scale=0.1)
    last = builder.tensor([1, 4], target, scale=1 / 256, zero_point=-128 if target == "int8" else 0)
    builder.operator(name, [first], [last], **options)
    return read_model(builder.build([first], [last]), name)


def registered(graph: Graph, features: TflmFeatures = NEWEST) -> list[tuple[str, str]]:
    return [registration_of(graph, entry, features) for entry in used_operators(graph)]


def test_irregular_names() -> None:
    assert TFLM_OPERATORS["cumsum"].add == "AddCumSum"
    assert TFLM_OPERATORS["space_to_batch_nd"].add == "AddSpaceToBatchNd"
    assert TFLM_OPERATORS["padv2"].registration == "PADV2"
    assert TFLM_OPERATORS["conv_2d"].key == "tflite::BuiltinOperator_CONV_2D"
    assert TFLM_OPERATORS["SignalRfft"].key == '"SignalRfft"'


def test_int8_only_where_everything_is_int8() -> None:
    assert registered(unary("softmax", "int8", "int8", beta=1.0)) == [("SOFTMAX_INT8", "int8 throughout")]
    # The int8 registration computes this one wrongly, and says nothing.
    assert registered(unary("softmax", "int8", "int16", beta=1.0)) == [("SOFTMAX", "operator 0 has int16 output 0")]
    assert registered(unary("logistic", "int8", "int8")) == [("LOGISTIC", "no int8-only registration exists")]


def test_one_other_use_decides_for_all() -> None:
    builder = TfliteBuilder()
    first = builder.tensor([1, 4], scale=0.1)
    middle = builder.tensor([1, 4], scale=1 / 256, zero_point=-128)
    last = builder.tensor([1, 4], "int16", scale=1 / 32768)
    builder.operator("softmax", [first], [middle], beta=1.0)
    builder.operator("softmax", [middle], [last], beta=1.0)
    graph = read_model(builder.build([first], [last]), "two")
    assert registered(graph) == [("SOFTMAX", "operator 1 has int16 output 0")]


def test_int4_weights_are_not_int8() -> None:
    builder = TfliteBuilder()
    source, target = builder.tensor([1, 4], scale=0.1), builder.tensor([1, 2], scale=0.1)
    weights = builder.tensor([2, 4], "int4", scale=0.1, data=np.ones((2, 4), np.int8))
    builder.operator("fully_connected", [source, weights, -1], [target])
    graph = read_model(builder.build([source], [target]), "int4")
    assert registered(graph) == [("FULLY_CONNECTED", "operator 0 has int4 input 1")]


def test_a_tree_without_the_int8_registration() -> None:
    graph = dense()
    some = replace(NEWEST, registrations=frozenset({"FULLY_CONNECTED"}))
    assert registered(graph, some) == [("FULLY_CONNECTED", "this tree has no int8-only registration")]


def test_the_order_is_by_name_and_each_is_there_once() -> None:
    graph = read_model(small_convolution(), "small")
    assert [entry.name for entry in used_operators(graph)] == ["conv_2d", "fully_connected"]


@pytest.mark.parametrize(
    ("tflite", "message"),
    [
        (unknown_operator(), r"operator 0 `hashtable_lookup` .* is not in TensorFlow Lite Micro"),
        (float_model(), "is a float model: operator 0 `fully_connected`"),
        (hybrid_model(), "is a hybrid model"),
    ],
)
def test_refused(tflite: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        check_tflm(read_model(tflite, "bad"))
    assert caught.value.hint


def test_a_float_island() -> None:
    builder = TfliteBuilder()
    first = builder.tensor([1, 4], scale=0.1)
    second, third = builder.tensor([1, 4], "float32"), builder.tensor([1, 4], "float32")
    last = builder.tensor([1, 4], scale=0.1)
    builder.operator("dequantize", [first], [second])
    builder.operator("log", [second], [third])
    builder.operator("quantize", [third], [last])
    check_tflm(read_model(builder.build([first], [last]), "island"))


@pytest.mark.parametrize("operator", ["add", "softmax"])
def test_a_float_island_of_several_values(operator: str) -> None:
    """Taken where `aot` has a kernel in float32 too."""
    builder = TfliteBuilder()
    inputs = [builder.tensor([1, 4], scale=0.1) for _ in range(2)]
    floats = [builder.tensor([1, 4], "float32") for _ in range(3)]
    last = builder.tensor([1, 4], scale=0.1)
    for source, target in zip(inputs, floats, strict=False):
        builder.operator("dequantize", [source], [target])
    builder.operator(operator, floats[:2] if operator == "add" else floats[:1], floats[2:])
    builder.operator("quantize", floats[2:], [last])
    graph = read_model(builder.build(inputs, [last]), "island")
    if operator == "add":
        check_tflm(graph)
        return
    with pytest.raises(ModelError, match="is int8 in part only: operator 2 `softmax`"):
        check_tflm(graph)


def test_int64() -> None:
    builder = TfliteBuilder()
    first = builder.tensor([1, 4], scale=0.1)
    axis = builder.tensor([1], "int32", data=np.array([1], np.int32))
    last = builder.tensor([1], "int64")
    builder.operator("arg_max", [first, axis], [last])
    with pytest.raises(ModelError, match=r"operator 0 `arg_max` .* is not int64") as caught:
        check_tflm(read_model(builder.build([first], [last]), "index"))
    assert "output_type=tf.int32" in caught.value.hint


def test_per_channel_dense_layers_against_the_version() -> None:
    graph = dense([0.01, 0.02, 0.03, 0.04])
    check_tflm(graph, NEWEST)
    with pytest.raises(ModelError, match="lacks per-channel fully_connected") as caught:
        check_tflm(graph, OLD)
    assert "disable_per_channel" in caught.value.hint
    check_tflm(dense(), OLD)


def test_an_operator_that_only_newer_trees_have() -> None:
    with pytest.raises(ModelError, match="is not in the TensorFlow Lite Micro of this tree"):
        check_tflm(dense(), replace(NEWEST, registrations=frozenset({"ADD"})))


def test_control_flow_is_named() -> None:
    builder = TfliteBuilder()
    first, last = builder.tensor([1, 4], scale=0.1), builder.tensor([1, 4], scale=0.1)
    builder.operator("add", [first, first], [last])
    builder.operator("while", [last], [first], cond_subgraph_index=1, body_subgraph_index=1)
    builder.model.subgraphs.append(builder.graph)
    with pytest.raises(ModelError, match="operator 1 `while`: it runs other subgraphs as the data decides") as caught:
        read_model(builder.build([first], [last]), "loop")
    assert "unroll=True" in caught.value.hint


def test_layers_are_listed_with_their_macs_where_known() -> None:
    graph = read_model(small_convolution(), "small")
    assert [(layer.index, layer.name, layer.macs) for layer in list_layers(graph)] == [
        (0, "conv_2d", 8 * 8 * 8 * 9),
        (1, "fully_connected", 4 * 512),
    ]


def test_custom_operators_in_either_spelling() -> None:
    graph = unary("SignalRfft", "int16", "int16")
    found = tflm_operator(graph.operators[0])
    assert found is not None
    assert found.add == "AddRfft"


def test_older_versions_round_the_product_of_scales() -> None:
    """For most scales the multiplier is another, and for some inputs then the output."""
    assert older_layers(dense(), NEWEST) is None
    exact = dense(weight_scale=2.0**-7, source_scale=2.0**-3)
    assert older_layers(exact, OLD) is None  # the product of powers of two needs no rounding
    graph = dense(weight_scale=0.01, source_scale=0.1)
    layers = older_layers(graph, OLD)
    assert layers is not None
    product = float(np.float32(graph.input_tensors()[0].scale) * np.float32(0.01))
    factor = product / graph.output_tensors()[0].scale
    assert layers[0].params.multiplier[0] == round(factor / 2.0 ** int(layers[0].params.shift[0]) * 2**31)
    zeros = [np.full((1, 8), 3, np.int8)]
    assert not run_graph(graph, zeros, layers)[graph.outputs[0]].any()

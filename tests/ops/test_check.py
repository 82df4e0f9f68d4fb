"""Models that cannot be run are refused before anything is generated, in words that fit the case."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kits.tflite_builder import TfliteBuilder
from tinyedge.errors import CheckError, ModelError
from tinyedge.graph.reader import read_model
from tinyedge.ops import IN_FILES, OPERATORS, check, parse_graph
from tinyedge.ops.checks import rule_of
from tinyedge.ops.checks.float_only import FLOAT_ONLY, NO_KERNEL, TFLM_ONLY
from tinyedge.ops.reference import run_graph


def refusal(builder: TfliteBuilder, inputs: list[int], outputs: list[int]) -> ModelError:
    with pytest.raises(ModelError) as caught:
        check(read_model(builder.build(inputs, outputs), "m"))
    with pytest.raises(ModelError):
        parse_graph(read_model(builder.build(inputs, outputs), "m"))
    return caught.value


def chain(*operators: tuple[str, dict[str, Any]], dtype: str = "int8") -> tuple[TfliteBuilder, list[int], list[int]]:
    builder = TfliteBuilder()
    key = first = builder.tensor((1, 8), dtype, scale=0.1)
    for name, options in operators:
        target = builder.tensor((1, 8), dtype, scale=0.1)
        builder.operator(name, [key], [target], **options)
        key = target
    return builder, [first], [key]


def test_unknown_operators_are_named_with_shapes_and_the_nearest_known() -> None:
    error = refusal(*chain(("reshape", {}), ("relu_6", {}), ("rfft2d", {}), ("erf", {})))
    assert "operator 1 `relu_6` (int8 [1, 8] -> int8 [1, 8]) is not supported" in error.what
    assert "also not supported here: `erf`, `rfft2d`" in error.what
    assert error.hint == f"the nearest is `relu6`; supported are {', '.join(IN_FILES)}"


def test_the_nearest_is_not_offered_where_it_would_be_refused() -> None:
    """A softmax of a scale that is not 1/256, and names that TensorFlow Lite knows, which are not misspelt."""
    for name in ("soft_max", "gelu", "tile"):
        assert "the nearest is" not in refusal(*chain((name, {}))).hint


@pytest.mark.parametrize(
    ("name", "instead"), [("gelu", "sigmoid(1.702"), ("tile", "Concatenate"), ("topk_v2", "end the model")]
)
def test_what_tflm_lacks_is_said_with_what_to_write_instead(name: str, instead: str) -> None:
    error = refusal(*chain((name, {})))
    assert f"`{name}` (int8 [1, 8] -> int8 [1, 8]) is not supported" in error.what
    assert "TensorFlow Lite Micro has no kernel either" in error.what
    assert instead in error.hint


def test_what_tflm_has_is_not_said_to_be_missing() -> None:
    assert not set(TFLM_ONLY) & {*OPERATORS, *FLOAT_ONLY, *NO_KERNEL}
    assert "no kernel" not in refusal(*chain(("cumsum", {}))).what


def test_operators_that_exist_in_float32_only_are_called_so() -> None:
    error = refusal(*chain(("square", {})))
    assert "is not supported: TensorFlow Lite Micro computes it in float32 only" in error.what
    assert error.hint.startswith("multiply by itself: mul(x, x); supported are")
    assert "TensorFlow Lite Micro has no kernel either" in refusal(*chain(("relu_n1_to_1", {}))).what
    assert not {*FLOAT_ONLY, *NO_KERNEL} & set(OPERATORS)


def test_float_models_are_told_to_bring_representative_data() -> None:
    error = refusal(*chain(("reshape", {}), ("softmax", {"beta": 1.0}), dtype="float32"))
    assert "model `m` is a float model: operator 0 `reshape`" in error.what
    assert "representative" in error.hint


def dense_float(*, weights: str) -> tuple[TfliteBuilder, list[int], list[int]]:
    builder = TfliteBuilder()
    x, y = builder.tensor((1, 4), "float32"), builder.tensor((1, 2), "float32")
    w = builder.tensor((2, 4), weights, scale=0.1, data=np.zeros((2, 4), weights))
    builder.operator("fully_connected", [x, w, -1], [y], fused_activation_function="none")
    return builder, [x], [y]


def test_hybrid_models_are_called_so() -> None:
    assert "is a float model" in refusal(*dense_float(weights="float32")).what
    error = refusal(*dense_float(weights="int8"))
    assert "model `m` is a hybrid model: its weights are integers, its activations float32" in error.what
    assert "operator 0 `fully_connected` (float32 [1, 4], int8 [2, 4] -> float32 [1, 2])" in error.what
    assert "representative" in error.hint


def test_weights_that_are_dequantized_first_are_hybrid_too() -> None:
    builder = TfliteBuilder()
    x, y = builder.tensor((1, 4), "float32"), builder.tensor((1, 2), "float32")
    stored = builder.tensor((2, 4), "int8", scale=0.1, data=np.zeros((2, 4), np.int8))
    w = builder.tensor((2, 4), "float32")
    builder.operator("dequantize", [stored], [w])
    builder.operator("fully_connected", [x, w, -1], [y], fused_activation_function="none")
    assert "hybrid" in refusal(builder, [x], [y]).what


def test_one_float_operator_in_an_int8_model() -> None:
    builder = TfliteBuilder()
    x, f, y = builder.tensor((1, 4), scale=0.1), builder.tensor((1, 4), "float32"), builder.tensor((1, 4), "float32")
    builder.operator("dequantize", [x], [f])
    builder.operator("softmax", [f], [y], beta=1.0)
    error = refusal(builder, [x], [y])
    assert "is int8 in part only: operator 1 `softmax`" in error.what


def test_old_uint8_models() -> None:
    error = refusal(*chain(("softmax", {"beta": 1.0}), dtype="uint8"))
    assert "uint8, TensorFlow 1's way" in error.what


def test_float_borders_of_an_int8_model_pass() -> None:
    builder = TfliteBuilder()
    x, q = builder.tensor((1, 4), "float32"), builder.tensor((1, 4), scale=0.1)
    p, y = builder.tensor((1, 4), scale=1 / 256, zero_point=-128), builder.tensor((1, 4), "float32")
    builder.operator("quantize", [x], [q])
    builder.operator("softmax", [q], [p], beta=1.0)
    builder.operator("dequantize", [p], [y])
    graph = read_model(builder.build([x], [y]), "m")
    assert [layer.name for layer in parse_graph(graph)] == ["quantize", "softmax", "dequantize"]
    output = run_graph(graph, [np.array([[0.0, 0.0, 0.0, 0.0]], np.float32)])[y]
    assert output.tolist() == [[0.25] * 4]


def test_missing_options_are_refused_not_guessed() -> None:
    builder, inputs, outputs = chain(("softmax", {"beta": 1.0}))
    builder.graph.operators[0].builtinOptions = None
    builder.graph.operators[0].builtinOptionsType = 0
    assert "The file states its options (beta)." in refusal(builder, inputs, outputs).what


def test_missing_operands_are_refused() -> None:
    builder = TfliteBuilder()
    x, y = builder.tensor((1, 4), scale=0.1), builder.tensor((1, 4), scale=0.1)
    builder.operator("conv_2d", [x], [y], padding="same", stride_h=1, stride_w=1)
    assert "It has 2 to 3 inputs and one output." in refusal(builder, [x], [y]).what


def test_every_operator_states_its_rules() -> None:
    assert list(OPERATORS) == sorted(OPERATORS)
    for name, spec in OPERATORS.items():
        assert spec.name == name
        for constraint in spec.constraints:
            assert rule_of(constraint).endswith("."), (name, constraint)


def test_run_graph_wants_the_inputs_of_the_model() -> None:
    builder, inputs, outputs = chain(("reshape", {}))
    graph = read_model(builder.build(inputs, outputs), "m")
    with pytest.raises(CheckError, match="has 1 inputs, 0 were given"):
        run_graph(graph, [])
    with pytest.raises(CheckError, match=r"`t0` is int8 \[1, 8\], int8 \[8\] was given"):
        run_graph(graph, [np.zeros(8, np.int8)])
    with pytest.raises(CheckError, match="int16"):
        run_graph(graph, [np.zeros((1, 8), np.int16)])

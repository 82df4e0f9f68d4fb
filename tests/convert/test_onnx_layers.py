"""ONNX's recurrent layers, resizing and transposed convolutions against ONNX's reference evaluator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kits.onnx_models import OnnxNet, drawn, onnx
from tinyedge.artifacts import Silence
from tinyedge.convert import DEFAULTS, convert
from tinyedge.convert.interpret import run_all
from tinyedge.convert.onnx.convert_model import import_model
from tinyedge.convert.onnx.front import FRONT
from tinyedge.convert.onnx.load import evaluate, fix_batch, input_specs, load_model
from tinyedge.convert.onnx.values import with_channels_last
from tinyedge.convert.settle import settle
from tinyedge.data import Arrays
from tinyedge.errors import ModelError
from tinyedge.graph.reader import read_model
from tinyedge.optimize import settle_graph

STEPS, FEATURES, UNITS = 5, 3, 4
GATES = {"LSTM": 4, "GRU": 3}


def operators(tflite: bytes) -> list[str]:
    return [operator.name for operator in read_model(tflite, "m").operators]


def recurrent(net: OnnxNet, kind: str, features: int, directions: int = 1, seed: int = 0, **options: Any) -> OnnxNet:
    """An LSTM or GRU over [time, batch, features]; [time, batch, directions * units] comes out."""
    rows = GATES[kind] * UNITS
    shapes = ((directions, rows, features), (directions, rows, UNITS), (directions, 2 * rows))
    weights = [net.constant(drawn(*shape, seed=seed + place) / 2) for place, shape in enumerate(shapes)]
    if directions == 2:
        options["direction"] = "bidirectional"
    net.put(kind, *weights, hidden_size=UNITS, **options)
    return net.put("Transpose", perm=[0, 2, 1, 3]).put("Reshape", net.constant(np.array([0, 0, -1])))


def sequence_net(kind: str, directions: int = 1, *, batch_first: bool, layers: int = 1, **options: Any) -> Any:
    """As PyTorch exports one: the batch first by a transposition, the last step taken, a dense layer, softmax."""
    net = OnnxNet(*(("n", STEPS, FEATURES) if batch_first else (STEPS, "n", FEATURES)))
    if batch_first:
        net.put("Transpose", perm=[1, 0, 2])
    features = FEATURES
    for layer in range(layers):
        recurrent(net, kind, features, directions, 7 * layer, **options)
        features = UNITS * directions
    if batch_first:
        net.put("Transpose", perm=[1, 0, 2])
    net.put("Gather", net.constant(np.array(-1)), axis=1 if batch_first else 0)
    return net.dense(features, 3).put("Softmax", axis=-1).model()


@pytest.mark.parametrize(
    ("kind", "options"), [("LSTM", {}), ("GRU", {}), ("GRU", {"linear_before_reset": 1})], ids=["lstm", "gru", "after"]
)
@pytest.mark.parametrize("directions", [1, 2])
def test_recurrent_layers_answer_as_the_reference_does(
    kind: str, options: dict[str, int], directions: int, tmp_path: Path
) -> None:
    data = drawn(3, STEPS, FEATURES, seed=9)
    for batch_first, layers in ((True, 2), (False, 1)):
        model = sequence_net(kind, directions, batch_first=batch_first, layers=layers, **options)
        onnx.save_model(model, str(tmp_path / "net.onnx"))
        brought = FRONT.bring(tmp_path / "net.onnx", Arrays({"x": data}), DEFAULTS, tmp_path)
        (answers,) = run_all(settle(brought.tflite), brought.inputs)
        np.testing.assert_allclose(answers.reshape(3, -1), brought.outputs[0].reshape(3, -1), rtol=1e-4, atol=1e-5)


def test_the_last_step_is_taken_without_the_others_being_kept() -> None:
    model = sequence_net("LSTM", batch_first=True)
    fix_batch(model)
    found = operators(settle(import_model(model).tflite))
    assert not {"concatenation", "gather", "transpose"} & set(found)
    assert found.count("logistic") == STEPS
    assert found.count("fully_connected") == 4 * STEPS - 2 + 1


def test_reverse_peepholes_and_states_that_are_given() -> None:
    net = OnnxNet(STEPS, 1, FEATURES)
    names = [
        net.constant(drawn(1, rows, 4 if column else FEATURES, seed=column)) for column, rows in ((0, 16), (1, 16))
    ]
    bias, peepholes = net.constant(drawn(1, 32) / 3), net.constant(drawn(1, 12, seed=4))
    states = [net.constant(drawn(1, 1, UNITS, seed=seed)) for seed in (5, 6)]
    net.put("LSTM", *names, bias, "", *states, peepholes, hidden_size=UNITS, direction="reverse")
    sample = drawn(STEPS, 1, FEATURES, seed=3)
    (wanted,) = evaluate(net.model(), [sample]).values()
    (found,) = run_all(import_model(net.model()).tflite, [sample.reshape(1, STEPS, FEATURES)])
    np.testing.assert_allclose(found.ravel(), np.ravel(wanted), rtol=1e-4, atol=1e-5)


def test_many_steps_are_put_together_in_pieces_that_the_device_takes() -> None:
    steps = 23
    net = OnnxNet(steps, 1, FEATURES)
    recurrent(net, "GRU", FEATURES)
    floats = settle(import_model(net.model()).tflite)
    graph = settle_graph(read_model(floats, "m"))
    widths = [len(operator.inputs) for operator in graph.operators if operator.name == "concatenation"]
    assert widths
    assert max(widths) <= 10
    sample = drawn(steps, 1, FEATURES, seed=3)
    (wanted,) = evaluate(net.model(), [sample]).values()
    np.testing.assert_allclose(
        run_all(floats, [sample.reshape(1, steps, FEATURES)])[0].ravel(), np.ravel(wanted), rtol=1e-4, atol=1e-5
    )


def test_what_recurrent_layers_refuse() -> None:
    for options, words in (
        ({"activations": ["Relu", "Tanh", "Tanh"]}, "its activations are Relu, Tanh, Tanh"),
        ({"clip": 1.0}, "it clips its gates"),
    ):
        net = OnnxNet(STEPS, 1, FEATURES)
        with pytest.raises(ModelError, match=words) as caught:
            import_model(recurrent(net, "LSTM", FEATURES, **options).model())
        assert caught.value.hint
    lengths = OnnxNet(STEPS, 1, FEATURES)
    weights = [lengths.constant(drawn(1, 12, width)) for width in (FEATURES, UNITS, 0)][:2]
    lengths.put("GRU", *weights, "", lengths.constant(np.array([2], np.int32)), hidden_size=UNITS)
    with pytest.raises(ModelError, match="its sequences have lengths of their own"):
        import_model(lengths.model())
    long = OnnxNet(600, 1, 1)
    with pytest.raises(ModelError, match="600 steps would be 600 sets of operators"):
        import_model(recurrent(long, "GRU", 1).model())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_recurrent_layers_in_integers(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))
    onnx.save_model(sequence_net(kind, 2, batch_first=True, layers=2), str(tmp_path / "net.onnx"))
    data = Arrays({"x": drawn(30, STEPS, FEATURES, seed=9)})
    conversion = convert(tmp_path / "net.onnx", data, DEFAULTS, Silence())
    assert conversion.agreement is not None
    assert conversion.agreement >= 0.9
    assert conversion.largest_difference <= 0.03
    assert {layer.dtype for layer in conversion.layers} == {"int8"}


def resized(height: int, width: int, *, scales: tuple[float, float] | None = None, **options: Any) -> Any:
    """A convolution on 5 x 4 and a resizing of its result, by sizes or by scales."""
    net = OnnxNet(1, 2, 5, 4).conv(3, 2)
    if scales is None:
        return net.put("Resize", "", "", net.constant(np.array([1, 3, height, width])), **options).model()
    return net.put("Resize", "", net.constant(np.array([1, 1, *scales], np.float32)), **options).model()


def assert_same(model: Any) -> list[str]:
    """The operators of an imported model that answers as the reference does."""
    tflite = import_model(model).tflite
    ((_, shape, _),) = input_specs(model)
    sample = drawn(*shape, seed=3)
    (wanted,) = evaluate(model, [sample]).values()
    (found,) = run_all(tflite, [with_channels_last(sample) if len(shape) > 2 else sample])
    laid = with_channels_last(np.asarray(wanted)) if len(shape) > 2 else wanted
    np.testing.assert_allclose(found.ravel(), np.ravel(laid), rtol=1e-3, atol=1e-4)
    return operators(tflite)


def test_nearest_cells_by_the_operator_where_it_has_them_else_by_gathers() -> None:
    nearest, gathers = ["conv_2d", "resize_nearest_neighbor"], ["conv_2d", "gather", "gather"]
    floor = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    assert assert_same(resized(10, 8, **floor)) == nearest
    assert assert_same(resized(10, 8, mode="nearest")) == nearest
    assert assert_same(resized(9, 7, mode="nearest", coordinate_transformation_mode="align_corners")) == nearest
    assert assert_same(resized(7, 9, **{**floor, "nearest_mode": "ceil"})) == gathers
    assert assert_same(resized(0, 0, scales=(0.6, 1.7), mode="nearest")) == gathers
    assert assert_same(resized(5, 4, mode="nearest")) == ["conv_2d"]


@pytest.mark.parametrize("mode", ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"])
def test_cells_between_others(mode: str) -> None:
    options = {"mode": "linear", "coordinate_transformation_mode": mode}
    assert assert_same(resized(10, 8, **options)) == ["conv_2d", "resize_bilinear"]
    assert assert_same(resized(8, 6, **options)) == ["conv_2d", "resize_bilinear"]


def test_what_resizing_refuses() -> None:
    for model, words in (
        (resized(10, 8, mode="cubic"), "it resizes by `cubic`"),
        (resized(3, 3, mode="linear", antialias=1), "or against aliasing"),
        (resized(0, 0, scales=(0.6, 0.6), mode="linear"), r"`half_pixel` with scales \[1.0, 1.0, 0.6, 0.6\]"),
    ):
        with pytest.raises(ModelError, match=words) as caught:
            import_model(model)
        assert caught.value.hint


def test_the_older_upsample_is_resize(tmp_path: Path) -> None:
    net = OnnxNet(1, 2, 5, 4).conv(3, 2)
    model = net.put("Upsample", net.constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest").model()
    model.opset_import[0].version, model.ir_version = 9, 7
    onnx.save_model(model, str(tmp_path / "net.onnx"))
    assert operators(import_model(load_model(tmp_path / "net.onnx")).tflite) == ["conv_2d", "resize_nearest_neighbor"]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}, ["transpose_conv", "strided_slice"]),
        ({"strides": [2, 2], "pads": [0, 0, 1, 1]}, ["transpose_conv"]),
        ({}, ["transpose_conv"]),
        ({"strides": [2, 3], "dilations": [2, 1], "pads": [1, 0, 0, 1]}, ["transpose_conv", "strided_slice"]),
        ({"strides": [2, 2], "group": 2}, ["transpose_conv"]),
        ({"strides": [2, 2], "auto_pad": "SAME_UPPER"}, ["transpose_conv"]),
    ],
)
def test_transposed_convolutions(options: dict[str, Any], names: list[str]) -> None:
    net = OnnxNet(1, 4, 5, 3)
    outputs = 8 // options.get("group", 1)
    weights = net.constant(drawn(4, outputs, 3, 3, seed=2))
    assert assert_same(net.put("ConvTranspose", weights, net.constant(drawn(8)), **options).model()) == names


def test_transposed_convolutions_over_time() -> None:
    net = OnnxNet(1, 4, 7)
    net.put("ConvTranspose", net.constant(drawn(4, 5, 4)), strides=[2], pads=[1, 1])
    assert "transpose_conv" in assert_same(net.put("Relu").model())


@pytest.mark.slow
def test_an_autoencoder_in_integers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))
    net = OnnxNet(1, 2, 8, 8).conv(6, 2, strides=[2, 2]).put("Relu")
    net.put("ConvTranspose", net.constant(drawn(6, 4, 4, 4) / 8), net.constant(drawn(4)), strides=[2, 2], pads=[1] * 4)
    net.put("Relu").put("Resize", "", net.constant(np.array([1, 1, 2, 2], np.float32)), mode="linear").conv(1, 4)
    onnx.save_model(net.model(), str(tmp_path / "net.onnx"))
    conversion = convert(tmp_path / "net.onnx", Arrays({"x": drawn(20, 2, 8, 8)}), DEFAULTS, Silence())
    assert conversion.largest_difference <= 0.05 * conversion.largest_value
    assert {layer.dtype for layer in conversion.layers} == {"int8"}

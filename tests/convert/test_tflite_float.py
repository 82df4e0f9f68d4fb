"""Float .tflite models to integers: settled, quantized, checked and compared."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kits.float_models import SHAPE, FloatNet, drawn, float_cnn, write_data
from kits.models import small_convolution
from kits.tflm import interpret
from tinyedge.artifacts import Silence
from tinyedge.convert import DEFAULTS, Settings, flatbuffer, front_of, recognize
from tinyedge.convert.conversion import convert
from tinyedge.convert.interpret import run_all
from tinyedge.convert.leftovers import check_result, float_operators
from tinyedge.convert.noise import layer_noise
from tinyedge.convert.quantize import quantize
from tinyedge.convert.settle import settle
from tinyedge.convert.tflite_float import is_float
from tinyedge.convert.values import device_inputs
from tinyedge.errors import ModelError, UsageError
from tinyedge.generate.library import class_labels
from tinyedge.graph.reader import read_model

SAMPLES = drawn(20, *SHAPE, seed=9)


def operators(tflite: bytes) -> list[str]:
    return [operator.name for operator in read_model(tflite, "m").operators]


def quantized(tflite: bytes, settings: Settings = DEFAULTS) -> bytes:
    return quantize(settle(tflite), [SAMPLES], settings.types, settings.layers)


def test_float_models_are_told_by_their_content(tmp_path: Path) -> None:
    path = tmp_path / "anything.bin"
    path.write_bytes(float_cnn())
    assert front_of(path).title == "float .tflite"
    path.write_bytes(small_convolution())
    assert recognize(path) is None
    for size in range(0, 400, 40):
        path.write_bytes(float_cnn()[:size])
        recognize(path)


def test_settling_leaves_no_arithmetic_on_shapes() -> None:
    assert operators(float_cnn()) == [
        "conv_2d", "shape", "strided_slice", "pack", "reshape", "fully_connected", "softmax",
    ]  # fmt: skip
    settled = settle(float_cnn())
    assert operators(settled) == ["conv_2d", "reshape", "fully_connected", "softmax"]
    np.testing.assert_array_equal(run_all(settled, [SAMPLES])[0], run_all(float_cnn(), [SAMPLES])[0])


def test_a_batch_of_its_own_becomes_one() -> None:
    net = FloatNet((4, 3)).put("tanh", [], (4, 3))
    settled = settle(net.build())
    assert read_model(settled, "m").input_tensors()[0].shape == (1, 3)
    with pytest.raises(ModelError, match="cannot run it with a batch of 1") as caught:
        settle(wrong_batch())
    assert "batch of 1" in caught.value.hint


def wrong_batch() -> bytes:
    net = FloatNet((4, 3))
    return net.put("reshape", [net.constant(np.array([4, 3], np.int32))], (4, 3)).build()


def test_constants_that_are_computed_are_folded() -> None:
    net = FloatNet((1, 3))
    half = net.builder.tensor([3], "float16", data=np.array([1, 2, 3], np.float16))
    wide = net.tensor(3, name="wide")
    net.builder.operator("dequantize", [half], [wide])
    settled = settle(net.put("add", [wide], (1, 3)).build())
    assert operators(settled) == ["add"]
    np.testing.assert_array_equal(run_all(settled, [np.ones((1, 3), np.float32)])[0], [[2, 3, 4]])


def test_axes_that_come_and_go_are_reshapes() -> None:
    net = FloatNet((1, 6, 2))
    net.put("expand_dims", [net.constant(np.array(1, np.int32))], (1, 1, 6, 2), "wide").conv()
    net.put("squeeze", [], (1, 6, 4), "narrow", squeeze_dims=[1])
    settled = settle(net.build())
    assert operators(settled) == ["reshape", "conv_2d", "reshape"]
    samples = drawn(5, 6, 2)
    np.testing.assert_array_equal(run_all(settled, [samples])[0], run_all(net.build(), [samples])[0])
    assert float_operators(quantize(settled, [samples], "int8")) == []


def test_one_signature_of_several() -> None:
    builder_model = flatbuffer.unpack(FloatNet((1, 3)).put("tanh", [], (1, 3)).build())
    other = flatbuffer.unpack(FloatNet((1, 5)).put("tanh", [], (1, 5)).build())
    settled = flatbuffer.unpack(settle(flatbuffer.pack(builder_model)))
    (signature,) = settled.signatureDefs
    signature.signatureKey = b"small"
    second = flatbuffer.unpack(settle(flatbuffer.pack(other)))
    (large,) = second.signatureDefs
    large.signatureKey, large.subgraphIndex = b"large", 1
    settled.subgraphs.append(second.subgraphs[0])
    settled.signatureDefs.append(large)
    both = flatbuffer.pack(settled)
    assert read_model(settle(both), "m").input_tensors()[0].shape == (1, 3)
    assert read_model(settle(both, "large"), "m").input_tensors()[0].shape == (1, 5)
    with pytest.raises(UsageError, match="no signature `huge`") as caught:
        settle(both, "huge")
    assert caught.value.hint == "its signatures: `small`, `large`"


@pytest.mark.parametrize(("types", "dtype"), [("int8", "int8"), ("int16x8", "int16")])
def test_everything_is_integer_and_close(types: str, dtype: str) -> None:
    model = quantized(float_cnn(), Settings(types=types))
    graph = read_model(model, "m")
    assert {tensor.dtype.value for tensor in (*graph.input_tensors(), *graph.output_tensors())} == {dtype}
    assert float_operators(model) == []
    assert check_result(model, "m") == []
    noise = layer_noise(settle(float_cnn()), model, [SAMPLES])
    assert [layer.operator for layer in noise] == ["conv_2d", "reshape", "fully_connected", "softmax"]
    assert all(layer.snr_db is not None and layer.snr_db > (30 if types == "int8" else 40) for layer in noise)


def test_ranges_are_those_of_all_samples() -> None:
    tensor = read_model(quantized(float_cnn()), "m").input_tensors()[0]
    assert tensor.scale * (127 - tensor.zero_point) >= 0.99 * SAMPLES.max()
    assert tensor.scale * (-128 - tensor.zero_point) <= 0.99 * SAMPLES.min()


def test_what_is_always_zero_has_a_scale_that_kernels_take() -> None:
    net = FloatNet((1, 4))
    net.put("mul", [net.constant(np.zeros((1, 4), np.float32))], (1, 4), "nothing").put("tanh", [], (1, 4))
    model = quantize(settle(net.build()), [drawn(5, 4)], "int8")
    check_result(model, "m")
    nothing = next(tensor for tensor in read_model(model, "m").tensors.values() if tensor.name == "nothing")
    assert nothing.scale > 1e-3


def test_layers_by_name() -> None:
    net = FloatNet().conv(name="first").conv(name="second").flat_by_shape().dense(name="last")
    mixed = quantized(net.build(), Settings(layers=(("second", "int16x8"), ("l?st", "int4"))))
    graph = read_model(mixed, "m")
    types = {tensor.name: tensor.dtype.value for tensor in graph.tensors.values()}
    assert (types["first"], types["second"]) == ("int8", "int16")
    weights = [graph.tensors[op.inputs[1]] for op in graph.operators if op.name == "fully_connected"]
    assert [tensor.dtype.value for tensor in weights] == ["int4"]
    with pytest.raises(UsageError, match="no layer is called `seconb`") as caught:
        quantized(net.build(), Settings(layers=(("seconb", "int16x8"),)))
    assert "the nearest: `second`" in caught.value.hint


def test_functions_of_single_values_become_tables() -> None:
    model = quantized(FloatNet().conv().put("leaky_relu", [], (1, 6, 6, 4), alpha=0.1).flat_by_shape().dense().build())
    assert check_result(model, "m") == []
    feeds = device_inputs([SAMPLES[:2]], read_model(model, "m"))
    assert len(interpret(model, [feeds[0][0]])) == 1


def test_an_operator_that_stays_in_float_is_named() -> None:
    net = FloatNet((1, 4, 4, 2)).conv()
    axes = net.constant(np.array([1, 2], np.int32))
    net.put("reduce_prod", [axes], (1, 4), "product").put("tanh", [], (1, 4))
    model = quantize(settle(net.build()), [drawn(4, 4, 4, 2)], "int8")
    assert float_operators(model)[0] == "`reduce_prod` (product)"
    with pytest.raises(ModelError, match=r"left in float32: `reduce_prod` \(product\)") as caught:
        check_result(model, "m")
    assert caught.value.hint.startswith("instead of `reduce_prod`: ")


def test_every_shorter_file_is_refused_in_words(tmp_path: Path) -> None:
    whole = float_cnn()
    for size in (*range(0, 200, 9), *range(200, len(whole), 97)):
        with pytest.raises(ModelError):
            settle(whole[:size])


@pytest.mark.slow
def test_a_conversion_as_a_whole_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYEDGE_CACHE", str(tmp_path / "cache"))
    source, data = tmp_path / "net.tflite", write_data(tmp_path / "d.npz")
    with np.load(data) as arrays:
        np.savez(data, **arrays, class_names=["circle", "idle", "updown"])
    source.write_bytes(float_cnn())
    first = convert(source, data, DEFAULTS, Silence())
    assert first.model.class_names == ("circle", "idle", "updown")
    assert class_labels(first.model, read_model(first.model.tflite, "net")) == ['"circle"', '"idle"', '"updown"']
    assert (first.model.name, first.source, first.samples) == ("net", "float .tflite", 30)
    assert first.agreement is not None
    assert first.agreement >= 0.9
    assert first.largest_difference <= 0.02
    assert first.model.float_accuracy is not None
    assert first.model.samples is not None
    assert first.model.samples[0].shape == (30, 1, *SHAPE)
    monkeypatch.setattr("tinyedge.convert.conversion.run_worker", None)
    again = convert(source, data, DEFAULTS, Silence())
    assert again.to_json() == first.to_json()
    assert again.model.figures() == first.model.figures()
    assert again.model.class_names == first.model.class_names
    np.testing.assert_array_equal(again.model.samples, first.model.samples)
    with pytest.raises(TypeError):
        convert(source, data, Settings(calibrate=7), Silence())


def test_tensors_of_one_name_are_told_apart() -> None:
    net = FloatNet((1, 4))
    for _ in range(3):
        net.put("tanh", [], (1, 4), "same")
    net.builder.graph.tensors[net.last].name = b""
    settled = settle(net.put("tanh", [], (1, 4), "same_1").build())
    names = [tensor.name for tensor in read_model(settled, "m").tensors.values()]
    assert len(set(names)) == len(names) == 5
    assert "" not in names
    assert float_operators(quantize(settled, [drawn(5, 4)], "int8")) == []


def test_one_part_of_a_concatenation_is_that_part() -> None:
    net = FloatNet((1, 12))
    parts = [net.put("tanh", [], (1, 12), f"step{step}").last for step in range(3)]
    whole = net.tensor(3, 12, name="whole")
    net.builder.operator("concatenation", parts, [whole], axis=0)
    net.last, net.shape = whole, (3, 12)
    net.put("reshape", [net.constant(np.array([1, 3, 12], np.int32))], (1, 3, 12), "steps")
    for index, names in ((1, ["tanh", "tanh", "reshape"]), (-1, ["tanh", "tanh", "tanh", "reshape"])):
        ends = [np.array(value, np.int32) for value in ([0, index, 0], [0, index + 1, 0], [1, 1, 1])]
        last = net.tensor(1, 12, name=f"last{index}")
        net.builder.operator(
            "strided_slice", [net.last, *map(net.constant, ends)], [last], begin_mask=5, end_mask=5, shrink_axis_mask=2
        )
        model = net.builder.build([net.first], [last])
        settled = settle(model)
        assert operators(settled) == names
        np.testing.assert_array_equal(run_all(settled, [drawn(4, 12)])[0], run_all(model, [drawn(4, 12)])[0])


@pytest.mark.parametrize(("sizes", "name"), [((4, 4, 4), "split"), ((2, 7, 3), "strided_slice")])
def test_parts_of_stated_sizes_become_integers(sizes: tuple[int, ...], name: str) -> None:
    net = FloatNet((1, 2, 12))
    parts = [net.tensor(1, 2, size, name=f"part{place}") for place, size in enumerate(sizes)]
    given = [net.constant(np.array(values, np.int32)) for values in (sizes, -1)]
    net.builder.operator("split_v", [net.last, *given], parts, num_splits=3)
    net.last = parts[1]
    model = net.put("tanh", [], (1, 2, sizes[1])).build()
    settled = settle(model)
    assert operators(settled) == [name, "tanh"]
    samples = drawn(4, 2, 12)
    np.testing.assert_array_equal(run_all(settled, [samples])[0], run_all(model, [samples])[0])
    graph = read_model(quantize(settled, [samples], "int8"), "m")
    assert {tensor.dtype.value for tensor in graph.tensors.values() if not tensor.is_constant} == {"int8"}


def test_two_parts_of_a_concatenation_are_taken_as_before() -> None:
    net = FloatNet((1, 6))
    parts = [net.put("tanh", [], (1, 6), f"step{step}").last for step in range(25)]
    net.last = net.tensor(25, 6, name="whole")
    net.builder.operator("concatenation", parts, [net.last], axis=0)
    ends = [net.constant(np.array(value, np.int32)) for value in ([22, 0], [24, 6], [1, 1])]
    model = net.put("strided_slice", ends, (2, 6)).build()
    settled = settle(model)
    graph = read_model(settled, "m")
    assert max(len(operator.inputs) for operator in graph.operators) == 10
    np.testing.assert_array_equal(run_all(settled, [drawn(4, 6)])[0], run_all(model, [drawn(4, 6)])[0])


def test_is_float_says_no_to_what_is_none() -> None:
    assert is_float(float_cnn())
    assert not is_float(small_convolution())
    for size in range(0, len(float_cnn()), 211):
        is_float(float_cnn()[:size])
